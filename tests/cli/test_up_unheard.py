"""`remit up` that nobody hears any more: its worker is kept alive, and it ends cleanly."""

import os
import pty
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from remit.cli.base.signals import ending_signals
from tests.cli.conftest import environment, program

SECONDS = 50


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that the system user who runs Postgres for root may enter."""
    with tempfile.TemporaryDirectory(prefix="remit-up-") as name:
        yield Path(name) / "data"


def worker(folder: Path, other_than: int = 0) -> int:
    """Wait for a worker that polls its queues, and return its process id."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for ready in folder.glob("worker.*.ready"):
            pid = int(ready.name.split(".")[1])
            if pid != other_than:
                return pid
        time.sleep(0.05)
    raise AssertionError((folder / "logs" / "worker.log").read_text())


def replaced(folder: Path) -> None:
    """Kill the worker, and wait for another."""
    killed = worker(folder)
    os.kill(killed, signal.SIGKILL)
    assert worker(folder, other_than=killed) != killed


def ended(process: "subprocess.Popen[bytes]", number: signal.Signals) -> int:
    """Ask it to end; return its exit code, once nothing of it is left."""
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    code = process.wait(timeout=SECONDS)
    psutil.wait_procs(below, timeout=10)
    assert [each for each in below if each.is_running()] == []
    return code


def test_the_end_of_a_terminal_asks_to_end_unless_nohup_said_otherwise() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert ending_signals() == [signal.SIGTERM, signal.SIGINT]
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        assert ending_signals() == [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_closed_ends_it_cleanly_and_takes_no_worker(folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program("up", "--data-dir", str(folder)),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm"),
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C stops everything." not in said:
        said += os.read(ours, 65536)
    os.close(ours)
    replaced(folder)
    assert ended(process, signal.SIGHUP) == 0


def test_a_full_disk_takes_no_worker_and_the_exit_code_says_what_was_not_told(
    folder: Path,
) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            ("nohup", *program("up", "--data-dir", str(folder))),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
        )
    replaced(folder)
    process.send_signal(signal.SIGHUP)  # which nohup has it ignore
    replaced(folder)
    assert ended(process, signal.SIGTERM) == 3
    assert process.stderr is not None
    *stopping, last = process.stderr.read().decode().splitlines()
    process.stderr.close()
    assert stopping[-2:] == ["stopping ...", "stopped"]
    assert "could not take the answer (No space left on device)" in last
