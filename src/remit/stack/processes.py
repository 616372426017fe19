"""Starting, recording and ending the stack's processes.

What a supervisor killed with SIGKILL leaves behind, the :mod:`remit.stack.guardian` ends within
moments, else the next start on the same data directory, which reads `processes.json`.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from remit.errors import UnavailableError
from remit.stack import guardian
from remit.stack.layout import write_private
from remit.stack.process_identity import end_process, process_mark

_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_RECENT_LINES = 12
_REASON = re.compile(r"FATAL|PANIC|\berror: |\bcould not ")


def last_line(path: Path) -> str:
    """Return the last line of a log that gives a reason, else the last, for an error message."""
    with contextlib.suppress(OSError):
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
        reasons = [line for line in lines[-_RECENT_LINES:] if _REASON.search(line)]
        return (reasons or lines or [""])[-1].strip()[:300]
    return ""


class Roster:
    """Which processes run, kept where it survives this process: on disk and with the guardian.

    Thread-safe. A supervisor uses one while it holds the directory's lock.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: dict[int, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._guardian: subprocess.Popen[str] | None = None

    def end_leftovers(self, grace_seconds: float = guardian.GRACE_SECONDS) -> list[int]:
        """End what an earlier supervisor recorded and left running; return the process ids.

        Asked first, all of them, before any is waited for.
        """
        try:
            entries = json.loads(self._file.read_text())
            known = [(int(e["pid"]), str(e["mark"]), int(e["signal"])) for e in entries]
        except (OSError, ValueError, TypeError, KeyError):
            known = []
        for pid, mark, number in known:
            if process_mark(pid) == mark:
                guardian.send(pid, number)
        ended = [
            pid
            for pid, mark, number in known
            if end_process(pid, mark, signal.Signals(number), grace_seconds)
        ]
        self._file.unlink(missing_ok=True)
        return ended

    def open(self) -> Self:
        """Start the guardian."""
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            # Its own session: a Ctrl-C meant for the supervisor must not reach it.
            start_new_session=True,
            cwd="/",
        )
        return self

    def close(self) -> None:
        """Send the guardian home; it ends whatever was added and not dropped."""
        with self._lock:
            child, self._guardian = self._guardian, None
        if child is None:
            return
        with contextlib.suppress(BrokenPipeError):
            child.communicate()
        self._file.unlink(missing_ok=True)

    @property
    def guardian_pid(self) -> int | None:
        """Process id of the guardian; None before `open` and after `close`."""
        return self._guardian.pid if self._guardian else None

    def add(self, pid: int, number: signal.Signals) -> None:
        """Record a process, and the signal that asks it to end."""
        mark = process_mark(pid)
        with self._lock:
            if mark is not None:
                self._entries[pid] = (mark, number)
            self._tell(f"add {pid} {int(number)}")

    def drop(self, pid: int) -> None:
        """Forget a process that has ended."""
        with self._lock:
            self._entries.pop(pid, None)
            self._tell(f"drop {pid}")

    def _tell(self, order: str) -> None:
        entries = [{"pid": p, "mark": m, "signal": s} for p, (m, s) in self._entries.items()]
        # A full disk is no reason to fail either: the guardian knows what the file would say.
        with contextlib.suppress(OSError):
            write_private(self._file, json.dumps(entries))
        if self._guardian is not None and self._guardian.stdin is not None:
            # A guardian that was killed is no reason to fail: the file stands in for it.
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.write(order + "\n")
                self._guardian.stdin.flush()


class ProcessSlot:
    """A place for one child process at a time; once stopped it takes no other. Thread-safe."""

    def __init__(
        self, name: str, roster: Roster | None, number: signal.Signals, grace_seconds: float
    ) -> None:
        self.name = name
        self._roster = roster
        self._signal = number
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    @property
    def pid(self) -> int | None:
        """Process id of the running child; None when none runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def spawn(
        self,
        argv: tuple[str, ...],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        owner: tuple[int, int] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a child in its own session, as the user and the group `owner`, else as ourselves.

        Raises:
            UnavailableError: the slot was stopped, or the program cannot be started.
        """
        user, group = owner or (None, None)
        with self._lock:
            if self.stopped:
                raise UnavailableError(f"{self.name} was stopped while it started")
            with os.fdopen(os.open(log, _APPENDING, 0o600), "wb") as output:
                try:
                    process = self._process = subprocess.Popen(
                        argv,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=env,
                        cwd=cwd,
                        user=user,
                        group=group,
                        extra_groups=None if user is None else [],
                        umask=0o077,
                        # Ctrl-C at the terminal is the supervisor's to hand on, in order.
                        start_new_session=True,
                    )
                except OSError as error:
                    message = f"{self.name} cannot be started: {argv[0]}: {error.strerror}"
                    raise UnavailableError(message) from error
            if self._roster is not None:
                self._roster.add(process.pid, self._signal)
            return process

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the child, if one runs."""
        process = self._process
        if process is not None:
            process.send_signal(number)

    def release(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a child that has ended by itself."""
        if self._roster is not None:
            self._roster.drop(process.pid)

    def stop(self) -> None:
        """End the child, by SIGKILL after the grace, and take no other. Idempotent."""
        with self._lock:
            self.stopped = True
            process, self._process = self._process, None
            if process is None:
                return
            process.send_signal(self._signal)
            try:
                process.wait(self._grace_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.release(process)
