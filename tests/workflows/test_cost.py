"""What a directive costs, counted: each number is a promise, and to change one is a decision."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from remit.workflows.messages import DISPATCHER_ID
from tests.support.acting import Held
from tests.support.contents import directive
from tests.support.people import AGENT
from tests.support.workers import control, eventually, until, working


@contextmanager
def counted(engine: sa.Engine) -> Iterator[Counter[str]]:
    """Count the transactions that the engine ends while the block runs."""
    found: Counter[str] = Counter()

    def count(_: sa.Connection) -> None:
        found["transactions"] += 1

    for name in ("commit", "rollback"):
        sa.event.listen(engine, name, count)
    try:
        yield found
    finally:
        for name in ("commit", "rollback"):
            sa.event.remove(engine, name, count)


async def events_of(handle: WorkflowHandle[Any, Any]) -> Counter[str]:
    history = await handle.fetch_history()
    prefix = len("EVENT_TYPE_")
    return Counter(EventType.Name(event.event_type)[prefix:] for event in history.events)


async def settled(client: Client, engine: sa.Engine) -> None:
    """Wait until the dispatcher's first sweep is over, which takes a transaction too."""
    dispatcher = client.get_workflow_handle(DISPATCHER_ID)

    async def swept() -> bool:
        return (await events_of(dispatcher))["TIMER_STARTED"] > 0

    await eventually(swept)


async def test_an_allowed_short_directive_costs_one_workflow_task_and_three_transactions(
    client: Client, engine: sa.Engine
) -> None:
    async with working(client, engine):
        await settled(client, engine)
        remit = control(client, engine)
        with counted(engine) as spent:
            [outcome] = await remit.propose([directive()], by=AGENT)
            handle = remit.workflows.execution(outcome.directive.id)
            await handle.result()
        events = await events_of(handle)
    assert events == {
        "WORKFLOW_EXECUTION_STARTED": 1,
        "WORKFLOW_TASK_SCHEDULED": 1,
        "WORKFLOW_TASK_STARTED": 1,
        "WORKFLOW_TASK_COMPLETED": 1,
        "MARKER_RECORDED": 1,
        "WORKFLOW_EXECUTION_COMPLETED": 1,
    }
    assert spent["transactions"] == 1 + 2


async def test_many_directives_are_proposed_in_one_transaction(
    empty_engine: sa.Engine, client: Client
) -> None:
    remit = control(client, empty_engine)
    with counted(empty_engine) as spent:
        await remit.propose([directive(status="draft") for _ in range(20)], by=AGENT)
    assert spent["transactions"] == 1


async def test_a_long_module_costs_one_activity_and_one_transaction_more(
    client: Client, engine: sa.Engine
) -> None:
    module = Held()
    module.released.set()
    async with working(client, engine, module):
        await settled(client, engine)
        remit = control(client, engine)
        with counted(engine) as spent:
            [outcome] = await remit.propose([directive(type="test")], by=AGENT)
            handle = remit.workflows.execution(outcome.directive.id)
            await handle.result()
        events = await events_of(handle)
    assert (events["MARKER_RECORDED"], events["ACTIVITY_TASK_SCHEDULED"]) == (1, 1)
    assert events["WORKFLOW_TASK_COMPLETED"] == 2
    assert spent["transactions"] == 1 + 3
    assert await until(module.called.is_set)
