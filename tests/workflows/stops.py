"""Stops workers in the middle of their work, as a suspended machine does, and counts what comes.

    python -m tests.workflows.stops            # all cases, a few at a time; about seven minutes
    python -m tests.workflows.stops 1 15       # only stops of these lengths

Each case has a database, a namespace and workers of its own, in processes that get SIGSTOP and,
after a while, SIGCONT. Two directives run in each. A run is right when its directive is complete,
its effect is there once, and no more attempts were begun than the case explains.
"""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from temporalio.client import Client

from remit.db.engine import create_database_engine
from remit.operations.evidence.records import read_record
from remit.stack.postgres import SUPERUSER
from tests.support.acting import PACED_TABLES
from tests.support.contents import directive
from tests.support.keys import SIGNING_KEY
from tests.support.people import AGENT
from tests.support.servers import (
    TEMPLATE,
    Servers,
    as_login,
    connect_fresh,
    execute,
    renamed,
)
from tests.support.workers import control, module_engine, until

ROOT = Path(__file__).parents[2]
USUAL_LEASE = 15.0
AT_ONCE = 6
RUNS = 2
"""How many directives each case has."""

Kind = Literal["test", "validate"]
"""The module: a long one, or a short one."""

Moment = Literal["early", "working"]
"""When the worker is stopped: about when it begins, or while its module works."""

KINDS: tuple[Kind, ...] = ("test", "validate")
MOMENTS: tuple[Moment, ...] = ("early", "working")


@dataclass(frozen=True)
class Case:
    """One way to stop a worker.

    Attributes:
        seconds: for how long it is stopped.
        kind: the module.
        workers: how many there are; the first is stopped.
        moment: when.
        lease: how long a worker's lease is, in seconds.
        works: how long the module works, in seconds.
    """

    seconds: float
    kind: Kind
    workers: int
    moment: Moment
    lease: float = USUAL_LEASE
    works: float = 3.0

    @property
    def name(self) -> str:
        """The case in words."""
        module = "long" if self.kind == "test" else "short"
        return f"{self.seconds:g} s, {module} module, {self.workers} worker(s), {self.moment}"


@dataclass(frozen=True)
class Outcome:
    """What came of one directive.

    Attributes:
        status: its status, with the reason.
        attempts: how many attempts were begun.
        calls: how often its module was called.
        effects: how many effects it had, by idempotency key.
        ends: how often its log says that the run ended.
        refused: how many late results are on record.
    """

    status: str
    attempts: int
    calls: int
    effects: int
    ends: int
    refused: int

    @property
    def is_right(self) -> bool:
        """Whether it ended once, as its module did, with one effect."""
        return (self.status, self.effects, self.ends) == ("complete", 1, 1)


@contextlib.asynccontextmanager
async def worker_of(
    client: Client, engine: sa.Engine, lease: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker in a process of its own, and wait until it polls."""
    url = engine.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "tests.workflows.worker_process"),
        client.service_client.config.target_host,
        client.namespace,
        url,
        as_login(url, "remit_module"),
        str(lease),
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
        while (line := await process.stdout.readline()) != b"ready\n":
            assert line, "the worker did not start"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def play(client: Client, engine: sa.Engine, case: Case) -> list[Outcome]:
    """Stop a worker as a case says, and return what came of each directive."""
    modules = module_engine(engine)
    with modules.begin() as connection:
        for statement in PACED_TABLES:
            connection.exec_driver_sql(statement)
    modules.dispose()
    remit = control(client, engine)
    async with contextlib.AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(worker_of(client, engine, case.lease))
            for _ in range(case.workers)
        ]
        content = directive(type=case.kind, payload={"seconds": case.works})
        outcomes = await remit.propose([content] * RUNS, by=AGENT)
        ids = [one.directive.id for one in outcomes]
        if case.moment == "working":
            await until(lambda: len(rows(engine, "calls")) == RUNS)
        else:
            await asyncio.sleep(random.uniform(0, 0.05))
        made[0].send_signal(signal.SIGSTOP)
        await asyncio.sleep(case.seconds)
        made[0].send_signal(signal.SIGCONT)
        for each in ids:
            async with asyncio.timeout(90):
                await remit.workflows.execution(each).result()
        # A worker that was overtaken may still be about to hand in what it did.
        await asyncio.sleep(0 if case.workers == 1 else case.works + 1)
        return [outcome_of(engine, each) for each in ids]


def rows(engine: sa.Engine, table: str) -> list[str]:
    """Return the keys in a table that the modules write."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT key FROM module_data.{table}")  # noqa: S608
        return list(found.scalars())


def outcome_of(engine: sa.Engine, directive_id: UUID) -> Outcome:
    """Return what came of one directive."""
    record = read_record(engine, directive_id)
    assert record.run is not None
    assert record.broken_at is None
    said = [event.type for event in record.events]
    reason = record.directive.status_reason
    key = record.run.idempotency_key
    return Outcome(
        record.directive.status + (f" ({reason})" if reason else ""),
        record.run.attempts,
        rows(engine, "calls").count(key),
        rows(engine, "effects").count(key),
        said.count("run.ended"),
        said.count("run.refused"),
    )


async def play_all(servers: Servers, cases: Sequence[Case]) -> int:
    """Play cases, a few at a time, and print what came of each; return how many runs were wrong."""
    address = servers.temporal().result().address
    postgres = servers.postgres().result()
    assert address is not None
    room = asyncio.Semaphore(AT_ONCE)
    found: list[Outcome] = []

    async def one(number: int, case: Case) -> None:
        async with room:
            name = f"stops_{number}"
            statement = f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER remit_owner"
            await asyncio.to_thread(execute, postgres.url_of(SUPERUSER), statement)
            engine = create_database_engine(renamed(postgres.database_url, name))
            try:
                client = await connect_fresh(address, f"stops-{number}")
                outcomes = await play(client, engine, case)
            finally:
                engine.dispose()
            found.extend(outcomes)
            for each in outcomes:
                word = "right" if each.is_right else "WRONG"
                sys.stdout.write(f"{word}  {case.name}: {each}\n")
                sys.stdout.flush()

    await asyncio.gather(*(one(*each) for each in enumerate(cases)))
    wrong = sum(not each.is_right for each in found)
    calls = sum(each.calls for each in found)
    effects = sum(each.effects for each in found)
    sys.stdout.write(
        f"{len(found)} runs, {wrong} wrong; {calls} calls, {effects} effects, "
        f"{sum(each.refused for each in found)} late results on record\n"
    )
    return wrong


def main(lengths: Sequence[float]) -> int:
    """Play every case of stops of these lengths, and return the exit code."""
    cases = [
        Case(seconds, kind, workers, moment)
        for seconds, kind, workers, moment in itertools.product(lengths, KINDS, (1, 2), MOMENTS)
    ]
    with tempfile.TemporaryDirectory(prefix="remit-stops-") as folder:
        servers = Servers(Path(folder))
        try:
            servers.postgres()
            return 1 if asyncio.run(play_all(servers, cases)) else 0
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main([float(each) for each in sys.argv[1:]] or [1, 15, 45]))
