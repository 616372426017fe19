"""Whoever evaluates ended runs is told of each, and changes none of them, whatever they do."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner

from remit.artifacts.noop import NoOpObjectStore
from remit.cli.base.telemetry import evaluated
from remit.control import Control
from remit.evaluation import config
from remit.evaluation.interface import EvaluationInput, EvaluationResult
from remit.execution.models import EndedRun
from remit.execution.modules.registry import discover_modules
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import Record, read_ended_run, read_record
from remit.operations.gate.policies import PolicySource
from remit.operations.runs.beginning import start_run
from remit.settings import Settings
from remit.workflows.activities.underway import Underway
from remit.workflows.messages import DISPATCHER_ID
from remit.workflows.worker import WorkerParts, serve
from tests.support.acting import Held
from tests.support.contents import AUTHORITY, LONG, SHORT, directive, finish, proposed, write
from tests.support.evaluations import Hanging, Misbehaving
from tests.support.keys import KEYS
from tests.support.people import AGENT, OPERATOR
from tests.support.planting import LongTelling, Telling
from tests.support.workers import control, eventually, module_engine, polling, until

Observe = Callable[[EndedRun], None]

WISHES: list[Mapping[str, Any]] = [
    *(
        {"type": kind, "payload": {"act": act}}
        for kind in ("validate", "test")
        for act in ("", "again", "fail", "raise")
    ),
    {"type": "echo", "payload": {"told": "to nobody"}},
    {"type": "echo", "scope": "moon"},
]


@asynccontextmanager
async def served(
    client: Client, engine: sa.Engine, observe: Observe, *modules: Any
) -> AsyncIterator[None]:
    """Serve both queues as `remit worker` does, with what it tells of ended runs."""
    registry = discover_modules(installed=())
    for module in modules or (Telling(), LongTelling()):
        registry.register_module(module, source="test")
    parts = WorkerParts(
        engine,
        module_engine(engine),
        PolicySource(None),
        lambda: KEYS,
        registry,
        NoOpObjectStore(),
        observe,
    )
    try:
        async with polling(
            lambda stop, ready: serve(
                client,
                parts,
                sweep_seconds=3600,
                stop=stop,
                on_ready=ready,
                runner=UnsandboxedWorkflowRunner(),
            )
        ):
            yield
    finally:
        parts.module_engine.dispose()


def shape_of(record: Record) -> object:
    """Return all that is on record of a directive, but for ids, times and digests."""
    run, about = record.run, record.directive
    return (
        (about.status, about.status_reason),
        run and (run.status, run.attempts, run.result, run.error_type, run.error_message),
        [(event.type, event.actor) for event in record.events],
        [(each.type, each.run_id == (run and run.id)) for each in record.artifacts],
        record.broken_at,
    )


async def swept(client: Client) -> None:
    """Have the dispatcher sweep, and wait until it sleeps again."""
    dispatcher = client.get_workflow_handle(DISPATCHER_ID)

    async def sleeps() -> int:
        history = await dispatcher.fetch_history()
        return sum(each.HasField("timer_started_event_attributes") for each in history.events)

    await eventually(sleeps)
    before = await sleeps()
    await dispatcher.signal("wake")

    async def sleeps_again() -> bool:
        return await sleeps() > before

    await eventually(sleeps_again)


async def end_uncalled(remit: Control) -> list[UUID]:
    """End runs in each way in which no module is called any more; a worker must serve."""
    canceled, unbegun, void = (proposed(remit.engine) for _ in range(3))
    start_run(remit.engine, canceled.id, lambda _: SHORT, AUTHORITY)
    start_run(remit.engine, unbegun.id, lambda _: LONG, AUTHORITY)
    for each in (canceled, unbegun):
        await remit.cancel(each.id, by=OPERATOR)
    run = start_run(remit.engine, void.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    finish(remit.engine, run, ModuleOutput.failure("away", retryable=True))
    statement = "UPDATE directives SET payload = '{}' WHERE id = :id"
    write(remit.engine, statement, id=void.id)
    await remit.workflows.execute(void)
    await remit.workflows.execution(void.id).result()
    return [canceled.id, unbegun.id, void.id]


async def ends(client: Client, engine: sa.Engine, observe: Observe) -> list[Record]:
    """Take every wish round the loop, end more runs, and return what is on record of each."""
    async with served(client, engine, observe):
        remit = control(client, engine)
        outcomes = await remit.propose([directive(**each) for each in WISHES], by=AGENT)
        for each in outcomes:
            if each.directive.status != "blocked":
                await remit.workflows.execution(each.directive.id).result()
        ids = [each.directive.id for each in outcomes] + await end_uncalled(remit)
        await swept(client)
    return [read_record(engine, each) for each in ids]


def fail(told: EvaluationInput) -> Any:
    raise RuntimeError(f"{told.run_id} is not to my taste")


def leave(told: EvaluationInput) -> Any:
    raise SystemExit(1)


def forge(told: EvaluationInput) -> Any:
    """Answer a judgement that is none, and change what was told."""
    object.__setattr__(told, "status", "aborted")
    made = object.__new__(EvaluationResult)
    object.__setattr__(made, "score", -7)
    return (made, {"status": "aborted"})


MISBEHAVIOURS: Mapping[str, Callable[[], Misbehaving]] = {
    "raises": lambda: Misbehaving(fail),
    "ends the process": lambda: Misbehaving(leave),
    "lies": lambda: Misbehaving(forge),
    "answers nonsense": lambda: Misbehaving(lambda told: "x" * 10_000_000),
    "hangs": Hanging,
}


@pytest.fixture(scope="module")
async def unobserved_ends(client: Client, engine: sa.Engine) -> list[object]:
    """Return how every wish ends when nobody is told."""
    with evaluated(Settings()) as tell:
        return [shape_of(each) for each in await ends(client, engine, tell)]


@pytest.mark.parametrize("manner", MISBEHAVIOURS)
async def test_every_run_ends_as_it_does_when_nobody_is_told(
    client: Client,
    engine: sa.Engine,
    unobserved_ends: list[object],
    monkeypatch: pytest.MonkeyPatch,
    manner: str,
) -> None:
    provider = MISBEHAVIOURS[manner]()
    monkeypatch.setattr(config, "choose_provider", lambda settings: provider)
    monkeypatch.setattr("remit.evaluation.guarded.GuardedEvaluation.close.__defaults__", (0.2,))
    with evaluated(Settings(provider_timeout_seconds=60)) as tell:
        records = await ends(client, engine, tell)
        assert [shape_of(each) for each in records] == unobserved_ends
        assert provider.asked
        if isinstance(provider, Hanging):
            # It never came back, and was the first of the runs to be told of: nothing waited.
            assert len(provider.asked) == 1
            assert not provider.let_go.is_set()
    if isinstance(provider, Hanging):
        provider.let_go.set()


async def test_of_each_ended_run_its_end_is_told_once_without_a_word_of_what_it_did(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Misbehaving(lambda told: ())
    monkeypatch.setattr(config, "choose_provider", lambda settings: provider)
    with evaluated(Settings()) as tell:
        records = await ends(client, engine, tell)
    # Each is logged, then judged.
    assert [provider.asked[n] for n in range(0, len(provider.asked), 2)] == provider.asked[1::2]
    told = {each.run_id: each for each in provider.asked}
    runs = {each.run.id: each for each in records if each.run is not None}
    assert len(provider.asked) == 2 * len(told)
    # What ended otherwise before this worker began is told of, too.
    assert told.keys() >= runs.keys()
    assert Counter(record.directive.status_reason for record in runs.values()) == {
        None: 5,
        "module_failed": 2,
        "module_error": 2,
        "canceled": 2,
        "action_changed": 1,
    }
    for run_id, record in runs.items():
        one, run = told[run_id], cast("Any", record.run)
        assert (one.directive_id, one.status) == (record.directive.id, record.directive.status)
        assert (one.module, one.run_status, one.attempts) == (run.module, run.status, run.attempts)
        left = [each.digest for each in record.artifacts if each.type == "module_output"]
        assert [each.digest for each in one.artifacts] == left
    assert "by-the-module" not in str(provider.asked)
    assert "to nobody" not in str(provider.asked)


class HeldShort(Held):
    """A short module that works until the test lets it go."""

    name = "validate"
    kind = "short"


@pytest.mark.parametrize("module", [HeldShort, Held], ids=["short", "long"])
async def test_a_run_that_is_canceled_while_its_module_works_is_told_as_canceled(
    client: Client, engine: sa.Engine, module: type[Held]
) -> None:
    told: list[EndedRun] = []
    held = module()
    async with served(client, engine, told.append, held):
        remit = control(client, engine)
        [outcome] = await remit.propose([directive(type=held.name)], by=AGENT)
        await until(held.called.is_set)
        await remit.cancel(outcome.directive.id, by=OPERATOR)
        held.released.set()

        def refused() -> bool:
            record = read_record(engine, outcome.directive.id)
            return any(event.type == "run.refused" for event in record.events)

        await until(refused)
        await swept(client)
    record = read_record(engine, outcome.directive.id)
    assert (record.directive.status, record.directive.status_reason) == ("aborted", "canceled")
    found = [each for each in told if each.directive_id == outcome.directive.id]
    assert found == [read_ended_run(engine, outcome.directive.id)]
    assert (found[0].run_status, found[0].status, found[0].artifacts) == ("canceled", "aborted", ())


async def test_a_run_whose_module_returns_while_its_worker_ends_is_told(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.workflows.worker.GRACEFUL_SHUTDOWN", timedelta(0))
    told: list[EndedRun] = []
    held = Held()
    close = Underway.close

    def release(underway: Underway) -> None:
        # Its activity is given up, and it works on.
        close(underway)
        held.released.set()

    monkeypatch.setattr(Underway, "close", release)
    async with served(client, engine, told.append, held):
        [outcome] = await control(client, engine).propose([directive(type="test")], by=AGENT)
        await until(held.called.is_set)
    [one] = [each for each in told if each.directive_id == outcome.directive.id]
    assert (one.run_status, one.status, one.attempts) == ("completed", "complete", 1)
    assert [each.type for each in one.artifacts] == ["module_output"]
    assert read_record(engine, outcome.directive.id).directive.status == "complete"
