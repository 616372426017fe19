"""The real servers, once a run: Postgres and Temporal on this machine, started when first needed.

A pytest plugin. Every module of tests gets a database of its own (`database_url`, `engine`), copied
from a migrated template in some hundredths of a second, and a Temporal namespace of its own
(`client`), so that no test sees what another left behind and any number of workers may follow one
another under the fixed names of the task queues.

Tests connect as the services do, as `remit_app`; `role_url` gives another login's address. What
only a forger could bring about is brought about as the superuser, past triggers that the test
disables by name.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.stack.layout import DataDir
from remit.stack.postgres import SUPERUSER, EmbeddedPostgres
from remit.stack.temporal import EmbeddedTemporal
from tests.support.keys import INSTALLATION
from tests.support.people import settle

TEMPLATE = "remit_template"
"""The migrated database that every test database is a copy of."""

MakeDatabase = Callable[[], str]
"""Makes an empty, migrated database and returns its address."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - only as the place of a temporary folder
_ROOM_BYTES = 8 * 2**30  # several times what a run has taken

# A crash of the machine may cost a test database; nothing is lost by it, and much time is won. A
# run makes hundreds of databases, and a worker of autovacuum would start for each every minute.
_UNSAFE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off")


@dataclass
class Servers:
    """Both servers; each is started at most once, in a thread, so that both start at once."""

    folder: Path
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    _postgres: Future[EmbeddedPostgres] | None = None
    _temporal: Future[EmbeddedTemporal] | None = None

    def postgres(self) -> Future[EmbeddedPostgres]:
        """Return the Postgres that runs, or is about to."""
        if self._postgres is None:
            self._postgres = self.threads.submit(self._start_postgres)
        return self._postgres

    def temporal(self) -> Future[EmbeddedTemporal]:
        """Return the Temporal that runs, or is about to."""
        if self._temporal is None:
            self._temporal = self.threads.submit(self._start_temporal)
        return self._temporal

    def stop(self) -> None:
        """End what was started."""
        stopping = [
            self.threads.submit(server.result().stop)
            for server in (self._temporal, self._postgres)
            if server is not None and server.exception() is None
        ]
        self.threads.shutdown()
        for each in stopping:
            each.result()

    def _start_postgres(self) -> EmbeddedPostgres:
        server = EmbeddedPostgres(self._data("postgres"))
        url = server.start()
        unsafe = (f"ALTER SYSTEM SET {each}" for each in _UNSAFE)
        execute(server.url_of(SUPERUSER), *unsafe, "SELECT pg_reload_conf()")
        owner_url = make_blank(server, TEMPLATE)
        migrate.upgrade(owner_url)
        execute(
            owner_url,
            "ALTER TABLE installation DISABLE TRIGGER USER",
            f"UPDATE installation SET id = '{INSTALLATION.id}', since = '2000-01-01'",  # noqa: S608
            "ALTER TABLE installation ENABLE ALWAYS TRIGGER remit_installation_unchanged",
            "ALTER TABLE installation ENABLE ALWAYS TRIGGER remit_installation_kept",
        )
        settle(renamed(url, TEMPLATE))
        return server

    def _start_temporal(self) -> EmbeddedTemporal:
        server = EmbeddedTemporal(self._data("temporal"))
        server.start()
        return server

    def _data(self, name: str) -> DataDir:
        data = DataDir(self.folder / name)
        data.prepare()
        return data


def _in_memory() -> Path | None:
    """Return a folder in memory with room for both servers; None: there is none, so on the disk.

    A test's database lives for a second, and to write its hundreds of files to a disk takes longer
    than most tests.
    """
    try:
        room = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    except OSError:
        return None
    return _MEMORY if room >= _ROOM_BYTES else None


def make_blank(server: EmbeddedPostgres, name: str) -> str:
    """Make a database as an installation would hand it to Remit; return its owner's address."""
    url = server.url_of(SUPERUSER)
    execute(url, f"CREATE DATABASE {name} OWNER remit_owner")
    execute(renamed(url, name), "CREATE EXTENSION vector")
    return renamed(server.owner_database_url, name)


def execute(database_url: str, *statements: str) -> None:
    """Execute statements that run outside any transaction."""
    address = database_url.replace("+psycopg", "")
    with contextlib.closing(psycopg.connect(address, autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def renamed(database_url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))


def as_login(database_url: str, login: str) -> str:
    """Return the address of the same database for another login."""
    return urlunsplit(urlsplit(database_url)._replace(netloc=f"{login}@"))


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """Return both servers, and begin to start those that any test of this run asks for."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    # Not pytest's own folder: the system user that runs Postgres for root may not enter it.
    with tempfile.TemporaryDirectory(prefix="remit-tests-", dir=_in_memory()) as folder:
        servers = Servers(Path(folder))
        try:
            if "temporal_server" in wanted:
                servers.temporal()
            if "postgres_server" in wanted:
                servers.postgres()
            yield servers
        finally:
            servers.stop()


@pytest.fixture(scope="session")
def postgres_server(servers: Servers) -> EmbeddedPostgres:
    """Return the Postgres of this run."""
    return servers.postgres().result()


@pytest.fixture(scope="session")
def temporal_server(servers: Servers) -> EmbeddedTemporal:
    """Return the Temporal of this run."""
    return servers.temporal().result()


@pytest.fixture(scope="session")
def temporal_address(temporal_server: EmbeddedTemporal) -> str:
    """Return where Temporal's front end listens."""
    assert temporal_server.address is not None
    return temporal_server.address


@pytest.fixture(scope="session")
def make_database(postgres_server: EmbeddedPostgres) -> MakeDatabase:
    """Return a function that makes an empty, migrated database, and tells the services' address."""
    numbers = count(1)

    def make() -> str:
        name = f"remit_{next(numbers)}"
        execute(
            postgres_server.url_of(SUPERUSER),
            # In memory, copying the files takes half of what logging each page does.
            f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER remit_owner STRATEGY FILE_COPY",
        )
        return renamed(postgres_server.database_url, name)

    return make


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase) -> str:
    """Return the address of this module's database, for the services."""
    return make_database()


@pytest.fixture(scope="module")
def role_url(database_url: str) -> Callable[[str], str]:
    """Return a function that tells the address of this module's database for another login."""
    return partial(as_login, database_url)


@pytest.fixture(scope="module")
def owner_url(database_url: str) -> str:
    """Return the address of this module's database, for whoever migrates it."""
    return as_login(database_url, "remit_owner")


@pytest.fixture(scope="module")
def superuser_url(database_url: str) -> str:
    """Return the address of this module's database, for whom nothing is refused a right."""
    return as_login(database_url, SUPERUSER)


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Return an engine on this module's database, with room for many threads."""
    engine = create_database_engine(database_url, application_name="tests", pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture
def own_database_url(
    make_database: MakeDatabase, postgres_server: EmbeddedPostgres
) -> Iterator[str]:
    """Return the address of a database of this one test, for the services.

    It is dropped after the test: a run makes hundreds of them, and would fill gigabytes.
    """
    url = make_database()
    yield url
    name = urlsplit(url).path.removeprefix("/")
    execute(postgres_server.url_of(SUPERUSER), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_engine(own_database_url: str) -> Iterator[sa.Engine]:
    """Return an engine on a database of this one test, for what counts or lists everything."""
    engine = create_database_engine(own_database_url, application_name="tests", pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def namespace_names() -> Iterator[str]:
    """Return names that no namespace has yet."""
    return (f"tests-{number}" for number in count(1))


@pytest.fixture(scope="module")
async def client(temporal_address: str, namespace_names: Iterator[str]) -> Client:
    """Return a Temporal client of this module's own namespace."""
    return await connect_fresh(temporal_address, next(namespace_names))


async def connect_fresh(temporal_address: str, namespace: str) -> Client:
    """Make a namespace and return a client of it."""
    client = await Client.connect(temporal_address, namespace=namespace)
    retention = Duration()
    retention.FromTimedelta(timedelta(days=1))
    request = RegisterNamespaceRequest(
        namespace=namespace, workflow_execution_retention_period=retention
    )
    await client.workflow_service.register_namespace(request)
    return client
