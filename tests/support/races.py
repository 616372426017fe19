"""Many threads that act at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from remit.errors import RemitError

T = TypeVar("T")


def at_once(call: Callable[[int], T], times: int = 8) -> list[T]:
    """Call a function in `times` threads, all released at the same moment."""
    barrier = Barrier(times)

    def released(number: int) -> T:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(released, range(times)))


def refused(call: Callable[[int], T]) -> Callable[[int], T | RemitError]:
    """Return a function that returns the error that `call` raises on purpose."""

    def caught(number: int) -> T | RemitError:
        try:
            return call(number)
        except RemitError as error:
            return error

    return caught
