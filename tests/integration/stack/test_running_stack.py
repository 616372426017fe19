"""What can be seen of a stack while it runs; one stack serves all tests of this file."""

import contextlib
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from remit.errors import ConflictError
from remit.stack.discovery import find_stack
from remit.stack.layout import DataDir
from remit.stack.options import StackOptions
from remit.stack.supervisor import Stack
from tests.support.processes import seen

STUB_WORKER = Path(__file__).with_name("stub_worker.py")


@pytest.fixture(scope="module")
def answers() -> list[tuple[str, object]]:
    """Return what the database hook saw: the URL, and what the database answered."""
    return []


@pytest.fixture(scope="module")
def stack(answers: list[tuple[str, object]]) -> Iterator[Stack]:
    def ask(url: str) -> None:
        with contextlib.closing(psycopg.connect(url.replace("+psycopg", ""))) as connection:
            answers.append((url, connection.execute("SELECT current_database()").fetchone()))

    with tempfile.TemporaryDirectory(prefix="remit-") as folder:
        data = DataDir(Path(folder) / "data")
        options = StackOptions(
            worker_argv=(sys.executable, str(STUB_WORKER), str(data.path)),
            temporal_namespace="mine",
        )
        with Stack(data, options, on_database_ready=ask) as stack:
            yield stack


def sockets() -> list[tuple[psutil.Process, Any]]:
    """Return the internet sockets of every process below this one."""
    family = psutil.Process().children(recursive=True)
    return seen(family, lambda process: process.net_connections("inet"))


def test_every_listener_of_the_stack_is_on_loopback(stack: Stack) -> None:
    time.sleep(0.5)  # whatever is opened late is seen as well
    listening = {
        connection.laddr
        for _, connections in sockets()
        for connection in connections
        if connection.status in {psutil.CONN_LISTEN, psutil.CONN_NONE}
    }
    assert stack.info is not None
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert stack.info.temporal_address in {f"127.0.0.1:{address.port}" for address in listening}


def test_nothing_of_the_stack_talks_to_another_machine(stack: Stack) -> None:
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        for _, connections in sockets():
            for connection in connections:
                # An address of two parts, or nothing where there is no peer.
                assert connection.raddr[:1] in {(), ("127.0.0.1",)}
        time.sleep(0.1)


def test_what_the_stack_writes_is_private(stack: Stack) -> None:
    data = stack.data
    assert not data.path.stat().st_mode & 0o067
    private = (data.stack_file, data.processes_file, data.temporal_db, data.logs, data.postgres)
    for file in (*private, *data.logs.iterdir()):
        assert not file.stat().st_mode & 0o077, file


def test_the_published_state_says_what_runs(stack: Stack) -> None:
    written = json.loads(stack.data.stack_file.read_text())
    host, port = written["temporal_ui"].removeprefix("http://").split(":")
    socket.create_connection((host, int(port))).close()
    assert written["layout"] == 1
    assert written["pid"] == os.getpid()
    assert {"layout", "postgres", "temporal"} <= set(written["versions"])


def test_a_second_stack_on_the_same_directory_is_refused_and_harms_nothing(stack: Stack) -> None:
    with pytest.raises(ConflictError) as caught:
        Stack(stack.data).start()
    assert str(caught.value) == (
        f"a stack is already running (pid {os.getpid()}) in {stack.data.path}: use it, stop it "
        "with Ctrl-C or SIGTERM, or name another directory with --data-dir"
    )
    assert stack.failure() is None
    assert find_stack(stack.data.path) == stack.info


def test_a_stack_is_not_started_twice(stack: Stack) -> None:
    with pytest.raises(ConflictError, match="this stack was started before: make another"):
        stack.start()
    assert stack.failure() is None
    assert find_stack(stack.data.path) == stack.info


def test_the_database_hook_is_called_once_with_the_owner_s_database_that_answers(
    stack: Stack, answers: list[tuple[str, object]]
) -> None:
    assert stack.info is not None
    assert answers == [(stack.info.owner_database_url, ("remit",))]
