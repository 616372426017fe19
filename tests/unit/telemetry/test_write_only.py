"""Whoever writes telemetry learns nothing from it, so no outcome can depend on it."""

import contextlib
import inspect
import typing
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from remit.telemetry import logging, metrics, tracing
from remit.telemetry.logging import EventLogger
from remit.telemetry.tracing import Span

NOTHING = (type(None), contextlib.AbstractContextManager[Span], EventLogger)
"""What a call may hand back: nothing, or something else to write to."""


def _public(owner: ModuleType | type) -> Iterator[tuple[str, Callable[..., object]]]:
    for name, function in inspect.getmembers(owner, inspect.isfunction):
        own = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
        if not name.startswith("_") and function.__module__ == own:
            yield f"{owner.__name__}.{name}", function


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(function, id=name)
        for owner in (metrics, tracing, logging, Span, EventLogger)
        for name, function in _public(owner)
    ],
)
def test_a_call_hands_back_nothing_that_was_recorded(function: Callable[..., object]) -> None:
    assert typing.get_type_hints(function)["return"] in NOTHING
