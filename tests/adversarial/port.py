"""What an attacker does who reaches Temporal's port, and whom they would harm."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from temporalio import workflow
from temporalio.client import Client, RPCError, WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from remit.control import Control
from remit.directives.models import DirectiveRead
from remit.operations.evidence.records import Record, read_record
from remit.operations.runs.cancellation import cancel
from remit.workflows.messages import DISPATCHER_ID
from tests.adversarial.attacking import LongStrike, Strike
from tests.support.contents import cast, directive, no, proposed, waiting, yes
from tests.support.people import AGENT, OPERATOR


@dataclass
class Scene:
    """A worker that serves, and directives that must not run.

    Attributes:
        client: the attacker's, as good as Remit's own.
        engine: the database.
        remit: what honest callers use.
        victims: one directive in each status in which it may not run.
        strikes: the modules that count.
        before: the whole records of the victims.
    """

    client: Client
    engine: sa.Engine
    remit: Control
    victims: dict[str, DirectiveRead]
    strikes: tuple[Strike, LongStrike]
    before: dict[str, Record]

    @property
    def ids(self) -> list[str]:
        """The victims' ids."""
        return [str(one.id) for one in self.victims.values()]

    def effects(self) -> list[UUID]:
        return [one.directive_id for module in self.strikes for one in module.effects]

    def unharmed(self) -> None:
        """Assert that nothing ran, and that nothing was even written."""
        assert self.effects() == []
        for status, one in self.victims.items():
            assert read_record(self.engine, one.id) == self.before[status], status

    async def still_works(self) -> None:
        """Assert that the attack has not stopped those who may: a vote still starts what waits."""
        victim = self.victims["waiting"]
        await self.remit.vote(victim.id, yes(victim), by=OPERATOR)
        step = await asyncio.wait_for(self.remit.workflows.execution(victim.id).result(), 20)
        assert step.status == "complete"
        assert self.effects() == [victim.id]


async def make_victims(remit: Control) -> dict[str, DirectiveRead]:
    """Return a directive in each status in which it may not run; a worker serves."""
    engine = remit.engine
    [done] = await remit.propose([directive(type="test")], by=AGENT)
    await remit.workflows.execution(done.directive.id).result()
    [asked] = await remit.propose([directive(type="test", scope="staging")], by=AGENT)
    rejected, canceled = waiting(engine, type="test"), waiting(engine, type="validate")
    cast(engine, rejected, no(rejected))
    cancel(engine, canceled.id, by=OPERATOR, reason=None)
    return {
        "waiting": asked.directive,
        "waiting, long": waiting(engine, type="validate"),
        "blocked": proposed(engine, type="shell"),
        "rejected": rejected,
        "canceled": canceled,
        "draft": proposed(engine, type="test", status="draft"),
        "complete": done.directive,
    }


async def running(client: Client) -> list[WorkflowHandle[Any, Any]]:
    """Return every workflow that runs, but the dispatcher."""
    found = client.list_workflows("ExecutionStatus = 'Running'")
    return [client.get_workflow_handle(one.id) async for one in found if one.id != DISPATCHER_ID]


async def end(handles: Iterable[WorkflowHandle[Any, Any]]) -> None:
    """End workflows that would wait for ever."""
    for handle in handles:
        with contextlib.suppress(RPCError):
            await handle.terminate()


async def outcome(handle: WorkflowHandle[Any, Any], *, seconds: float = 10) -> Any:
    """Return what a workflow returned; None when it failed, or goes on."""
    try:
        return await asyncio.wait_for(handle.result(), seconds)
    except (WorkflowFailureError, TimeoutError):
        return None


GARBAGE: tuple[list[Any], ...] = (
    [],
    [None],
    ["approve"],
    [{"approved": True, "voter": "operator", "decision": "approve"}],
    [b"\x80\x04\x95\x00pickle"],
    [{"directive_id": 7}],
    [{"directive_id": "' OR 1=1 --", "timebox_seconds": "soon"}],
    ["x" * 100_000],
    [1, 2, 3],
)
"""What an attacker may send in place of arguments."""

SIGNALS = ("wake", "approve", "vote", "execute", "__temporal_signal", "settle_approval")


@workflow.defn(name="Burglar")
class Burglar:
    """An attacker's workflow, which has Remit's workers carry out their activities."""

    @workflow.run
    async def run(self, errand: list[Any]) -> Any:
        """Have one activity carried out, and return what it returned."""
        name, queue, arguments = errand
        return await workflow.execute_activity(
            name,
            args=arguments,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@contextlib.asynccontextmanager
async def burglary(client: Client) -> AsyncIterator[None]:
    """Serve the attacker's own queue."""
    async with Worker(
        client,
        task_queue="mine",
        workflows=[Burglar],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


async def have_done(client: Client, name: str, queue: str, *arguments: Any) -> Any:
    """Have one activity carried out; None when it failed."""
    handle = await client.start_workflow(
        "Burglar", [name, queue, arguments], id=f"mine-{uuid4()}", task_queue="mine"
    )
    return await outcome(handle, seconds=20)
