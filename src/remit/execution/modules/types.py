"""What a module takes and what it gives back: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import JsonValue

from remit.budget.types import in_cents
from remit.errors import InvalidInputError
from remit.vocabulary import ModuleErrorType, ModuleStatus, RunStatus


def run_status_of(status: ModuleStatus) -> RunStatus:
    """Return how a run ends whose module ended with `status`."""
    return "completed" if status is ModuleStatus.SUCCESS else "failed"


@dataclass(frozen=True)
class ModuleInput:
    """All that a module learns of what is asked.

    Attributes:
        module: the directive's `type`.
        scope: where the module may act.
        payload: the module's own input.
        budget: most US dollars to spend; None when nothing may be spent.
        timebox: longest time to take; None means the module's own limit.
        idempotency_key: the same for every attempt at the same effect. A module that acts outside
            Remit hands it on, so that a repeated attempt has no second effect. Never empty.
        attempt: which attempt this is; 1 is the first.

    Raises:
        InvalidInputError: `idempotency_key` is blank or `attempt` is below 1.
    """

    directive_id: UUID
    run_id: UUID
    module: str
    objective: str
    scope: str
    payload: Mapping[str, JsonValue]
    constraints: Mapping[str, JsonValue] | None
    budget: Decimal | None
    timebox: timedelta | None
    idempotency_key: str
    attempt: int

    def __post_init__(self) -> None:
        """Refuse an input under which a repeated attempt could not be told from a first one."""
        if not self.idempotency_key.strip():
            raise InvalidInputError(
                "empty: every module call needs the key of its effect", field="idempotency_key"
            )
        if self.attempt < 1:
            raise InvalidInputError("must be at least 1, the first attempt", field="attempt")


@dataclass(frozen=True)
class ModuleError:
    """Why a module did not succeed.

    Attributes:
        message: what happened, in one line for a person.
        retryable: whether the same call may succeed later.
    """

    error_type: ModuleErrorType
    message: str
    retryable: bool = False


_TRILLION = Decimal(10) ** 12


@dataclass(frozen=True)
class ModuleOutput:
    """How a module ended and what it leaves.

    Attributes:
        result: what it has to report, as a JSON object; None when it has nothing to.
        error: why it did not succeed; None exactly when it did.
        cost: what it spent, in US dollars; None when it does not say, which counts as its whole
            budget when it succeeded and as nothing when it did not.

    Raises:
        InvalidInputError: a success has an error, or anything else has none; or the cost is no
            amount of whole cents.
    """

    status: ModuleStatus
    result: dict[str, JsonValue] | None
    error: ModuleError | None
    cost: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse an outcome that contradicts itself."""
        if (self.status is ModuleStatus.SUCCESS) != (self.error is None):
            needed = "no" if self.error else "an"
            raise InvalidInputError(
                f"an outcome of status {self.status} must have {needed} error", field="error"
            )
        cost: object = self.cost
        if cost is not None and not (
            isinstance(cost, Decimal)
            and cost.is_finite()
            and 0 <= cost < _TRILLION
            and cost == in_cents(cost)
        ):
            raise InvalidInputError(
                "must be a Decimal of whole cents, from 0 to below a trillion", field="cost"
            )

    @classmethod
    def success(
        cls, result: dict[str, JsonValue] | None = None, *, cost: Decimal | None = None
    ) -> Self:
        """Return the outcome of a module that did what was asked."""
        return cls(ModuleStatus.SUCCESS, result, None, cost)

    @classmethod
    def failure(
        cls,
        message: str,
        *,
        result: dict[str, JsonValue] | None = None,
        retryable: bool = False,
        cost: Decimal | None = None,
    ) -> Self:
        """Return the outcome of a module that could not do it and knows why."""
        error = ModuleError("module_failed", message, retryable)
        return cls(ModuleStatus.FAILURE, result, error, cost)

    @classmethod
    def error_(
        cls,
        message: str,
        *,
        error_type: ModuleErrorType = "module_error",
        retryable: bool = False,
    ) -> Self:
        """Return the outcome of a module that broke or could not be called."""
        return cls(ModuleStatus.ERROR, None, ModuleError(error_type, message, retryable))
