"""`ExecutionWorkflow` on a real Temporal, in the full sandbox."""

import asyncio
from uuid import uuid4

import pytest
import sqlalchemy as sa
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from remit.directives.models import DirectiveCreate
from remit.execution.modules.base import ExecutionModule
from remit.operations.evidence.records import Record
from remit.settings import EXECUTION_QUEUE
from remit.workflows import worker
from remit.workflows.execution import HEARTBEAT_TIMEOUT, ExecutionWorkflow
from remit.workflows.messages import ExecutionOrder, ExecutionStep, execution_id, execution_order
from tests.integration.operations.forging import forged_for, plant, plant_run
from tests.support.acting import Held, LongSluggish, LongUnsteady, Sluggish, Unsteady
from tests.support.contents import directive, proposed, waiting, write
from tests.support.people import AGENT, OPERATOR
from tests.support.workers import control, until, working
from tests.workflows.conftest import ReadRecord


async def run_one(
    client: Client, engine: sa.Engine, content: DirectiveCreate, *modules: ExecutionModule
) -> tuple[ExecutionStep, Record]:
    """Propose a directive, run it to its end with a worker of its own, and return both ends."""
    from remit.operations.evidence.records import read_record

    async with working(client, engine, *modules):
        remit = control(client, engine)
        [outcome] = await remit.propose([content], by=AGENT)
        step = await remit.workflows.execution(outcome.directive.id).result()
    record = read_record(engine, outcome.directive.id)
    assert record.broken_at is None
    return step, record


async def test_an_allowed_directive_runs_to_its_end(client: Client, engine: sa.Engine) -> None:
    step, record = await run_one(client, engine, directive())
    assert step == ExecutionStep("complete", None)
    assert record.directive.status == "complete"
    assert record.run is not None
    assert (record.run.status, record.run.attempts) == ("completed", 1)
    assert record.run.result is not None
    assert record.run.result["result"] == {"echo": {"say": "hello"}}
    assert sorted(one.type for one in record.artifacts) == [
        "execution_checkpoint",
        "execution_end",
        "execution_start",
        "module_output",
        "policy_evaluation",
    ]


async def test_a_long_module_runs_in_an_activity_of_its_own(
    client: Client, engine: sa.Engine
) -> None:
    module = Held()
    module.released.set()
    step, record = await run_one(client, engine, directive(type="test"), module)
    assert step.status == "complete"
    assert record.run is not None
    assert (record.run.status, record.run.attempts) == ("completed", 1)
    assert "module_output" in [one.type for one in record.artifacts]


async def test_a_tool_that_no_worker_has_does_not_get_past_the_gate(
    client: Client, empty_engine: sa.Engine
) -> None:
    async with working(client, empty_engine):
        [outcome] = await control(client, empty_engine).propose(
            [directive(type="validate")], by=AGENT
        )
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("kind", [Unsteady, LongUnsteady])
async def test_a_module_that_may_be_retried_is_begun_again_under_the_same_key(
    client: Client, engine: sa.Engine, kind: type[Unsteady], *, raises: bool
) -> None:
    module = kind(1, raises=raises)
    step, record = await run_one(client, engine, directive(type="validate"), module)
    assert step.status == "complete"
    assert record.run is not None
    assert record.run.attempts == 2
    assert module.keys == [record.run.idempotency_key] * 2
    kept = [one.metadata for one in record.artifacts if one.type == "module_output"]
    assert kept == [{"attempt": 2}]


@pytest.mark.parametrize("kind", [Unsteady, LongUnsteady])
async def test_a_module_that_never_succeeds_is_ended_after_the_last_attempt(
    client: Client, engine: sa.Engine, kind: type[Unsteady]
) -> None:
    module = kind(99)
    step, record = await run_one(client, engine, directive(type="validate"), module)
    assert step == ExecutionStep("aborted", "module_failed")
    assert record.run is not None
    assert (record.run.attempts, record.run.error_message) == (3, "the service is away")
    assert len(module.keys) == 3


@pytest.mark.parametrize("kind", [Sluggish, LongSluggish])
async def test_a_module_that_overruns_its_timebox_has_timed_out(
    client: Client, engine: sa.Engine, kind: type[Sluggish]
) -> None:
    content = directive(type="validate", payload={"seconds": 1.3}, timebox="1s")
    step, record = await run_one(client, engine, content, kind())
    assert step == ExecutionStep("aborted", "timed_out")
    assert record.run is not None
    assert (record.run.status, record.run.error_message) == ("failed", "took longer than 1 s")


async def test_what_a_long_module_returns_after_its_time_is_refused_and_on_record(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    module = Held()
    async with working(client, engine, module):
        remit = control(client, engine)
        [outcome] = await remit.propose([directive(type="test", timebox="1s")], by=AGENT)
        about = outcome.directive.id
        assert (await remit.workflows.execution(about).result()).status_reason == "timed_out"
        module.released.set()
        await until(lambda: record_of(about).events[-1].type == "run.refused")
    assert record_of(about).directive.status == "aborted"


async def test_canceling_a_running_module_ends_the_run_at_once_and_refuses_what_it_returns(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    module = Held()
    async with working(client, engine, module):
        remit = control(client, engine)
        [outcome] = await remit.propose([directive(type="test")], by=AGENT)
        about = outcome.directive.id
        await until(module.called.is_set)
        after = await remit.cancel(about, by=OPERATOR, reason="enough")
        assert (after.status, after.status_reason) == ("aborted", "canceled")
        with pytest.raises(WorkflowFailureError) as caught:
            await remit.workflows.execution(about).result()
        assert isinstance(caught.value.cause, CancelledError)
        # By then the worker has learned of it with an answer to one of its heartbeats.
        await asyncio.sleep(HEARTBEAT_TIMEOUT.total_seconds())
        module.released.set()
        await until(lambda: record_of(about).events[-1].type == "run.refused")
    record = record_of(about)
    assert record.run is not None
    assert (record.run.status, record.run.result) == ("canceled", None)
    assert record.directive == after
    assert "module_output" not in [one.type for one in record.artifacts]


async def test_starting_the_workflow_of_a_directive_without_a_grant_has_no_effect(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    forged = waiting(engine)
    before = record_of(forged.id)
    async with working(client, engine):
        step = await client.execute_workflow(
            ExecutionWorkflow.run,
            execution_order(forged),
            id=execution_id(str(forged.id)),
            task_queue=EXECUTION_QUEUE,
        )
    assert step == ExecutionStep("proposed", None)
    assert record_of(forged.id) == before


async def test_a_forged_approved_status_without_a_grant_is_blocked(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    forged = waiting(engine)
    write(engine, "UPDATE directives SET status = 'approved' WHERE id = :id", id=forged.id)
    async with working(client, engine):
        remit = control(client, engine)
        await remit.workflows.execute(forged)
        step = await remit.workflows.execution(forged.id).result()
    assert step == ExecutionStep("blocked", "approval_unverifiable")
    assert record_of(forged.id).run is None


@pytest.mark.parametrize("kind", ["short", "long"])
async def test_a_forged_run_of_a_directive_that_nobody_approved_calls_no_module(
    client: Client, engine: sa.Engine, record_of: ReadRecord, kind: str
) -> None:
    module = Held()
    async with working(client, engine, module):
        remit = control(client, engine)
        content = directive(scope="staging", type="test" if kind == "long" else "echo")
        [outcome] = await remit.propose([content], by=AGENT)
        about = outcome.directive
        forged = forged_for(about, engine)
        plant(engine, forged)
        plant_run(engine, about, forged.id)
        await remit.workflows.execute(about)
        step = await remit.workflows.execution(about.id).result()
    assert step == ExecutionStep("aborted", "approval_unverifiable")
    record = record_of(about.id)
    assert record.run is not None
    assert (record.run.status, record.run.attempts) == ("failed", 0)
    assert not module.called.is_set()
    assert "module_output" not in [one.type for one in record.artifacts]


async def test_a_module_that_changed_between_the_grant_and_the_start_is_not_called(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    module = Unsteady(0)
    async with working(client, engine, LongUnsteady(0)):
        found = proposed(engine, type="validate")
    async with working(client, engine, module):
        remit = control(client, engine)
        await remit.workflows.execute(found)
        step = await remit.workflows.execution(found.id).result()
    assert step == ExecutionStep("blocked", "action_changed")
    assert (record_of(found.id).run, module.keys) == (None, [])


async def test_an_order_for_a_directive_that_does_not_exist_fails_at_once(
    client: Client, engine: sa.Engine
) -> None:
    unknown = str(uuid4())
    async with working(client, engine):
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(
                ExecutionWorkflow.run,
                ExecutionOrder(unknown, None),
                id=execution_id(unknown),
                task_queue=EXECUTION_QUEUE,
            )
    assert "there is no directive" in str(caught.value.cause.__cause__)


async def test_starting_one_directive_many_times_makes_one_run(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    found = proposed(engine)
    async with working(client, engine):
        remit = control(client, engine)
        await asyncio.gather(*(remit.workflows.execute(found) for _ in range(10)))
        await remit.workflows.execution(found.id).result()
        await remit.workflows.execute(found)
        step = await remit.workflows.execution(found.id).result()
    assert step.status == "complete"
    record = record_of(found.id)
    assert record.run is not None
    assert record.run.attempts == 1
    assert [event.type for event in record.events].count("directive.executing") == 1


async def test_a_long_module_that_no_thread_is_free_for_waits_unbegun_while_short_ones_run(
    client: Client, engine: sa.Engine, record_of: ReadRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LONG_MODULES", 1)
    module = Held()
    async with working(client, engine, module):
        remit = control(client, engine)
        contents = [directive(type="test"), directive(type="test"), directive()]
        *long, short = (one.directive.id for one in await remit.propose(contents, by=AGENT))
        await until(module.called.is_set)
        assert (await remit.workflows.execution(short).result()).status == "complete"
        await asyncio.sleep(0.5)
        runs = [record_of(about).run for about in long]
        assert sorted(run.attempts for run in runs if run) == [0, 1]
        module.released.set()
        for about in long:
            assert (await remit.workflows.execution(about).result()).status == "complete"
    assert module.attempts == [1, 1]


async def test_fifty_directives_proposed_together_all_run(
    client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    async with working(client, engine):
        remit = control(client, engine)
        outcomes = await remit.propose([directive(payload={"n": n}) for n in range(50)], by=AGENT)
        handles = [remit.workflows.execution(one.directive.id) for one in outcomes]
        steps = await asyncio.gather(*(handle.result() for handle in handles))
    assert {step.status for step in steps} == {"complete"}
    assert {record_of(one.directive.id).directive.status for one in outcomes} == {"complete"}
