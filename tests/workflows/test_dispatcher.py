"""`DispatcherWorkflow` on a real Temporal: what a crash left behind is found and finished."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner

from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from remit.execution.modules.base import ExecutionModule
from remit.execution.modules.registry import ModuleInfo, ModuleRegistry
from remit.operations.evidence.records import read_directive
from remit.operations.runs.beginning import start_run
from remit.operations.runs.workers import announce
from remit.workflows import dispatcher
from remit.workflows.activities import dispatch_activities
from remit.workflows.dispatcher import DispatcherWorkflow
from remit.workflows.messages import DISPATCHER_ID
from tests.support.acting import Held
from tests.support.contents import AUTHORITY, SHORT, cast, proposed, waiting, write
from tests.support.keys import KEYS
from tests.support.servers import connect_fresh
from tests.support.workers import control, eventually, until, working
from tests.workflows.conftest import ReadRecord

OFTEN = 0.1


@pytest.fixture
async def own_client(temporal_address: str, namespace_names: Iterator[str]) -> Client:
    """Return a client of a namespace of this test's own: there is one dispatcher in each."""
    return await connect_fresh(temporal_address, next(namespace_names))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sweep find at once what it otherwise finds after a while."""
    monkeypatch.setattr(dispatch_activities, "IDLE", timedelta(0))
    monkeypatch.setattr(dispatch_activities, "STALLED", timedelta(0))


def the_dispatcher(client: Client) -> "WorkflowHandle[DispatcherWorkflow, None]":
    return client.get_workflow_handle_for(DispatcherWorkflow.run, DISPATCHER_ID)


def announced(engine: sa.Engine, module: ExecutionModule) -> ModuleInfo:
    """Announce a module, as a worker would that has died since."""
    registry = ModuleRegistry()
    registry.register_module(module)
    announce(engine, registry.list_modules(), KEYS)
    [info] = registry.list_modules()
    return info


async def test_what_was_approved_and_never_started_is_run(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    found = proposed(engine)
    async with working(own_client, engine, sweep_seconds=OFTEN):
        await until(lambda: record_of(found.id).directive.status == "complete")
    run = record_of(found.id).run
    assert run is not None
    assert run.attempts == 1


@pytest.mark.parametrize("kind", ["short", "long"])
async def test_what_began_and_lost_its_workflow_is_finished(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord, kind: str
) -> None:
    module = Held()
    module.released.set()
    choice = announced(engine, module) if kind == "long" else SHORT
    found = proposed(engine, type="test" if kind == "long" else "echo")
    begun = start_run(engine, found.id, lambda _: choice, AUTHORITY).run
    assert begun is not None
    async with working(own_client, engine, module, sweep_seconds=OFTEN):
        await until(lambda: record_of(found.id).directive.status == "complete")
    run = record_of(found.id).run
    assert run is not None
    assert (run.id, run.attempts) == (begun.id, begun.attempts + 1)


async def test_what_nobody_judged_passes_the_gate_and_runs(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    found = proposed(engine, status="draft")
    stored = "UPDATE directives SET status = 'proposed', action_digest = :digest WHERE id = :id"
    write(engine, stored, id=found.id, digest=action_digest(intent_of(found)))
    async with working(own_client, engine, sweep_seconds=OFTEN):
        await until(lambda: record_of(found.id).directive.status == "complete")


async def test_a_request_that_ran_out_while_nothing_ran_is_closed(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    found = waiting(engine)
    past = "UPDATE approval_requests SET expires_at = now() WHERE directive_id = :id"
    write(engine, past, id=found.id)
    async with working(own_client, engine, sweep_seconds=OFTEN):
        await until(lambda: record_of(found.id).directive.status_reason == "expired")


async def test_what_runs_already_is_not_started_again(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    module = Held()
    async with working(own_client, engine, module, sweep_seconds=OFTEN):
        found = proposed(engine, type="test")
        await until(module.called.is_set)
        sweeps = await sweeps_of(own_client)
        await swept(own_client, sweeps + 3)
        module.released.set()
        await until(lambda: record_of(found.id).directive.status == "complete")
    assert module.attempts == [1]


async def sweeps_of(client: Client) -> int:
    """Return how often the dispatcher has swept since it last continued as new."""
    history = await the_dispatcher(client).fetch_history()
    return sum(event.HasField("timer_started_event_attributes") for event in history.events)


async def swept(client: Client, times: int) -> None:
    """Wait until the dispatcher has swept so often and sleeps again."""

    async def enough() -> bool:
        return await sweeps_of(client) >= times

    await eventually(enough)


async def test_a_timebox_that_cannot_be_read_does_not_stop_the_sweep(
    own_client: Client, empty_engine: sa.Engine
) -> None:
    spoiled, sound = proposed(empty_engine), proposed(empty_engine)
    write(empty_engine, "UPDATE directives SET timebox = 'soon' WHERE id = :id", id=spoiled.id)
    async with working(own_client, empty_engine, sweep_seconds=OFTEN):
        await until(lambda: read_directive(empty_engine, sound.id).status == "complete")
        await until(lambda: read_directive(empty_engine, spoiled.id).status == "blocked")
        status = (await the_dispatcher(own_client).describe()).status
    assert status is WorkflowExecutionStatus.RUNNING
    assert read_directive(empty_engine, spoiled.id).status_reason == "action_changed"


async def test_after_a_number_of_sweeps_it_continues_as_new_and_goes_on_sweeping(
    own_client: Client,
    engine: sa.Engine,
    record_of: ReadRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "SWEEPS_PER_RUN", 2)
    # The sandbox would load the module anew, with the number that it really has.
    runner = UnsandboxedWorkflowRunner()
    async with working(own_client, engine, sweep_seconds=OFTEN, runner=runner):
        first = (await the_dispatcher(own_client).describe()).run_id

        async def continued() -> bool:
            return (await the_dispatcher(own_client).describe()).run_id != first

        await eventually(continued)
        found = proposed(engine)
        await until(lambda: record_of(found.id).directive.status == "complete")
    ended = own_client.get_workflow_handle(DISPATCHER_ID, run_id=first)
    assert (await ended.describe()).status is WorkflowExecutionStatus.CONTINUED_AS_NEW


async def test_a_wake_up_sweeps_at_once(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    async with working(own_client, engine):
        await swept(own_client, 1)
        found = proposed(engine)
        await the_dispatcher(own_client).signal(DispatcherWorkflow.wake)
        await until(lambda: record_of(found.id).directive.status == "complete")


async def test_a_second_worker_does_not_start_a_second_dispatcher(
    own_client: Client, engine: sa.Engine, temporal_address: str
) -> None:
    async with working(own_client, engine):
        first = (await the_dispatcher(own_client).describe()).run_id
        other = await Client.connect(temporal_address, namespace=own_client.namespace)
        async with working(other, engine):
            assert (await the_dispatcher(own_client).describe()).run_id == first


async def test_an_approval_whose_wake_up_was_lost_is_run(
    own_client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    found = waiting(engine)
    async with working(own_client, engine, sweep_seconds=OFTEN):
        remit = control(own_client, engine)
        await remit.workflows.await_approval(found.id)
        cast(engine, found)
        await until(lambda: record_of(found.id).directive.status == "complete")
