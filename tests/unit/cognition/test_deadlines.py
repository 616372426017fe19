"""No call keeps its caller waiting longer than is allowed."""

from contextvars import ContextVar
from threading import Event

import pytest

from remit.cognition.sdk import within


def test_a_call_in_time_returns_what_it_returns() -> None:
    assert within(30, lambda: 7) == 7


def test_a_call_in_time_raises_what_it_raises() -> None:
    def fail() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        within(30, fail)


def test_a_call_that_is_late_is_left() -> None:
    released = Event()
    with pytest.raises(TimeoutError):
        within(0.05, lambda: released.wait(30))
    released.set()


def test_a_call_sees_the_variables_of_its_caller() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    variable.set("the caller's")
    assert within(30, variable.get) == "the caller's"
