"""Whoever reaches Temporal's port, with no grant: nothing that they start or say has an effect."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from temporalio.client import (
    Client,
    RPCError,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from remit.operations.evidence.records import read_directive, read_record
from remit.operations.runs.starts import RunState
from remit.settings import APPROVAL_QUEUE, EXECUTION_QUEUE
from remit.workflows.activities import execution_activities
from remit.workflows.messages import (
    DISPATCHER_ID,
    ApprovalOrder,
    ExecutionOrder,
    SweepOrder,
    approval_id,
    execution_id,
)
from tests.adversarial.attacking import LongStrike, Strike
from tests.adversarial.port import (
    GARBAGE,
    SIGNALS,
    Scene,
    burglary,
    end,
    have_done,
    make_victims,
    outcome,
    running,
)
from tests.support.contents import directive, proposed
from tests.support.people import AGENT
from tests.support.workers import control, eventually, working

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def scene(client: Client, engine: sa.Engine) -> AsyncIterator[Scene]:
    strikes = (Strike(), LongStrike())
    async with working(client, engine, *strikes):
        remit = control(client, engine)
        victims = await make_victims(remit)
        strikes[0].effects.clear()
        before = {status: read_record(engine, one.id) for status, one in victims.items()}
        yield Scene(client, engine, remit, victims, strikes, before)
        await end(await running(client))


@pytest.mark.parametrize("timebox", [None, 1e6])
@pytest.mark.parametrize("named", ["as Remit names them", "otherwise"])
async def test_starting_executions_raw_has_no_effect(
    scene: Scene, named: str, timebox: float | None
) -> None:
    for victim in (*scene.ids, UNKNOWN):
        order = ExecutionOrder(victim, timebox)
        own = execution_id(victim) if named == "as Remit names them" else f"mine-{uuid4()}"
        handle = await scene.client.start_workflow(
            "ExecutionWorkflow", order, id=own, task_queue=EXECUTION_QUEUE
        )
        step = await outcome(handle)
        assert (step is None) == (victim == UNKNOWN or named == "otherwise")
    scene.unharmed()
    await scene.still_works()


@pytest.mark.parametrize("named", ["as Remit names them", "otherwise"])
async def test_starting_approvals_raw_has_no_effect(scene: Scene, named: str) -> None:
    results = {}
    for status, victim in scene.victims.items():
        about = str(victim.id)
        own = approval_id(about) if named == "as Remit names them" else f"mine-{uuid4()}"
        try:
            handle = await scene.client.start_workflow(
                "ApprovalWorkflow", ApprovalOrder(about), id=own, task_queue=APPROVAL_QUEUE
            )
        except WorkflowAlreadyStartedError:
            assert status == "waiting"
            continue
        if not status.startswith("waiting"):
            results[status] = (await outcome(handle))["approved"]
    assert results == dict.fromkeys(("blocked", "rejected", "canceled", "draft"), False) | {
        "complete": True
    }
    scene.unharmed()
    await scene.still_works()


async def test_no_signal_and_no_query_approves_anything(scene: Scene) -> None:
    waits = scene.client.get_workflow_handle(approval_id(str(scene.victims["waiting"].id)))
    sweeps = scene.client.get_workflow_handle(DISPATCHER_ID)
    for handle in (waits, sweeps):
        for name in SIGNALS:
            for arguments in GARBAGE:
                with contextlib.suppress(RPCError):
                    await handle.signal(name, args=arguments)
    for query in ("__stack_trace", "approved", "wake"):
        with contextlib.suppress(RPCError, WorkflowQueryFailedError):
            await waits.query(query, {"approved": True})
    for update in ("approve", "wake", "run"):
        with contextlib.suppress(RPCError, WorkflowUpdateFailedError):
            await waits.execute_update(update, {"approved": True})
    await asyncio.sleep(0.5)
    scene.unharmed()
    await scene.still_works()


async def test_starts_with_garbage_stop_nobody_else(scene: Scene) -> None:
    queues = {
        "ExecutionWorkflow": EXECUTION_QUEUE,
        "ApprovalWorkflow": APPROVAL_QUEUE,
        "DispatcherWorkflow": EXECUTION_QUEUE,
        "NoSuchWorkflow": EXECUTION_QUEUE,
    }
    for name, queue in queues.items():
        for arguments in GARBAGE:
            await scene.client.start_workflow(
                name, args=arguments, id=f"mine-{uuid4()}", task_queue=queue
            )
    await asyncio.sleep(0.5)
    scene.unharmed()
    await scene.still_works()


async def test_activities_that_an_attacker_schedules_have_no_effect(scene: Scene) -> None:
    async with burglary(scene.client):
        for victim in scene.victims.values():
            for name in ("execute_directive", "execute_module"):
                order = {"directive_id": str(victim.id), "timebox_seconds": None}
                assert await have_done(scene.client, name, EXECUTION_QUEUE, order) is None
            order = {"directive_id": str(victim.id)}
            assert await have_done(scene.client, "settle_approval", APPROVAL_QUEUE, order)
        swept = await have_done(scene.client, "fetch_approved_directives", EXECUTION_QUEUE)
        assert swept == {"executions": [], "approvals": []}
        for arguments in GARBAGE:
            for name in ("execute_directive", "execute_module"):
                assert await have_done(scene.client, name, EXECUTION_QUEUE, *arguments) is None
    scene.unharmed()
    await scene.still_works()


async def test_a_module_cannot_be_scheduled_before_its_run_is_created(scene: Scene) -> None:
    granted = proposed(scene.engine, type="validate")
    assert granted.status == "approved"
    before = read_record(scene.engine, granted.id)
    order = {"directive_id": str(granted.id), "timebox_seconds": None}
    async with burglary(scene.client):
        assert await have_done(scene.client, "execute_module", EXECUTION_QUEUE, order) is None
    assert read_record(scene.engine, granted.id) == before
    scene.unharmed()


async def test_more_dispatchers_start_nothing_that_was_not_approved(scene: Scene) -> None:
    order = SweepOrder(0.05)
    with pytest.raises(WorkflowAlreadyStartedError):
        await scene.client.start_workflow(
            "DispatcherWorkflow", order, id=DISPATCHER_ID, task_queue=EXECUTION_QUEUE
        )
    for _ in range(3):
        await scene.client.start_workflow(
            "DispatcherWorkflow", order, id=f"mine-{uuid4()}", task_queue=EXECUTION_QUEUE
        )
    await asyncio.sleep(1)
    scene.unharmed()
    await scene.still_works()


async def _has_acted(schedule: ScheduleHandle) -> int:
    return (await schedule.describe()).info.num_actions


async def test_a_schedule_of_an_attacker_starts_nothing_that_was_not_approved(
    scene: Scene,
) -> None:
    for victim in scene.ids:
        action = ScheduleActionStartWorkflow(
            "ExecutionWorkflow",
            ExecutionOrder(victim, None),
            id=f"mine-{victim}",
            task_queue=EXECUTION_QUEUE,
        )
        schedule = await scene.client.create_schedule(
            f"mine-{victim}", Schedule(action=action, spec=ScheduleSpec()), trigger_immediately=True
        )
        await eventually(partial(_has_acted, schedule))
        await schedule.delete()
    await asyncio.sleep(0.5)
    scene.unharmed()
    await scene.still_works()


async def test_ending_the_wait_ends_nothing_but_the_wait(scene: Scene) -> None:
    waits = scene.client.get_workflow_handle(approval_id(str(scene.victims["waiting"].id)))
    await waits.cancel()
    await end([waits])
    await asyncio.sleep(0.2)
    scene.unharmed()
    await scene.still_works()


async def test_without_the_look_at_the_grant_a_raw_start_executes_whatever_it_names(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    [granted] = await scene.remit.propose([directive(type="test")], by=AGENT)
    await scene.remit.workflows.execution(granted.directive.id).result()
    some_run = read_record(scene.engine, granted.directive.id).run
    assert some_run is not None
    scene.strikes[0].effects.clear()

    def unguarded(engine: sa.Engine, directive_id: UUID, *_: object) -> RunState:
        found = read_directive(engine, directive_id)
        forged = {"directive_id": found.id, "module": found.type, "status": "running"}
        return RunState(found, some_run.model_copy(update=forged))

    monkeypatch.setattr(execution_activities, "start_run", unguarded)
    monkeypatch.setattr(execution_activities, "begin_run", unguarded)
    harmed = [one for one in scene.victims.values() if one.type in {"test", "validate"}]
    for victim in harmed:
        handle = await scene.client.start_workflow(
            "ExecutionWorkflow",
            ExecutionOrder(str(victim.id), None),
            id=execution_id(str(victim.id)),
            task_queue=EXECUTION_QUEUE,
        )
        await outcome(handle)
    assert sorted(scene.effects()) == sorted(one.id for one in harmed)
