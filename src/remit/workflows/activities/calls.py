"""How a run's module is called, and what this worker decides and verifies with."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import sqlalchemy as sa
from pydantic import JsonValue

from remit.artifacts.contents import place_json
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.artifacts.store import ObjectStore
from remit.artifacts.types import CONTENT_REF, MAX_ARTIFACT_BYTES
from remit.base.durations import parse_timebox
from remit.directives.models import DirectiveRead
from remit.directives.plain_json import find_fault
from remit.errors import (
    InvalidInputError,
    MisconfiguredError,
    NotFoundError,
    PolicyUnconfirmedError,
    UnavailableError,
)
from remit.execution.models import EndedRun, ExecutionRunRead, LeftArtifact
from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.registry import ModuleRegistry
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.execution.worker_repository import KnownWorkers
from remit.operations.gate.authority import Authority
from remit.operations.gate.policies import PolicySource
from remit.operations.gate.routing import Route
from remit.operations.runs.starts import RunState
from remit.redaction.masking import redact_object
from remit.signing.keys import Keyring
from remit.telemetry import tracing
from remit.telemetry.logging import get_logger
from remit.telemetry.metrics import record_execution
from remit.vocabulary import ArtifactType
from remit.workflows.activities.underway import Underway
from remit.workflows.messages import ExecutionStep, worker_queue

ASK_AGAIN_SECONDS = 2.0
"""Pause before a workflow asks again whether a worker has the version that was granted."""

MODULE_ARTIFACT: ArtifactType = "module_output"
"""The one artifact type that a module may emit."""


def unobserved(ended: EndedRun) -> None:
    """Tell nobody."""


@dataclass
class EmittedArtifacts:
    """What the module of a run emitted, held until the transaction that ends the attempt.

    An attempt that dies leaves none of it, and the next attempt emits it again: what is stored is
    the evidence of the attempt that counted.
    """

    run: ExecutionRunRead
    store: ObjectStore
    artifacts: list[NewArtifact] = field(default_factory=list)

    def emit(self, artifact_type: str, metadata: dict[str, JsonValue]) -> str:
        """Take one artifact and return the address that it will have.

        What is over 64 KB goes to the object store at once, before the row that will speak of it.

        Raises:
            InvalidInputError: modules may not emit this type, or the content cannot be kept.
            ObjectStoreException: the object store did not keep it.
        """
        if artifact_type != MODULE_ARTIFACT:
            raise InvalidInputError(
                f"a module emits {MODULE_ARTIFACT} artifacts, not {artifact_type!r}", field="type"
            )
        if CONTENT_REF in metadata:
            raise InvalidInputError("a name of Remit's own: use another", field=CONTENT_REF)
        fault = find_fault(metadata, max_weight=MAX_ARTIFACT_BYTES)
        if fault is not None:
            raise InvalidInputError(
                f"cannot be stored: {fault.problem}", field=fault.path or "metadata"
            )
        cleaned = redact_object(metadata)
        with tracing.span("artifact", artifact_type=MODULE_ARTIFACT) as span:
            placed = place_json(self.store, cleaned)
            span.set(store="postgres" if placed is None else self.store.name)
        made = new_artifact(
            MODULE_ARTIFACT,
            cleaned if placed is None else {},
            directive_id=self.run.directive_id,
            run_id=self.run.id,
            placed=placed,
        )
        self.artifacts.append(made)
        return made.uri


@dataclass(frozen=True)
class ModuleCaller:
    """The modules of this worker, and what they are handed.

    Attributes:
        engine: the database connection that modules get.
        store: where large evidence of theirs goes.
        observe: told of each run that a module ended; it must return at once and raise nothing.
    """

    registry: ModuleRegistry
    engine: sa.Engine
    store: ObjectStore
    observe: Callable[[EndedRun], None] = unobserved
    underway: Underway = field(default_factory=Underway)

    def limit(self, directive: DirectiveRead) -> timedelta:
        """Return how long the directive's module may take."""
        if directive.timebox is not None:
            return parse_timebox(directive.timebox)
        try:
            return self.registry.get_module(directive.type).default_timeout
        except NotFoundError:
            return BaseExecutionModule.default_timeout

    def call(
        self, directive: DirectiveRead, run: ExecutionRunRead, emit: EmitArtifact
    ) -> ModuleOutput:
        """Call the module of a run that has begun."""
        given = ModuleInput(
            directive_id=directive.id,
            run_id=run.id,
            module=run.module,
            objective=directive.objective,
            scope=directive.scope,
            payload=directive.payload,
            constraints=directive.constraints,
            budget=directive.amount,
            timebox=None if directive.timebox is None else parse_timebox(directive.timebox),
            idempotency_key=run.idempotency_key,
            attempt=run.attempts,
        )
        with tracing.span("module", module_name=run.module, attempt=run.attempts) as span:
            output = self.registry.dispatch_module(given, self.engine, emit)
            span.set(status=output.status.value)
        return output

    def report(self, ended: RunState, emitted: Sequence[NewArtifact], began: float) -> None:
        """Measure and observe a run that its module has ended.

        Of a run that another attempt ends, or that was canceled, others tell: see
        :class:`remit.workflows.activities.dispatch_activities.UncalledRuns`.

        It was called when `time.monotonic` was `began`.
        """
        directive, run = ended.directive, ended.run
        if run is None:
            return
        seconds = time.monotonic() - began
        record_execution(run.module, seconds)
        self.observe(
            EndedRun(
                directive_id=directive.id,
                type=directive.type,
                role=directive.role,
                status=directive.status,
                run_id=run.id,
                module=run.module,
                run_status=run.status,
                attempts=run.attempts,
                seconds=seconds,
                artifacts=tuple(LeftArtifact(one.type, one.digest) for one in emitted),
            )
        )


def too_late(limit: timedelta) -> ModuleOutput:
    """Return the output of a module that overran its limit, whatever it did."""
    message = f"took longer than {limit.total_seconds():g} s"
    return ModuleOutput.error_(message, error_type="timed_out")


@dataclass(frozen=True)
class AuthoritySource:
    """What this worker decides and verifies with; the fields are those of :class:`Authority`."""

    policies: PolicySource
    keys: Callable[[], Keyring]
    patience: timedelta = timedelta(0)
    workers: KnownWorkers = field(default_factory=KnownWorkers)
    _told: set[str] = field(default_factory=set, repr=False)

    def current(self) -> Authority:
        """Return what a decision is made with now.

        Raises:
            UnavailableError: the policy's file, or a key's, is broken just now, or no operator has
                confirmed the policy; nothing runs until it is mended.
        """
        try:
            return Authority(
                self.policies.current(), self.keys(), workers=self.workers, patience=self.patience
            )
        except PolicyUnconfirmedError as error:
            if error.message not in self._told:
                self._told.add(error.message)
                get_logger(__name__).error("policy_unconfirmed", problem=error.message)
            raise
        except InvalidInputError as error:
            raise UnavailableError(f"no policy can be read, so nothing may run: {error}") from error
        except MisconfiguredError as error:
            raise UnavailableError(f"no key can be read, so nothing may run: {error}") from error


def step_of(directive: DirectiveRead, long_module: timedelta | None = None) -> ExecutionStep:
    """Describe where a directive stands, for its workflow."""
    return ExecutionStep(
        status=directive.status,
        status_reason=directive.status_reason,
        long_module_seconds=None if long_module is None else long_module.total_seconds(),
    )


def handed_over(directive: DirectiveRead, route: Route) -> ExecutionStep:
    """Describe what another worker must do, for the workflow of the directive."""
    step = step_of(directive)
    if route.worker_id is None:
        return replace(step, ask_again_seconds=ASK_AGAIN_SECONDS)
    return replace(step, worker_queue=worker_queue(route.worker_id))
