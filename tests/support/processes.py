"""Looking at processes that come and go: Postgres starts and ends helpers as it likes."""

import contextlib
from collections.abc import Callable, Iterable
from typing import TypeVar

import psutil

T = TypeVar("T")


def seen(
    processes: Iterable[psutil.Process], look: Callable[[psutil.Process], T]
) -> list[tuple[psutil.Process, T]]:
    """Return each process that still lives, with what `look` finds of it."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append((process, look(process)))
    return found
