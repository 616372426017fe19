"""The stack as a whole, on real servers; `test_stack_workers` looks at its workers."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import sqlalchemy
from temporalio.client import Client

from remit.errors import MisconfiguredError, UnavailableError
from remit.settings import Settings
from remit.stack.discovery import find_stack, resolve_services
from remit.stack.layout import DataDir
from remit.stack.options import StackEvent, StackOptions
from remit.stack.supervisor import Stack
from tests.integration.stack.conftest import own_children

MakeStack = Callable[..., Stack]

# Stand in for a server that a test does not need, so that it is not started.
NO_DATABASE: dict[str, Any] = {"database_url": "postgresql://nobody@127.0.0.1:1/none"}
NO_TEMPORAL: dict[str, Any] = {"temporal_address": "127.0.0.1:1"}
NO_SERVERS: dict[str, Any] = NO_DATABASE | NO_TEMPORAL


def execute(database_url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements over the published URL; return the rows of the last."""
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
    rows: list[tuple[Any, ...]] = []
    with engine.begin() as connection:
        for each in statements:
            result = connection.execute(sqlalchemy.text(each))
            rows = [tuple(row) for row in result] if result.returns_rows else []
    return rows


def assert_refused(address: str) -> None:
    host, port = address.rsplit(":", 1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port))).close()


async def test_a_stack_starts_is_found_and_stops_leaving_nothing(
    make_stack: MakeStack, data: DataDir, before: set[int]
) -> None:
    events: list[StackEvent] = []
    stack = make_stack(report=events.append)
    info = stack.start()

    assert find_stack(data.path) == info
    services = resolve_services(
        Settings.model_construct(
            database_url=None,
            temporal_address=None,
            temporal_namespace="default",
            remit_data_dir=data.path,
        )
    )
    assert execute(services.database_url, "SELECT current_database()") == [("remit",)]
    assert await (await Client.connect(services.temporal_address)).service_client.check_health()
    assert data.log("worker").read_text() == f"{info.temporal_address}\n"
    assert {event.name for event in events} == {
        "postgres",
        "database",
        "temporal",
        "worker",
        "stack",
    }
    assert events[-1].name == "stack"
    assert [event.seconds for event in events] == sorted(event.seconds for event in events)
    assert stack.failure() is None

    stack.stop()
    stack.stop()

    assert own_children() == before
    assert find_stack(data.path) is None
    assert_refused(info.temporal_address)
    assert not (data.postgres / ".s.PGSQL.5432").exists()
    left = {entry.name for entry in data.path.iterdir()} - {"temporal.db-shm", "temporal.db-wal"}
    assert left == {"VERSION", "lock", "logs", "postgres", "temporal.db"}
    assert stack.failure() is None


async def test_what_was_stored_survives_a_restart(make_stack: MakeStack) -> None:
    with make_stack(worker=False) as first:
        assert first.info is not None
        execute(
            str(first.info.owner_database_url),
            "CREATE TABLE kept (v vector(2))",
            "INSERT INTO kept VALUES ('[1,2]')",
        )
        client = await Client.connect(first.info.temporal_address)
        await client.start_workflow("Nobody", id="kept", task_queue="nobody-polls")
    with make_stack(worker=False) as second:
        assert second.info is not None
        owner_url = str(second.info.owner_database_url)
        assert execute(owner_url, "SELECT v::text FROM kept") == [("[1,2]",)]
        client = await Client.connect(second.info.temporal_address)
        description = await client.get_workflow_handle("kept").describe()
        assert description.workflow_type == "Nobody"


@pytest.mark.parametrize(
    ("option", "flag"),
    [("temporal_port", "--temporal-port"), ("temporal_ui_port", "--temporal-ui-port")],
)
def test_a_port_in_use_is_named_with_its_option(
    make_stack: MakeStack, option: str, flag: str, before: set[int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MisconfiguredError) as caught:
            make_stack(**{option: port}, **NO_DATABASE).start()
    assert str(caught.value) == (
        f"port {port} of 127.0.0.1 cannot be used (Address already in use): free it, or choose "
        f"another with {flag}"
    )
    assert own_children() == before


def test_given_ports_are_used(make_stack: MakeStack) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        port, ui_port = one.getsockname()[1], two.getsockname()[1]
    with make_stack(
        temporal_port=port, temporal_ui_port=ui_port, worker=False, **NO_DATABASE
    ) as stack:
        assert stack.info is not None
        assert stack.info.temporal_address == f"127.0.0.1:{port}"
        assert stack.info.temporal_ui == f"http://127.0.0.1:{ui_port}"


def test_a_directory_of_another_version_is_refused_before_anything_starts(
    make_stack: MakeStack, data: DataDir
) -> None:
    data.path.mkdir()
    data.version_file.write_text("2\n")
    with pytest.raises(MisconfiguredError, match="has layout version '2', this Remit needs 1"):
        make_stack().start()
    assert [entry.name for entry in data.path.iterdir()] == ["VERSION"]


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.6])
def test_a_stop_during_the_start_ends_it_and_leaves_nothing(
    make_stack: MakeStack, data: DataDir, delay: float, before: set[int]
) -> None:
    stack = make_stack(on_database_ready=lambda _: time.sleep(1.5))
    stopping = threading.Timer(delay, stack.stop)
    stopping.start()
    with pytest.raises(UnavailableError, match="was stopped while it started"):
        stack.start()
    stopping.join()
    assert own_children() == before
    assert not data.stack_file.exists()
    with make_stack(worker=False, **NO_TEMPORAL) as again:
        assert again.failure() is None


@pytest.mark.parametrize(
    ("error", "services"),
    [(RuntimeError("no migration"), {}), (KeyboardInterrupt(), NO_SERVERS)],
    ids=["a failed migration", "an interrupt"],
)
def test_a_start_that_fails_half_way_leaves_nothing(
    make_stack: MakeStack,
    data: DataDir,
    error: BaseException,
    services: dict[str, Any],
    before: set[int],
) -> None:
    def fail(_: str) -> None:
        raise error

    with pytest.raises(type(error)):
        make_stack(on_database_ready=fail, **services).start()
    assert own_children() == before
    assert not data.stack_file.exists()
    assert not data.processes_file.exists()


@pytest.mark.parametrize(
    ("server", "name", "others"),
    [("_postgres", "Postgres", NO_TEMPORAL), ("_temporal", "Temporal", NO_DATABASE)],
)
def test_a_server_that_ends_by_itself_is_reported_and_starts_again(
    make_stack: MakeStack, data: DataDir, server: str, name: str, others: dict[str, Any]
) -> None:
    with make_stack(worker=False, **others) as stack:
        psutil.Process(getattr(stack, server).pid).kill()
        deadline = time.monotonic() + 5
        while stack.failure() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert stack.failure() == f"{name} has ended by itself (log: {data.log(name.lower())})"
    with make_stack(worker=False, **others) as again:
        assert again.failure() is None


def test_services_of_one_s_own_take_the_place_of_the_embedded_ones(make_stack: MakeStack) -> None:
    urls: list[str] = []
    with make_stack(
        on_database_ready=urls.append,
        database_url="postgres://u@db.example/remit",
        temporal_address="temporal.example:7233",
    ) as stack:
        assert stack.info is not None
        assert stack.info.database_url == urls[0] == "postgresql+psycopg://u@db.example/remit"
        assert stack.info.temporal_address == "temporal.example:7233"
        assert stack.info.owner_database_url is stack.info.module_database_url is None
        assert stack.info.temporal_ui is None
        assert not stack.data.postgres.exists()
        assert stack.failure() is None


def test_the_database_is_migrated_unless_told_otherwise(data: DataDir) -> None:
    with Stack(data, StackOptions(worker=False, **NO_TEMPORAL)) as stack:
        assert stack.info is not None
        assert execute(stack.info.database_url, "SELECT count(*) FROM alembic_version") == [(1,)]


def test_services_modules_and_migrations_each_have_a_login_and_none_is_superuser(
    make_stack: MakeStack,
) -> None:
    with make_stack(worker=False, **NO_TEMPORAL) as stack:
        info = stack.info
        assert info is not None
        urls = (info.database_url, info.owner_database_url, info.module_database_url)
        who = "SELECT session_user::text, rolsuper FROM pg_roles WHERE rolname = session_user"
        assert [execute(str(url), who) for url in urls] == [
            [("remit_app", False)],
            [("remit_owner", False)],
            [("remit_module", False)],
        ]
