"""Ends the stack's processes when their supervisor has died without doing so.

A script that :class:`remit.stack.processes.Roster` runs with `-I -S`, so that it is up in a few
milliseconds: it may import nothing but the standard library. Each line of its standard input, a
pipe that only the supervisor holds, says `add PID SIGNAL` or `drop PID`. When the pipe ends, the
supervisor is gone, and what is left is sent its signal, and SIGKILL after the grace. (Linux's
parent-death signal fires when the *thread* that started the child ends.)
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 8.0
"""How long a process may take over its own shutdown."""


def read_orders(lines: Iterable[str]) -> dict[int, int]:
    """Return what is still to be ended after the last line, as process id -> signal."""
    watched: dict[int, int] = {}
    for line in lines:
        match line.split():
            case ["add", pid, number]:
                watched[int(pid)] = int(number)
            case ["drop", pid]:
                watched.pop(int(pid), None)
            case _:
                # A line cut short by the supervisor's death orders nothing.
                continue
    return watched


def send(pid: int, number: int) -> bool:
    """Send a signal (0 only asks); return whether the process was there to receive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
        return True
    return False


def end(watched: dict[int, int], grace_seconds: float) -> None:
    """End every process: its own signal first, SIGKILL when the grace is over."""
    left = [pid for pid, number in watched.items() if send(pid, number)]
    deadline = time.monotonic() + grace_seconds
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if send(pid, 0)]
    for pid in left:
        send(pid, signal.SIGKILL)


def main() -> None:
    """Wait for the supervisor's end, then finish what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What ends the supervisor must not end its guardian first.
        signal.signal(number, signal.SIG_IGN)
    end(read_orders(sys.stdin), GRACE_SECONDS)


if __name__ == "__main__":
    main()
