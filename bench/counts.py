"""What one unit of each load consists of: counted, never guessed.

Transactions are counted by Postgres itself, SQL statements where they are executed, workflow tasks
and activities in the workflows' histories. Two passes of different length are made, and their
difference is divided by the difference of their lengths: opening connections and starting the
dispatcher cost the same in both, and so drop out.

Here Remit's worker runs inside this process, so that its statements can be counted. It must be the
only one that serves its queues.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import sqlalchemy as sa
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from bench.ground import Ground
from bench.measurement import BARE, LOADS, ROWS, Counts
from remit.artifacts.noop import NoOpObjectStore
from remit.db.engine import create_database_engine
from remit.errors import UnavailableError
from remit.operations.gate.policies import PolicySource
from remit.workflows.messages import DISPATCHER_ID
from remit.workflows.worker import WorkerParts, serve

FEW, MANY = 5, 25
"""Units of the two passes."""

_SWEEP_SECONDS = 3600.0
_LOCAL_ACTIVITY = "core_local_activity"  # the marker that every SDK built on the core writes
_DISCONNECT_SECONDS = 10.0


@dataclass
class Tally:
    """What is counted in one pass."""

    transactions: int = 0
    statements: int = 0
    workflows: list[str] = field(default_factory=list)
    history: Counter[str] = field(default_factory=Counter)


async def count_load(ground: Ground, load: str) -> Counts:
    """Count what one unit of a load consists of. The bare worker must be running."""
    few, many = await _pass(ground, load, FEW), await _pass(ground, load, MANY)
    units = MANY - FEW

    def each(more: int, less: int) -> float:
        return (more - less) / units

    return Counts(
        transactions=each(many.transactions, few.transactions),
        statements=each(many.statements, few.statements),
        workflows=each(len(many.workflows), len(few.workflows)),
        workflow_tasks=each(many.history["tasks"], few.history["tasks"]),
        local_activities=each(many.history["local"], few.history["local"]),
        activities=each(many.history["ordinary"], few.history["ordinary"]),
    )


async def count_all(ground: Ground) -> dict[str, Counts]:
    """Count every load."""
    return {load: await count_load(ground, load) for load in LOADS}


async def _pass(ground: Ground, load: str, units: int) -> Tally:
    """Make some units, one after the other, and return all that was counted meanwhile."""
    tally = Tally()
    client = await ground.connect()
    engine = ground.engine()
    before = await asyncio.to_thread(_transactions, ground.database_url)
    _count_statements(engine, tally)
    try:
        async with _worker(ground, client, tally, needed=load not in {BARE, ROWS}):
            loads = await ground.loads(engine)
            for _ in range(units):
                tally.workflows += await loads.by_name[load]()
    finally:
        engine.dispose()
    tally.transactions = await asyncio.to_thread(_transactions, ground.database_url) - before
    for workflow_id in tally.workflows:
        tally.history += await _history(client, workflow_id)
    return tally


@asynccontextmanager
async def _worker(
    ground: Ground, client: Client, tally: Tally, *, needed: bool
) -> AsyncIterator[None]:
    """Run Remit's worker in this process, its statements counted."""
    if not needed:
        yield
        return
    engine = create_database_engine(ground.database_url)
    _count_statements(engine, tally)
    stop, ready = asyncio.Event(), asyncio.Event()
    parts = WorkerParts(
        engine,
        engine,
        PolicySource(None),
        lambda: ground.keys,
        ground.registry,
        NoOpObjectStore(),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(client, parts, sweep_seconds=_SWEEP_SECONDS, stop=stop, on_ready=ready.set)
        )
        await ready.wait()
        try:
            yield
        finally:
            # The next pass starts its own, and the worker that is measured one with its own pause.
            with suppress(RPCError):
                await client.get_workflow_handle(DISPATCHER_ID).terminate()
            stop.set()
    engine.dispose()


def _count_statements(engine: sa.Engine, tally: Tally) -> None:
    def count(*call: object) -> None:
        _connection, _cursor, _statement, parameters, _context, many = call
        tally.statements += len(parameters) if many and isinstance(parameters, list) else 1

    sa.event.listen(engine, "after_cursor_execute", count)


def _transactions(database_url: str) -> int:
    """Return how many transactions Postgres has ended in the database, once nobody uses it."""
    # Asked from another database, so that asking is not counted.
    url = sa.make_url(database_url)
    engine = create_database_engine(
        url.set(database="postgres").render_as_string(hide_password=False)
    )
    users = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
    ended = sa.text(
        "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = :name"
    )
    asked = {"name": url.database}
    deadline = time.monotonic() + _DISCONNECT_SECONDS
    try:
        # A session reports what it did when it ends, at the latest.
        while time.monotonic() < deadline:
            with engine.connect() as connection:
                if connection.execute(users, asked).scalar_one() == 0:
                    return int(connection.execute(ended, asked).scalar_one())
            time.sleep(0.05)
        raise UnavailableError("the database is still in use: its transactions cannot be counted")
    finally:
        engine.dispose()


async def _history(client: Client, workflow_id: str) -> Counter[str]:
    """Return how many tasks, local and ordinary activities a workflow's history holds."""
    found: Counter[str] = Counter()
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            found["tasks"] += 1
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            found["ordinary"] += 1
        elif event.marker_recorded_event_attributes.marker_name == _LOCAL_ACTIVITY:
            found["local"] += 1
    return found
