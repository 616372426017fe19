"""Knowing a process by more than its id, which a stranger may have been given since.

Imported by quick commands through discovery, so it imports almost nothing.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

_KILL_SECONDS = 5.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # on Linux only
_POLL_SECONDS = 0.02


def process_mark(pid: int) -> str | None:
    """Return what tells this process from every other that had or will have its id.

    On Linux the boot and the tick of its start, which no clock adjustment changes; elsewhere its
    start time in seconds. None when no such process runs (a zombie does not run).
    """
    if _BOOT_ID.exists():
        try:
            # The second field, the program's name, may itself hold spaces and parentheses.
            fields = (
                Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
            )
            boot = _BOOT_ID.read_text().strip()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else f"{boot}/{fields[19]}"
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def end_process(pid: int, mark: str, number: signal.Signals, grace_seconds: float) -> bool:
    """End a process that need not be our child; SIGKILL after the grace. Return if it was running.

    Another process with this id, and so another :func:`process_mark`, is left alone.
    """
    if process_mark(pid) != mark:
        return False
    for attempt, seconds in ((number, grace_seconds), (signal.SIGKILL, _KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, attempt)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if process_mark(pid) != mark:
                return True
            time.sleep(_POLL_SECONDS)
    return True
