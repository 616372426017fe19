"""Keeping one worker process alive.

The supervisor starts it before the servers are up, since its imports take longer than they do: the
command is `remit worker --wait-for-stack DIR`, which waits for `stack.json`. The worker says that
it polls its queues by making `DataDir.worker_ready(its own process id)`.
"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from remit.errors import ConflictError, MisconfiguredError, UnavailableError
from remit.stack.layout import DataDir
from remit.stack.processes import Command, ProcessSlot, Roster, last_line

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_REFUSED = 2  # the command line's exit status for "this cannot work as it is"
_START_DEATHS = 3  # so many deaths before it was ever ready mean that it never will be
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 10.0
_STEADY_SECONDS = 5.0  # a worker that polled for so long is given its next start at once

WorkerEvent = Literal["worker", "worker_lost"]


def restart_delay_seconds(failures: int) -> float:
    """Return the pause before the next start after so many failures in a row; the first is free."""
    if failures <= 1:
        return 0.0
    # The exponent is bounded too: a power of two with thousands of digits helps nobody.
    return min(_FIRST_DELAY_SECONDS * 2.0 ** min(failures - 2, 16), _LONGEST_DELAY_SECONDS)


def worker_command(data: DataDir, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command line of a worker that serves the stack in `data`.

    Args:
        data: the stack's directory.
        settings: variables for its environment; the rest of it is the caller's own. `env` sets
            them, so that the environment need not be read here.
    """
    return (
        "/usr/bin/env",
        # What the stack stands on is in stack.json, whatever the caller's environment says.
        *("-u", "DATABASE_URL", "-u", "TEMPORAL_ADDRESS"),
        *(f"{name}={value}" for name, value in settings.items()),
        *(sys.executable, "-m", "remit", "worker", "--wait-for-stack", str(data.path)),
    )


class WorkerProcess:
    """One worker, started again whenever it ends by itself, until `stop`.

    Args:
        data: the stack's directory.
        argv: its command line.
        roster: where to record it.
        report: told "worker" each time one is ready, "worker_lost" each time one has ended by
            itself; called from another thread.
    """

    def __init__(
        self,
        data: DataDir,
        argv: Sequence[str],
        roster: Roster,
        report: Callable[[WorkerEvent], None],
    ) -> None:
        self._data = data
        self._argv = tuple(argv)
        self._report = report
        self._slot = ProcessSlot("the worker", roster, signal.SIGTERM, _STOP_SECONDS)
        self._stopping = threading.Event()
        self._deaths_unready = 0
        self._last_status: int | None = None
        self._ready_pid: int | None = None
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker that runs now; None between two."""
        return self._slot.pid

    def start(self) -> None:
        """Start the first worker; does not wait until it is ready."""
        process = self._spawn()
        self._thread = threading.Thread(
            target=self._keep_alive, args=(process,), name="remit-worker-keeper", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the worker: SIGTERM, and SIGKILL after ten seconds. Idempotent."""
        self._stopping.set()
        self._slot.stop()
        if self._thread is not None:
            self._thread.join()
        self._clear_ready()

    def kill(self) -> int:
        """Send SIGKILL to the worker, as a crash would; another is started. Return its id.

        Raises:
            ConflictError: none runs at this moment.
        """
        pid = self.pid
        if pid is None:
            raise ConflictError("no worker is running at this moment: wait until one is ready")
        self._slot.send(signal.SIGKILL)
        return pid

    def wait_ready(self, *, other_than: int | None = None, timeout_seconds: float) -> int:
        """Wait until a worker polls its queues; return its process id.

        Args:
            other_than: a worker that does not count: the one that was just killed.
            timeout_seconds: how long to wait.

        Raises:
            MisconfiguredError: it refuses to start; the message is its own.
            UnavailableError: it does not become ready; the message names its log.
        """
        log = self._data.log("worker")
        deadline = time.monotonic() + timeout_seconds
        while True:
            pid = self.pid
            if pid is not None and pid == self._ready_pid and pid != other_than:
                return pid
            if self._stopping.is_set():
                raise UnavailableError("the worker was stopped while it started")
            if self._deaths_unready and self._last_status == _REFUSED:
                raise MisconfiguredError(f"the worker refuses to start: {last_line(log)}")
            if self._deaths_unready >= _START_DEATHS or time.monotonic() > deadline:
                raise UnavailableError(
                    f"the worker does not become ready: {last_line(log)} (log: {log})"
                )
            time.sleep(_POLL_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return self._slot.spawn(Command(self._argv, self._data.log("worker")))

    def _keep_alive(self, process: subprocess.Popen[bytes]) -> None:
        """Run in a thread: start another worker whenever one ends, more and more slowly."""
        failures = 0
        running: subprocess.Popen[bytes] | None = process
        while running is not None:
            steady = self._watch(running)
            self._slot.release(running)
            self._data.worker_ready(running.pid).unlink(missing_ok=True)
            if self._stopping.is_set():
                return
            self._report("worker_lost")
            failures = 1 if steady else failures + 1
            running = self._respawn(failures)

    def _respawn(self, failures: int) -> subprocess.Popen[bytes] | None:
        """Start another worker after the pause that is due; None when stopped meanwhile."""
        while not self._stopping.wait(restart_delay_seconds(failures)):
            try:
                return self._spawn()
            except UnavailableError:
                # The machine has no room for a process at this moment, or we are stopped.
                failures += 1
        return None

    def _watch(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the worker's end; return whether it had been at work for a while."""
        ready_file = self._data.worker_ready(process.pid)
        while process.poll() is None and not ready_file.exists():
            # Not `Event.wait`: a stop must still see the process end.
            time.sleep(_POLL_SECONDS)
        if process.poll() is not None:
            self._deaths_unready += 1
            self._last_status = process.returncode
            return False
        self._deaths_unready = 0
        ready_at = time.monotonic()
        self._report("worker")
        self._ready_pid = process.pid
        process.wait()
        return time.monotonic() - ready_at >= _STEADY_SECONDS

    def _clear_ready(self) -> None:
        for file in self._data.path.glob("worker.*.ready"):
            with contextlib.suppress(OSError):
                file.unlink()
