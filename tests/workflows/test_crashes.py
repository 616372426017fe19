"""Whatever dies in the middle, the directive ends once, with one effect."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.operations.evidence.records import read_record
from remit.stack.layout import DataDir
from remit.stack.postgres import EmbeddedPostgres
from tests.support.acting import EFFECT_TABLES, Held
from tests.support.contents import directive
from tests.support.keys import SIGNING_KEY
from tests.support.people import AGENT
from tests.support.workers import control, until, working

ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def worker_process(
    client: Client, engine: sa.Engine, module_url: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker in a process of its own, and wait until it polls."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        "-m",
        "tests.workflows.worker_process",
        client.service_client.config.target_host,
        client.namespace,
        engine.url.render_as_string(hide_password=False),
        module_url,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
            "REMIT_SIGNING_KEY": SIGNING_KEY,
        },
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


def column(engine: sa.Engine, statement: str) -> list[object]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text(statement)).scalars())


@pytest.fixture
def module_url(role_url: Callable[[str], str]) -> str:
    """Return where modules write their own data."""
    return role_url("remit_module")


@pytest.fixture
def module_engine(module_url: str) -> Iterator[sa.Engine]:
    """Return the engine that a module is given, and make there what the module writes to."""
    engine = create_database_engine(module_url, role="remit_module")
    with engine.begin() as connection:
        for statement in EFFECT_TABLES:
            connection.execute(sa.text(statement))
    yield engine
    engine.dispose()


@pytest.mark.slow
async def test_a_worker_killed_in_the_middle_of_a_module_leaves_one_effect_and_one_end(
    client: Client, engine: sa.Engine, module_engine: sa.Engine, module_url: str
) -> None:
    remit = control(client, engine)
    async with worker_process(client, engine, module_url) as first:
        [outcome] = await remit.propose([directive(type="test")], by=AGENT)
        about = outcome.directive.id
        await until(lambda: column(module_engine, "SELECT attempt FROM attempts") == [1])
        first.kill()
        await first.wait()
    async with worker_process(client, engine, module_url):
        step = await asyncio.wait_for(remit.workflows.execution(about).result(), 30)
    assert step.status == "complete"
    assert column(module_engine, "SELECT attempt FROM attempts ORDER BY attempt") == [1, 2]
    record = read_record(engine, about)
    assert record.run is not None
    assert column(module_engine, "SELECT key FROM effects") == [record.run.idempotency_key]
    assert (record.run.status, record.run.attempts) == ("completed", 2)
    assert [event.type for event in record.events].count("directive.completed") == 1
    assert record.broken_at is None


@pytest.fixture
def own_data() -> Iterator[DataDir]:
    """Return a data directory for a Postgres of this test's own."""
    with tempfile.TemporaryDirectory(prefix="remit-tests-") as folder:
        data = DataDir(Path(folder) / "data")
        data.prepare()
        yield data


async def test_a_database_that_is_away_in_the_middle_of_a_run_only_delays_its_end(
    client: Client, own_data: DataDir
) -> None:
    server = EmbeddedPostgres(own_data)
    url = await asyncio.to_thread(server.start)
    await asyncio.to_thread(migrate.upgrade, server.owner_database_url)
    engine = create_database_engine(url)
    module = Held()
    try:
        async with working(client, engine, module):
            remit = control(client, engine)
            [outcome] = await remit.propose([directive(type="test")], by=AGENT)
            await until(module.called.is_set)
            await asyncio.to_thread(server.stop)
            module.released.set()
            await asyncio.sleep(0.5)
            server = EmbeddedPostgres(own_data)
            await asyncio.to_thread(server.start)
            step = await asyncio.wait_for(
                remit.workflows.execution(outcome.directive.id).result(), 30
            )
        assert step.status == "complete"
        assert_one_end(engine, outcome.directive.id)
    finally:
        engine.dispose()
        await asyncio.to_thread(server.stop)


def assert_one_end(engine: sa.Engine, directive_id: UUID) -> None:
    record = read_record(engine, directive_id)
    ends = [event.type for event in record.events if event.type == "directive.completed"]
    assert len(ends) == 1
    assert record.broken_at is None
