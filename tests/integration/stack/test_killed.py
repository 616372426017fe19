"""A supervisor killed with SIGKILL: nothing outlives it, and nothing is lost."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from remit.stack.discovery import find_stack
from remit.stack.layout import DataDir
from remit.stack.supervisor import Stack
from tests.support.processes import seen

HERE = Path(__file__).parent


@pytest.fixture
def supervisor(data: DataDir) -> Iterator[psutil.Popen]:
    """Return a supervisor of its own process, whose stack is up."""
    script, stub = str(HERE / "supervise.py"), str(HERE / "stub_worker.py")
    argv = [sys.executable, script, str(data.path), stub]
    with psutil.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        yield process
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def kill(process: psutil.Process) -> None:
    process.kill()
    process.wait()


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a zombie that nobody reaps does not."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def names(family: Iterable[psutil.Process]) -> set[str]:
    return {name for _, name in seen(family, psutil.Process.name)}


def workers_of(family: Iterable[psutil.Process]) -> set[str]:
    """Return the last word of the command line of each stub of a worker."""
    commands = seen(family, psutil.Process.cmdline)
    return {words[-1] for _, words in commands if str(HERE / "stub_worker.py") in words}


def guardian_of(family: Iterable[psutil.Process]) -> psutil.Process:
    commands = seen(family, psutil.Process.cmdline)
    return next(each for each, words in commands if "guardian.py" in " ".join(words))


def test_nothing_outlives_a_killed_supervisor_and_nothing_is_lost(
    supervisor: psutil.Popen, data: DataDir, make_stack: Callable[..., Stack]
) -> None:
    info = find_stack(data.path)
    assert info is not None
    url = str(info.owner_database_url).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    family = supervisor.children(recursive=True)
    assert {"postgres", "temporal"} <= names(family)
    assert workers_of(family) == {str(data.path), "llm-worker"}

    kill(supervisor)

    assert find_stack(data.path) is None
    deadline = time.monotonic() + 10
    while running(family) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(family) == []
    with make_stack(worker=False), psycopg.connect(url) as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)


def test_the_next_start_cleans_up_when_the_guardian_was_killed_as_well(
    supervisor: psutil.Popen, data: DataDir, make_stack: Callable[..., Stack]
) -> None:
    family = supervisor.children(recursive=True)
    guardian_of(family).kill()
    kill(supervisor)
    time.sleep(0.3)
    assert {"postgres", "temporal"} <= names(running(family))

    with make_stack() as stack:
        assert running(family) == []
        assert stack.failure() is None


def test_the_next_start_ends_a_postgres_that_nobody_recorded(
    supervisor: psutil.Popen, data: DataDir, make_stack: Callable[..., Stack]
) -> None:
    family = supervisor.children(recursive=True)
    guardian_of(family).kill()
    kill(supervisor)
    for each, name in seen(running(family), psutil.Process.name):
        if name not in {"postgres", "guardian.py"}:
            each.kill()
    data.processes_file.unlink()

    with make_stack(worker=False) as stack:
        assert running(family) == []
        assert stack.failure() is None
