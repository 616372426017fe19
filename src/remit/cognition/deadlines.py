"""Waits for a call no longer than is allowed, whatever it is doing.

A connection bounds each of its steps, but neither the look-up of a name nor an answer whose first
line drips. Providers whose calls must end in time ask through here.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """Return what a call returns, or raise what it raises.

    A call that is late is left to itself, in a thread that keeps no process alive; its own bounds
    end it.

    Args:
        seconds: how long it may take.
        call: runs in a thread of its own, with the caller's context variables.

    Raises:
        TimeoutError: it took longer.
    """
    outcome: Future[_T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            outcome.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - raised again, where it is waited for
            outcome.set_exception(error)

    Thread(target=run, name="within-deadline", daemon=True).start()
    return outcome.result(timeout=seconds)
