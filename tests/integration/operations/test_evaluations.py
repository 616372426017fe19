"""What observers are told of ended runs: which ended, how, and nothing of what they did."""

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.artifacts.repository import new_artifact
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, NotFoundError
from remit.execution.ended_repository import MOST_LISTED, EndedFilter
from remit.execution.models import EndedRun, LeftArtifact
from remit.execution.modules.registry import discover_modules
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import (
    find_ended_uncalled,
    read_ended_run,
    read_ended_runs,
    read_record,
)
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.cancellation import cancel
from remit.operations.runs.results import end_run
from tests.integration.operations.lives import LIVES, canceled_run, exhausted, late, ran
from tests.support.contents import AUTHORITY, LONG, SHORT, policy, proposed, under, write
from tests.support.keys import WORKER
from tests.support.people import OPERATOR

Life = Callable[[sa.Engine], DirectiveRead]

_NOOP = discover_modules(installed=()).describe_module("noop")
assert _NOOP is not None
NOOP = _NOOP

OTHER = under(policy(budget_ceiling="99.00"))


def canceled_unbegun(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine)
    start_run(engine, found.id, lambda _: LONG, AUTHORITY)
    cancel(engine, found.id, by=OPERATOR, reason=None)
    return found


def void_before_its_first_attempt(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine)
    start_run(engine, found.id, lambda _: LONG, AUTHORITY)
    begin_run(engine, found.id, lambda _: LONG, OTHER)
    return found


def void_before_its_second_attempt(engine: sa.Engine) -> DirectiveRead:
    found = ran(engine, proposed(engine), ModuleOutput.failure("away", retryable=True))
    start_run(engine, found.id, lambda _: SHORT, OTHER)
    return found


def void_at_its_start(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine)
    start_run(engine, found.id, lambda _: SHORT, OTHER)
    return found


def with_output(output: ModuleOutput) -> Life:
    return lambda engine: ran(engine, proposed(engine), output)


UNCALLED: dict[str, tuple[Life, str, int]] = {
    "canceled while its module worked": (canceled_run, "canceled", 1),
    "canceled, and its module returned too late": (late, "canceled", 1),
    "canceled before it began": (canceled_unbegun, "canceled", 0),
    "its grant was void before its first attempt": (void_before_its_first_attempt, "failed", 0),
    "its grant was void before its second attempt": (void_before_its_second_attempt, "failed", 1),
}
CALLED: dict[str, tuple[Life, str, int]] = {
    "completed": (with_output(ModuleOutput.success()), "completed", 1),
    "failed": (with_output(ModuleOutput.failure("no paper")), "failed", 1),
    "raised": (with_output(ModuleOutput.error_("no answer")), "failed", 1),
    "timed out": (with_output(ModuleOutput.error_("late", error_type="timed_out")), "failed", 1),
}
ENDS = UNCALLED | CALLED
NO_ENDS = {name: LIVES[name] for name in ("draft", "blocked", "waiting", "approved", "running")} | {
    "its grant was void at its start": void_at_its_start,
    "its attempts were exhausted": exhausted,
}


def uncalled(
    engine: sa.Engine, *known: EndedRun, within: timedelta = timedelta(hours=1), limit: int = 1000
) -> list[EndedRun]:
    return find_ended_uncalled(
        engine, within=within, known=[each.run_id for each in known], limit=limit
    )


@pytest.mark.parametrize("end", ENDS)
def test_every_end_is_read_as_it_was(engine: sa.Engine, end: str) -> None:
    life, run_status, attempts = ENDS[end]
    record = read_record(engine, life(engine).id)
    found, directive, run = (
        read_ended_run(engine, record.directive.id),
        record.directive,
        record.run,
    )
    assert run is not None
    assert run.ended_at is not None
    took = None if run.started_at is None else (run.ended_at - run.started_at).total_seconds()
    assert found == EndedRun(
        directive_id=directive.id,
        type="echo",
        role="operations",
        status=directive.status,
        run_id=run.id,
        module="echo",
        run_status=run_status,
        attempts=attempts,
        seconds=took,
    )
    assert (found.seconds is None) == (attempts == 0)
    assert found in read_ended_runs(engine, EndedFilter())


@pytest.mark.parametrize("end", ENDS)
def test_those_that_no_module_ended_are_found_and_no_others(engine: sa.Engine, end: str) -> None:
    found = read_ended_run(engine, ENDS[end][0](engine).id)
    assert (found in uncalled(engine)) == (end in UNCALLED)


@pytest.mark.parametrize("life", NO_ENDS)
def test_what_has_not_ended_is_not_told_of(engine: sa.Engine, life: str) -> None:
    found = NO_ENDS[life](engine)
    status = read_record(engine, found.id).directive.status
    with pytest.raises(ConflictError, match=f"is {status}: no run of it has ended"):
        read_ended_run(engine, found.id)
    told = [*read_ended_runs(engine, EndedFilter()), *uncalled(engine)]
    assert found.id not in {each.directive_id for each in told}


def test_of_an_unknown_directive_that_is_said(engine: sa.Engine) -> None:
    with pytest.raises(NotFoundError):
        read_ended_run(engine, uuid4())


def test_the_first_to_end_come_first_without_what_is_known_or_too_old(
    empty_engine: sa.Engine,
) -> None:
    made = [canceled_run(empty_engine) for _ in range(4)]
    runs = [read_ended_run(empty_engine, each.id) for each in made]
    assert uncalled(empty_engine) == runs
    assert uncalled(empty_engine, limit=2) == runs[:2]
    assert uncalled(empty_engine, runs[0], runs[2]) == [runs[1], runs[3]]
    old = "UPDATE directives SET updated_at = now() - interval '2 hours' WHERE id = :id"
    write(empty_engine, old, id=made[1].id)
    assert uncalled(empty_engine) == [runs[0], *runs[2:]]
    assert uncalled(empty_engine, within=timedelta(hours=3)) == [runs[1], runs[0], *runs[2:]]


@pytest.fixture
def four_runs(empty_engine: sa.Engine) -> tuple[sa.Engine, list[DirectiveRead]]:
    contents = [{}, {"role": "painter", "type": "noop"}, {"role": "painter"}, {"type": "noop"}]
    return empty_engine, [
        ran(empty_engine, proposed(empty_engine, **each), choice=NOOP if "type" in each else SHORT)
        for each in contents
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EndedFilter(), [3, 2, 1, 0]),
        (EndedFilter(limit=2), [3, 2]),
        (EndedFilter(limit=MOST_LISTED + 1), [3, 2, 1, 0]),
        (EndedFilter(role="painter"), [2, 1]),
        (EndedFilter(type="noop"), [3, 1]),
        (EndedFilter(role="painter", type="noop"), [1]),
        (EndedFilter(role="painter", type="noop", limit=1), [1]),
        (EndedFilter(role="nobody"), []),
    ],
)
def test_the_last_to_end_come_first_as_far_as_they_are_wanted(
    four_runs: tuple[sa.Engine, list[DirectiveRead]], wanted: EndedFilter, expected: list[int]
) -> None:
    engine, made = four_runs
    found = read_ended_runs(engine, wanted)
    assert [each.directive_id for each in found] == [made[each].id for each in expected]


def test_what_a_module_left_is_told_by_its_digest_and_no_other_evidence(engine: sa.Engine) -> None:
    found = proposed(engine)
    run = start_run(engine, found.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    left = [
        new_artifact("module_output", {"step": step}, directive_id=found.id, run_id=run.id)
        for step in range(120)
    ]
    end_run(engine, found, run, ModuleOutput.success(), worker=WORKER, emitted=left)
    told = read_ended_run(engine, found.id).artifacts
    assert len(told) == 100
    assert set(told) <= {LeftArtifact("module_output", each.digest) for each in left}


def test_it_is_read_in_one_statement_that_names_no_payload(engine: sa.Engine) -> None:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        read_ended_runs(engine, EndedFilter())
        uncalled(engine)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 2
    for word in ("payload", "result", "error_message", "objective", "metadata", "constraints"):
        assert word not in " ".join(asked)
        assert word not in {each.name for each in fields(EndedRun)}
