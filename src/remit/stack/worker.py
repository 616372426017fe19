"""Keeps the workers of a stack alive: `remit worker`, and `remit llm-worker` where one is wanted.

A worker waits for `stack.json`, and says that it polls its queues by its `DataDir.worker_ready`.
"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from remit.errors import ConflictError, MisconfiguredError, UnavailableError
from remit.stack.layout import DataDir
from remit.stack.options import StackOptions, WorkerEvent
from remit.stack.processes import ProcessSlot, Roster, last_line

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_REFUSED = 2  # the command line's exit status for "this cannot work as it is"
_START_DEATHS = 3  # so many deaths before it was ever ready mean that it never will be
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 10.0
_STEADY_SECONDS = 5.0  # a worker that polled for so long is given its next start at once


@dataclass(frozen=True)
class WorkerKind:
    """What tells one worker of a stack from the other.

    `command` of `remit` is what it runs; its log and its ready files are named so. `ready` is
    reported each time one polls its queues, `lost` each time one has ended by itself.
    """

    command: str
    title: str
    ready: WorkerEvent
    lost: WorkerEvent


WORKER = WorkerKind("worker", "the worker", "worker", "worker_lost")
"""It carries out what was approved."""

LLM_WORKER = WorkerKind(
    "llm-worker", "the worker for language models", "llm_worker", "llm_worker_lost"
)
"""It asks language models, and never acts."""


def restart_delay_seconds(failures: int) -> float:
    """Return the pause before the next start after so many failures in a row; the first is free."""
    if failures <= 1:
        return 0.0
    # The exponent is bounded too: a power of two with thousands of digits helps nobody.
    return min(_FIRST_DELAY_SECONDS * 2.0 ** min(failures - 2, 16), _LONGEST_DELAY_SECONDS)


def worker_command(
    data: DataDir, settings: Mapping[str, str], kind: WorkerKind = WORKER
) -> tuple[str, ...]:
    """Return the command line of a worker that serves the stack in `data`.

    `settings` are set by `env` on top of the caller's environment, which is not read here.
    """
    return (
        "/usr/bin/env",
        # What the stack stands on is in stack.json, whatever the caller's environment says.
        *("-u", "DATABASE_URL", "-u", "TEMPORAL_ADDRESS"),
        *(f"{name}={value}" for name, value in settings.items()),
        # To `env` an interpreter with = in its path is one more variable; to the shell it is not.
        *("/bin/sh", "-c", 'exec "$0" "$@"'),
        *(sys.executable, "-m", "remit", kind.command, "--wait-for-stack", str(data.path)),
    )


class WorkerProcess:
    """One worker, started again whenever it ends by itself, until `stop`.

    `report` is called from another thread.
    """

    def __init__(
        self,
        data: DataDir,
        argv: Sequence[str],
        roster: Roster,
        report: Callable[[WorkerEvent], None],
        kind: WorkerKind = WORKER,
    ) -> None:
        self._data = data
        self._kind = kind
        self._log = data.log(kind.command)
        self._argv = tuple(argv)
        self._report = report
        self._slot = ProcessSlot(kind.title, roster, signal.SIGTERM, _STOP_SECONDS)
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
        process = self._slot.spawn(self._argv, self._log)
        self._thread = threading.Thread(
            target=self._keep_alive,
            args=(process,),
            name=f"remit-{self._kind.command}-keeper",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """End the worker: SIGTERM, and SIGKILL after ten seconds. Idempotent."""
        self._stopping.set()
        self._slot.stop()
        if self._thread is not None:
            self._thread.join()
        for file in self._data.workers_ready(self._kind.command):
            with contextlib.suppress(OSError):
                file.unlink()

    def kill(self) -> int:
        """Send SIGKILL to the worker, and return its process id; another is started.

        Raises:
            ConflictError: none runs at this moment.
        """
        pid = self.pid
        if pid is None:
            raise ConflictError("no worker is running at this moment: wait until one is ready")
        self._slot.send(signal.SIGKILL)
        return pid

    def wait_ready(self, *, other_than: int | None = None, timeout_seconds: float) -> int:
        """Wait until a worker other than `other_than` polls its queues; return its process id.

        Raises:
            MisconfiguredError: it refuses to start; the message is its own.
            UnavailableError: it does not become ready; the message names its log.
        """
        log, title = self._log, self._kind.title
        deadline = time.monotonic() + timeout_seconds
        while True:
            pid = self.pid
            if pid is not None and pid == self._ready_pid and pid != other_than:
                return pid
            if self._stopping.is_set():
                raise UnavailableError(f"{title} was stopped while it started")
            if self._deaths_unready and self._last_status == _REFUSED:
                said = last_line(log).removeprefix("remit: ")
                raise MisconfiguredError(f"{title} refuses to start: {said}")
            if self._deaths_unready >= _START_DEATHS or time.monotonic() > deadline:
                raise UnavailableError(
                    f"{title} does not become ready: {last_line(log)} (log: {log})"
                )
            time.sleep(_POLL_SECONDS)

    def _ready_file(self, process: subprocess.Popen[bytes]) -> Path:
        return self._data.worker_ready(process.pid, self._kind.command)

    def _keep_alive(self, process: subprocess.Popen[bytes]) -> None:
        """Run in a thread: start another worker whenever one ends, more and more slowly."""
        failures = 0
        running: subprocess.Popen[bytes] | None = process
        while running is not None:
            steady = self._watch(running)
            self._slot.release(running)
            with contextlib.suppress(OSError):
                self._ready_file(running).unlink()
            if self._stopping.is_set():
                return
            self._report(self._kind.lost)
            failures = 1 if steady else failures + 1
            running = self._respawn(failures)

    def _respawn(self, failures: int) -> subprocess.Popen[bytes] | None:
        """Start another worker after the pause that is due; None when stopped meanwhile."""
        while not self._stopping.wait(restart_delay_seconds(failures)):
            try:
                return self._slot.spawn(self._argv, self._log)
            except (UnavailableError, OSError):
                # The machine has no room for a process or its log just now, or we are stopped.
                failures += 1
        return None

    def _watch(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the worker's end; return whether it had been at work for a while."""
        ready_file = self._ready_file(process)
        while process.poll() is None and not ready_file.exists():
            # Not `Event.wait`: a stop must still see the process end.
            time.sleep(_POLL_SECONDS)
        if process.poll() is not None:
            self._deaths_unready += 1
            self._last_status = process.returncode
            return False
        self._deaths_unready = 0
        ready_at = time.monotonic()
        self._report(self._kind.ready)
        self._ready_pid = process.pid
        process.wait()
        return time.monotonic() - ready_at >= _STEADY_SECONDS


class Workers:
    """The workers of one stack, as its options say; either may be None.

    The one for language models is a process of its own, so that the other loads nothing for them.
    """

    def __init__(
        self,
        data: DataDir,
        options: StackOptions,
        roster: Roster,
        report: Callable[[WorkerEvent], None],
    ) -> None:
        self._data = data
        self.worker: WorkerProcess | None = None
        self.llm_worker: WorkerProcess | None = None
        if options.worker:
            argv = options.worker_argv or worker_command(data, worker_settings(data, options))
            self.worker = WorkerProcess(data, argv, roster, report)
        if options.llm_provider is not None:
            argv = options.llm_worker_argv or worker_command(
                data, llm_worker_settings(data, options), LLM_WORKER
            )
            self.llm_worker = WorkerProcess(data, argv, roster, report, LLM_WORKER)
        self._all = [each for each in (self.worker, self.llm_worker) if each is not None]

    def start(self) -> None:
        """Start them, and wait for none; ready files that a killed stack left are removed."""
        for kind in (WORKER, LLM_WORKER):
            for stale in self._data.workers_ready(kind.command):
                stale.unlink(missing_ok=True)
        for each in self._all:
            each.start()

    def wait_ready(self, *, timeout_seconds: float) -> None:
        """Wait until each polls its queues, each so long at most; raises as theirs does."""
        for each in self._all:
            each.wait_ready(timeout_seconds=timeout_seconds)

    def stop(self) -> None:
        """End them at the same time, and wait for it. Idempotent."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            stopping = [pool.submit(each.stop) for each in self._all]
        for each in stopping:
            each.result()


def worker_settings(data: DataDir, options: StackOptions) -> dict[str, str]:
    """Return the variables that `remit worker` gets besides the caller's own."""
    settings = {
        "REMIT_DATA_DIR": str(data.path),
        "REMIT_MODULES": options.modules,
        "TEMPORAL_NAMESPACE": options.temporal_namespace,
    }
    if options.policy_file is not None:
        settings["REMIT_POLICY_FILE"] = str(options.policy_file.absolute())
    return settings


def llm_worker_settings(data: DataDir, options: StackOptions) -> dict[str, str]:
    """Return the variables that `remit llm-worker` gets besides the caller's own."""
    return {
        "REMIT_DATA_DIR": str(data.path),
        "TEMPORAL_NAMESPACE": options.temporal_namespace,
        "LLM_PROVIDER": options.llm_provider or "noop",
    }
