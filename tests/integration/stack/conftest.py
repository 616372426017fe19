"""What the tests of the embedded stack share: real servers, a stub in place of the worker."""

import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from remit.stack.layout import DataDir
from remit.stack.options import StackOptions
from remit.stack.postgres import EmbeddedPostgres
from remit.stack.supervisor import Stack

STUB_WORKER = Path(__file__).with_name("stub_worker.py")

MakeStack = Callable[..., Stack]


def children() -> set[psutil.Process]:
    """Return every process below this one, zombies left out."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                found.add(process)
        except psutil.NoSuchProcess:
            continue
    return found


def left_by(before: set[psutil.Process]) -> set[psutil.Process]:
    """Return the processes that came since, but for helpers of those that were there before.

    The Postgres of other tests runs on, and starts and ends helpers as it likes.
    """
    found = set()
    for process in children() - before:
        try:
            if not set(process.parents()) & before:
                found.add(process)
        except psutil.NoSuchProcess:
            continue
    return found


def own_children() -> set[int]:
    """Return this process's own children: the servers that other tests share stay among them."""
    return {child.pid for child in psutil.Process().children()}


@pytest.fixture
def before() -> set[int]:
    """Return the children that there are before a test starts any."""
    return own_children()


@pytest.fixture
def room() -> Iterator[Path]:
    """Return an empty folder of this test's own.

    Not pytest's: the one above all of those is closed to others by every pytest that starts, also
    while the system user that runs Postgres for root still works below it.
    """
    with tempfile.TemporaryDirectory(prefix="remit-") as folder:
        yield Path(folder)


@pytest.fixture
def data(room: Path) -> DataDir:
    """Return a data directory that does not exist yet."""
    return DataDir(room / "data")


@pytest.fixture
def make_stack(data: DataDir) -> Iterator[MakeStack]:
    """Return a function that makes a stack with a stub worker; what it made is stopped."""
    before = children()
    made = []

    def make(
        on_database_ready: Callable[[str], None] = lambda _: None,
        report: Callable[..., None] = lambda _: None,
        **options: Any,
    ) -> Stack:
        argv = (sys.executable, str(STUB_WORKER), str(data.path))
        stack = Stack(
            data,
            StackOptions(worker_argv=argv, **options),
            report=report,
            on_database_ready=on_database_ready,
        )
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.stop()
    assert left_by(before) == set()


@pytest.fixture
def start() -> Iterator[Callable[[DataDir], EmbeddedPostgres]]:
    """Return a function that starts a Postgres in a data directory; each is stopped."""
    made = []

    def _start(where: DataDir) -> EmbeddedPostgres:
        where.prepare()
        server = EmbeddedPostgres(where)
        made.append(server)
        server.start()
        return server

    yield _start
    for server in made:
        server.stop()


def query(server: EmbeddedPostgres, sql: str, login: str = "remit_app") -> str:
    """Return the one value that a statement answers with."""
    with psycopg.connect(server.url_of(login).replace("+psycopg", "")) as connection:
        row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return str(row[0])


def mode_of(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)
