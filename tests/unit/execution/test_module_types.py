"""A module's input and output cannot contradict themselves."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from remit.errors import InvalidInputError
from remit.execution.modules.base import BaseExecutionModule
from remit.execution.modules.types import ModuleError, ModuleInput, ModuleOutput, run_status_of
from remit.vocabulary import ModuleStatus


def module_input(**changes: Any) -> ModuleInput:
    """Return an input, with changes."""
    fields = {
        "directive_id": uuid4(),
        "run_id": uuid4(),
        "module": "echo",
        "objective": "Say hello.",
        "scope": "test",
        "payload": {},
        "constraints": None,
        "budget": None,
        "timebox": None,
        "idempotency_key": "key",
        "attempt": 1,
    }
    return ModuleInput(**{**fields, **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"idempotency_key": ""},
            ("idempotency_key: empty: every module call needs the key of its effect"),
        ),
        (
            {"idempotency_key": " \n"},
            ("idempotency_key: empty: every module call needs the key of its effect"),
        ),
        ({"attempt": 0}, "attempt: must be at least 1, the first attempt"),
    ],
    ids=str,
)
def test_an_input_without_key_or_attempt_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        module_input(**change)
    assert str(caught.value) == message


def test_each_outcome_has_its_own_maker() -> None:
    assert ModuleOutput.success({"a": 1}) == ModuleOutput(ModuleStatus.SUCCESS, {"a": 1}, None)
    assert ModuleOutput.success() == ModuleOutput(ModuleStatus.SUCCESS, None, None)
    assert ModuleOutput.failure("no", result={"tried": 3}) == ModuleOutput(
        ModuleStatus.FAILURE, {"tried": 3}, ModuleError("module_failed", "no")
    )
    assert ModuleOutput.failure("later", retryable=True).error == ModuleError(
        "module_failed", "later", retryable=True
    )
    assert ModuleOutput.error_("broke") == ModuleOutput(
        ModuleStatus.ERROR, None, ModuleError("module_error", "broke")
    )
    assert ModuleOutput.error_("slow", error_type="timed_out", retryable=True).error == (
        ModuleError("timed_out", "slow", retryable=True)
    )


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (
            ModuleStatus.SUCCESS,
            ModuleError("module_error", "x"),
            "an outcome of status success must have no error",
        ),
        (ModuleStatus.FAILURE, None, "an outcome of status failure must have an error"),
        (ModuleStatus.ERROR, None, "an outcome of status error must have an error"),
    ],
)
def test_an_outcome_that_contradicts_itself_is_refused(
    status: ModuleStatus, error: ModuleError | None, message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        ModuleOutput(status, None, error)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ModuleStatus.SUCCESS, "completed"),
        (ModuleStatus.FAILURE, "failed"),
        (ModuleStatus.ERROR, "failed"),
    ],
)
def test_each_outcome_ends_a_run(status: ModuleStatus, expected: str) -> None:
    assert run_status_of(status) == expected


@pytest.mark.parametrize(
    ("budget", "cost", "expected"),
    [
        ("5", "0", True),
        ("5", "5.00", True),
        ("5", "5.01", False),
        ("5", "-1", False),
        ("5", "NaN", False),
        ("5", "Infinity", False),
        (None, "0", True),
        (None, "0.01", False),
    ],
)
def test_a_module_may_spend_up_to_its_budget_and_nothing_without_one(
    budget: str | None, cost: str, *, expected: bool
) -> None:
    given = module_input(budget=None if budget is None else Decimal(budget))
    assert BaseExecutionModule.within_budget(given, Decimal(cost)) is expected
