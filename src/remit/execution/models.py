"""An execution run as Remit writes and reads it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from remit.base.json_types import JsonObject
from remit.directives.models import Row
from remit.execution.modules.types import ModuleOutput
from remit.vocabulary import RunStatus

MAX_ATTEMPTS = 3
"""How many times one run may be begun; after that its module is taken to kill its worker."""


class ExecutionRunCreate(BaseModel):
    """A run about to be stored: one grant, consumed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID = Field(description="Its identifier.")
    directive_id: UUID = Field(description="The directive that it carries out.")
    grant_id: UUID = Field(description="The grant that it consumes; no other run may have it.")
    module: str = Field(description="Name of the module that acts.")
    module_version: str = Field(description="Version of that module; empty when it is unknown.")
    idempotency_key: str = Field(description="What the module must treat as one and the same act.")
    status: Literal["pending", "running"] = Field(
        description="`pending` until a worker begins its first attempt."
    )


class ExecutionRunRead(ExecutionRunCreate):
    """A run as it stands."""

    model_config = ConfigDict(extra="ignore")

    status: RunStatus = Field(  # type: ignore[assignment] # a run that goes on has others, too
        description="Where it stands in its lifecycle."
    )
    attempts: int = Field(description="How many attempts have begun.")
    result: JsonObject | None = Field(description="What the module returned; null until it has.")
    error_type: str | None = Field(description="Kind of failure; null when there was none.")
    error_message: str | None = Field(description="What failed; null when nothing did.")
    created_at: AwareDatetime = Field(description="When its grant was consumed.")
    started_at: AwareDatetime | None = Field(description="When its first attempt began.")
    ended_at: AwareDatetime | None = Field(description="When it ended; null while it has not.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Build one from a row of `execution_runs`."""
        return cls.model_validate({name: row[name] for name in cls.model_fields})


@dataclass(frozen=True, slots=True)
class AttemptRead:
    """One attempt of a run as it stands.

    Attributes:
        attempt: which one, from 1.
        alive: whether its worker lives: it has not ended, and its lease is not over.
        ended_at: when it ended; None: it has not, or nobody knows.
        cost: what it cost in US dollars; None: nobody knows, or it has not ended.
    """

    attempt: int
    worker_id: UUID
    alive: bool
    started_at: datetime
    ended_at: datetime | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A run with its attempts, at one moment.

    Attributes:
        attempts: those of which there are rows, in order.
        promised: what its grant was promised in US dollars; None when it was promised nothing.
        now: the database's clock.
    """

    run: ExecutionRunRead
    attempts: tuple[AttemptRead, ...]
    promised: Decimal | None
    now: datetime

    @property
    def open(self) -> tuple[AttemptRead, ...]:
        """The attempts that have not ended."""
        return tuple(one for one in self.attempts if one.ended_at is None)

    @property
    def is_unknown(self) -> bool:
        """Whether an attempt was begun of which nobody knows how it ended."""
        return bool(self.open) or self.run.attempts > len(self.attempts)


@dataclass(frozen=True, slots=True)
class LeftArtifact:
    """The type and the digest ("sha256:" and hex) of what a run left; never its content."""

    type: str
    digest: str


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended, for whoever observes: no payload, no result, no message.

    Attributes:
        status: the directive's status now.
        seconds: how long the module took; of a run that is read back, from its first attempt to its
            end. None when no attempt began.
        artifacts: what the module left and was kept, at most 100 of a run that is read back; none
            for a long module that was too late.
    """

    directive_id: UUID
    type: str
    role: str
    status: str
    run_id: UUID
    module: str
    run_status: str
    attempts: int
    seconds: float | None = None
    artifacts: tuple[LeftArtifact, ...] = ()


def output_to_json(output: ModuleOutput) -> JsonObject:
    """Return a module's output as it is stored in `execution_runs.result`."""
    error = output.error
    return {
        "status": output.status.value,
        "result": output.result,
        "cost": None if output.cost is None else f"{output.cost:.2f}",
        "error": None
        if error is None
        else {
            "error_type": error.error_type,
            "message": error.message,
            "retryable": error.retryable,
        },
    }


def output_from_json(stored: JsonObject) -> ModuleOutput:
    """Return the output that :func:`output_to_json` wrote."""
    return _OUTPUT.validate_python(stored)


def error_of(output: JsonObject | None) -> JsonObject:
    """Return the error of a stored output; empty when it has none."""
    error = None if output is None else output.get("error")
    return error if isinstance(error, dict) else {}


_OUTPUT = TypeAdapter(ModuleOutput)
