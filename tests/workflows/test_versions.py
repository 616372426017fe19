"""Two versions of a module side by side: work goes to a worker that has the granted one."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner

from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.registry import discover_modules
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.execution.workers import Terms, WorkerIdentity
from remit.operations.runs import beginning
from remit.operations.runs.workers import announce, end_worker, renew_lease
from remit.vocabulary import ModuleKind
from remit.workflows import execution, worker
from remit.workflows.activities import calls
from tests.support.contents import directive
from tests.support.keys import KEYS
from tests.support.people import AGENT
from tests.support.workers import control, eventually, working
from tests.workflows.conftest import ReadRecord

PATIENT = timedelta(minutes=10)


class Versioned(BaseExecutionModule):
    """Says which version of it was called."""

    name = "test"

    def __init__(self, version: str) -> None:
        vars(self)["version"] = version
        self.called: list[UUID] = []

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Note the call."""
        self.called.append(module_input.directive_id)
        return ModuleOutput.success({"version": self.version})


class LongVersioned(Versioned):
    """The same, in an activity of its own."""

    kind: ClassVar[ModuleKind] = "long"


async def proposed(client: Client, engine: sa.Engine) -> UUID:
    """Propose one, which policy approves, and return it."""
    [outcome] = await control(client, engine).propose([directive(type="test")], by=AGENT)
    assert outcome.directive.status == "approved"
    return outcome.directive.id


async def end(client: Client, engine: sa.Engine, about: UUID) -> tuple[str, str | None]:
    """Wait for the end of a directive's workflow, and return status and reason."""
    step = await control(client, engine).workflows.execution(about).result()
    return step.status, step.status_reason


async def another(client: Client) -> Client:
    """Return a connection for a second worker: one serves a queue once."""
    address = client.service_client.config.target_host
    return await Client.connect(address, namespace=client.namespace)


@contextlib.asynccontextmanager
async def aside(client: Client, engine: sa.Engine, module: Versioned) -> AsyncIterator[None]:
    """Serve with a worker that gets only what is handed over to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "EXECUTION_QUEUE", "nobody-asks")
        serving = working(await another(client), engine, module)
        await serving.__aenter__()
    try:
        yield
    finally:
        await serving.__aexit__(None, None, None)


def announced(engine: sa.Engine, module: Versioned) -> WorkerIdentity:
    """Announce a worker that nobody serves, as if it had been killed at once."""
    registry = discover_modules(installed=())
    registry.register_module(module, source="test")
    return announce(engine, registry.list_modules(), KEYS, Terms(timedelta(minutes=5)))


def granted(engine: sa.Engine, about: UUID) -> str:
    """Return the version that a directive's grant is for."""
    statement = sa.text("SELECT module_version FROM grants WHERE directive_id = :id")
    with engine.connect() as connection:
        return str(connection.execute(statement, {"id": about}).scalar_one())


@pytest.mark.parametrize("kind", [Versioned, LongVersioned])
async def test_a_worker_hands_over_what_was_granted_for_another_version(
    kind: type[Versioned], client: Client, engine: sa.Engine, record_of: ReadRecord
) -> None:
    one, two = kind("1"), kind("2")
    async with working(client, engine, one), aside(client, engine, two):
        about = [await proposed(client, engine) for _ in range(3)]
        assert [granted(engine, each) for each in about] == ["2"] * 3
        for each in about:
            assert await end(client, engine, each) == ("complete", None)
    assert sorted(two.called) == sorted(about)
    assert one.called == []
    run = record_of(about[0]).run
    assert run is not None
    assert (run.module_version, run.attempts) == ("2", 1)


async def test_without_the_handing_over_another_version_voids_what_was_granted(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "route", lambda *_: None)
    one, two = Versioned("1"), Versioned("2")
    async with working(client, engine, one), aside(client, engine, two):
        about = await proposed(client, engine)
        assert await end(client, engine, about) == ("blocked", "action_changed")
    assert one.called == two.called == []


async def test_two_workers_that_share_the_queue_each_run_only_their_own_version(
    client: Client, engine: sa.Engine
) -> None:
    one, two = Versioned("1"), Versioned("2")
    async with working(client, engine, one):
        first = [await proposed(client, engine) for _ in range(4)]
        async with working(await another(client), engine, two):
            second = [await proposed(client, engine) for _ in range(8)]
            for each in (*first, *second):
                assert await end(client, engine, each) == ("complete", None)
        # The second one's worker has stopped: the first one's version counts again, at once.
        last = await proposed(client, engine)
        assert granted(engine, last) == "1"
        assert await end(client, engine, last) == ("complete", None)
    assert sorted(one.called) == sorted([*first, last])
    assert sorted(two.called) == sorted(second)


@pytest.mark.parametrize("patience", [PATIENT, timedelta(0)], ids=["with", "without"])
async def test_what_a_restarting_worker_will_have_again_waits_for_it_if_there_is_patience(
    patience: timedelta, client: Client, engine: sa.Engine, quick: WorkflowRunner
) -> None:
    restarted = Versioned("2")
    async with working(client, engine, Versioned("1"), runner=quick, patience=patience):
        stopping = announced(engine, Versioned("2"))
        about = await proposed(client, engine)
        assert granted(engine, about) == "2"
        end_worker(engine, stopping.id)
        if not patience:
            assert await end(client, engine, about) == ("blocked", "action_changed")
            return
        handle = control(client, engine).workflows.execution(about)
        before = (await handle.describe()).run_id

        async def continued() -> bool:
            return (await handle.describe()).run_id != before

        await eventually(continued)
        client = await another(client)
        async with working(client, engine, restarted, runner=quick, patience=patience):
            assert await end(client, engine, about) == ("complete", None)
    assert restarted.called == [about]


async def test_what_was_granted_for_a_killed_worker_waits_until_its_lease_has_run_out(
    client: Client, engine: sa.Engine, quick: WorkflowRunner
) -> None:
    one = Versioned("1")
    async with working(client, engine, one, runner=quick):
        killed = announced(engine, Versioned("2"))
        about = await proposed(client, engine)
        assert granted(engine, about) == "2"
        handle = control(client, engine).workflows.execution(about)

        async def asked_again() -> bool:
            events = [event async for event in handle.fetch_history_events()]
            return any(
                event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT for event in events
            )

        await eventually(asked_again)
        assert renew_lease(engine, killed.id, Terms(length=timedelta(0)))
        assert await end(client, engine, about) == ("blocked", "action_changed")
        # Nobody ended its row; its version no longer counts all the same.
        last = await proposed(client, engine)
        assert await end(client, engine, last) == ("complete", None)
    assert one.called == [last]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> WorkflowRunner:
    """Make every pause short; the sandbox would load the workflow's module without that."""
    monkeypatch.setattr(calls, "ASK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(execution, "TURNS", 2)
    monkeypatch.setattr(execution, "PICKED_UP", timedelta(milliseconds=100))
    return UnsandboxedWorkflowRunner()
