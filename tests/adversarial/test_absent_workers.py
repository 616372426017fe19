"""Whatever becomes of a worker or its tasks, it calls no module twice, and misjudges none."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from temporalio import activity
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from remit.errors import UnavailableError
from remit.execution.models import Standing
from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.operations.evidence.records import read_record
from remit.operations.runs.workers import end_worker
from remit.vocabulary import ModuleKind
from remit.workflows.activities.attempts import Attempts
from remit.workflows.activities.underway import Attempt, Underway
from remit.workflows.lease import Lease
from remit.workflows.messages import ExecutionOrder
from tests.adversarial.attacking import Hands, ended, proposed_many, served, without, worker


class Waits(BaseExecutionModule):
    """Waits until it is let go, then has its effect; a short module in place of `Strike`."""

    name = "test"

    def __init__(self) -> None:
        self.called = threading.Semaphore(0)
        self.released = threading.Event()
        self.effects: list[ModuleInput] = []

    def execute(
        self, module_input: ModuleInput, engine: Any, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Wait, then strike."""
        self.effects.append(module_input)
        self.called.release()
        # In steps: Python raises in a thread between two of its own.
        for _ in range(600):
            if self.released.wait(0.05):
                break
        return ModuleOutput.success()


class LongWaits(Waits):
    """The same as a long module, in place of `LongStrike`."""

    name = "validate"
    kind: ClassVar[ModuleKind] = "long"


@pytest.fixture
def first(empty_engine: sa.Engine) -> Iterator[Hands]:
    with worker(empty_engine) as made:
        yield made


@pytest.fixture
def second(empty_engine: sa.Engine, first: Hands) -> Iterator[Hands]:
    with worker(empty_engine) as made:
        yield made


def lost(hands: Hands, module: str = "test") -> UUID:
    """Return a directive that a worker was at when it was stopped, before it called its module."""
    [found] = proposed_many(hands.engine, [{"type": module}])
    hands.lose(found.id)
    return found.id


def replaced(hands: Hands, waits: Waits) -> Waits:
    """Put a module in the place of the one of its name."""
    registry = hands.short.modules.registry
    registry._modules[waits.name] = (waits, registry._modules[waits.name][1])
    return waits


@pytest.mark.parametrize("module", ["test", "validate"])
def test_a_run_is_not_begun_again_while_a_worker_that_lives_is_at_it(
    first: Hands, second: Hands, module: str
) -> None:
    victim = lost(first, module)
    with pytest.raises(UnavailableError, match="attempt 1 is under way with worker"):
        second.work(victim)
    assert second.effects == []
    end_worker(first.engine, first.short.lease.worker.id)
    assert second.work(victim).status == "complete"
    assert [one.attempt for one in second.effects] == [2]


def test_the_database_refuses_the_second_attempt_too(
    first: Hands, second: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = lost(first)
    monkeypatch.setattr(Standing, "open", ())
    with pytest.raises(Exception, match="remit_attempt_alone"):
        second.work(victim)
    assert second.effects == []


def test_without_both_defences_two_workers_are_at_one_run(
    first: Hands, second: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = lost(first)
    without(first.engine, "execution_attempts.remit_attempt_alone")
    monkeypatch.setattr(Standing, "open", ())
    assert second.work(victim).status == "complete"
    assert len(second.effects) == 1


def overtaken(first: Hands, second: Hands, patch: pytest.MonkeyPatch) -> UUID:
    """Stop a worker between the beginning of an attempt and the call, for longer than its lease."""
    [found] = proposed_many(first.engine, [{"type": "test"}])
    may_call = Attempts._may_call

    def stopped(attempts: Attempts, run: Any) -> bool:
        if attempts.lease is not first.short.lease:
            return may_call(attempts, run)
        with first.engine.begin() as connection:
            over = "UPDATE workers SET lease_until = now() - interval '1 s' WHERE id = %(id)s"
            connection.exec_driver_sql(over, {"id": attempts.lease.worker.id})
        attempts.lease._good_until = float("-inf")
        assert second.work(found.id).status == "complete"
        return may_call(attempts, run)

    patch.setattr(Attempts, "_may_call", stopped)
    first.start(found.id)
    return found.id


def test_a_worker_that_was_away_finds_out_before_it_calls_a_module(
    first: Hands, second: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = overtaken(first, second, monkeypatch)
    assert (len(first.effects), len(second.effects)) == (0, 1)
    assert ended(first.engine, victim) == ("complete", None)
    record = read_record(first.engine, victim)
    assert record.events[-1].type == "run.refused"
    assert "not called" in record.events[-1].data


def test_a_worker_that_asks_nobody_calls_it_again(
    first: Hands, second: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lease, "is_current", lambda _: True)
    overtaken(first, second, monkeypatch)
    assert (len(first.effects), len(second.effects)) == (1, 1)


def twice(hands: Hands, waits: Waits) -> list[object]:
    """Hand one directive's activity out twice, and return what both say."""
    [found] = proposed_many(hands.engine, [{"type": waits.name}])
    call = hands.start
    if waits.name == "validate":
        hands.start(found.id)
        call = hands.call

    def told() -> object:
        try:
            return call(found.id).status
        except UnavailableError as error:
            return error

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(told)
        assert waits.called.acquire(timeout=20)
        other = threads.submit(told)
        # Until it calls the module as well, or has had its answer, or for a while.
        waits.called.acquire(timeout=1)
        waits.released.set()
        return [one.result(), other.result()]


def test_a_task_that_is_handed_out_again_joins_the_attempt_of_a_long_module(first: Hands) -> None:
    waits = replaced(first, LongWaits())
    assert twice(first, waits) == ["complete", "complete"]
    assert len(waits.effects) == 1


def test_a_task_that_is_handed_out_again_waits_for_the_attempt_of_a_short_module(
    first: Hands,
) -> None:
    waits = replaced(first, Waits())
    one, other = twice(first, waits)
    assert one == "complete"
    assert isinstance(other, UnavailableError)
    assert len(waits.effects) == 1


@pytest.mark.parametrize("kind", [Waits, LongWaits])
def test_a_worker_that_forgets_what_it_is_at_calls_the_module_twice(
    first: Hands, monkeypatch: pytest.MonkeyPatch, kind: type[Waits]
) -> None:
    def forgetful(_: Underway, directive_id: UUID) -> Attempt:
        made = Attempt(directive_id)
        made.step.set_running_or_notify_cancel()
        return made

    def told(_: Underway, attempt: Attempt, step: Any) -> None:
        attempt.step.set_result(step)

    monkeypatch.setattr(Underway, "find", lambda *_: None)
    monkeypatch.setattr(Underway, "begin", forgetful)
    monkeypatch.setattr(Underway, "end", told)
    waits = replaced(first, kind())
    twice(first, waits)
    assert len(waits.effects) == 2


def canceled(hands: Hands, run: Any) -> UUID:
    """Let Temporal cancel the activity of a short module while that works."""
    waits = replaced(hands, Waits())
    [found] = proposed_many(hands.engine, [{"type": "test"}])
    order = ExecutionOrder(str(found.id), None)
    environment: ActivityEnvironment = served(order)
    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(environment.run, run, order)
        assert waits.called.acquire(timeout=20)
        environment.cancel()
        waits.released.set()
        with contextlib.suppress(CancelledError):
            working.result()
    return found.id


def test_a_cancellation_by_temporal_is_no_answer_of_the_module(first: Hands) -> None:
    victim = canceled(first, first.short.execute_directive)
    assert ended(first.engine, victim) == ("complete", None)


def test_a_cancellation_that_is_raised_in_the_module_is_taken_for_its_answer(first: Hands) -> None:
    @activity.defn
    def careless(order: ExecutionOrder) -> Any:
        return first.short.execute_directive(order)

    victim = canceled(first, careless)
    assert ended(first.engine, victim) == ("aborted", "module_error")


def test_an_activity_that_is_canceled_leaves_its_long_module_to_end_the_run(first: Hands) -> None:
    waits = replaced(first, LongWaits())
    [found] = proposed_many(first.engine, [{"type": "validate"}])
    first.start(found.id)
    order = ExecutionOrder(str(found.id), None)

    async def call() -> None:
        environment = served(order)
        working = asyncio.ensure_future(environment.run(first.short.execute_module, order))
        await asyncio.to_thread(waits.called.acquire)
        environment.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        under_way = first.short.modules.underway.find(found.id)
        assert under_way is not None
        waits.released.set()
        await asyncio.wrap_future(under_way.step)

    asyncio.run(call())
    assert ended(first.engine, found.id) == ("complete", None)
