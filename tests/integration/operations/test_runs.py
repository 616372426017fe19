"""Act: a grant is consumed once, verified at that moment; a late attempt is refused."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.audit.repository import event_data
from remit.directives.models import DirectiveRead
from remit.execution.models import MAX_ATTEMPTS, ExecutionRunRead
from remit.execution.modules.registry import ModuleInfo
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import read_record
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.cancellation import cancel
from remit.operations.runs.starts import RunState
from tests.support.contents import (
    AUTHORITY,
    LONG,
    SHORT,
    cast,
    finish,
    policy,
    proposed,
    regrant,
    under,
    waiting,
    write,
)
from tests.support.people import OPERATOR
from tests.support.races import at_once, refused

DONE = ModuleOutput.success({"said": "hello"})


def start(engine: sa.Engine, directive: DirectiveRead, choice: ModuleInfo = SHORT) -> RunState:
    return start_run(engine, directive.id, lambda _: choice, AUTHORITY)


def started(engine: sa.Engine, directive: DirectiveRead) -> ExecutionRunRead:
    """Start a short run, which must succeed."""
    run = start(engine, directive).run
    assert run is not None
    return run


def number_of_runs(engine: sa.Engine, directive_id: UUID) -> int:
    statement = sa.text("SELECT count(*) FROM execution_runs WHERE directive_id = :id")
    with engine.connect() as connection:
        count: int = connection.execute(statement, {"id": directive_id}).scalar_one()
    return count


def test_starting_consumes_the_grant_and_begins_a_short_module(engine: sa.Engine) -> None:
    found = proposed(engine)
    run = started(engine, found)
    record = read_record(engine, found.id)
    assert record.run == run
    assert record.grant is not None
    assert (run.status, run.attempts, run.grant_id) == ("running", 1, record.grant.id)
    assert run.started_at is not None
    assert record.directive.status == "executing"
    assert [one.type for one in record.artifacts] == ["policy_evaluation", "execution_start"]
    assert record.artifacts[1].metadata["grant"] == str(record.grant.id)
    assert [event.type for event in record.events[-3:]] == [
        "grant.consumed",
        "directive.executing",
        "run.attempted",
    ]


def test_a_long_module_is_only_begun_by_the_worker_that_calls_it(engine: sa.Engine) -> None:
    found = proposed(engine)
    run = start(engine, found, LONG).run
    assert run is not None
    assert (run.status, run.attempts, run.started_at) == ("pending", 0, None)
    begun = begin_run(engine, found.id, lambda _: LONG, AUTHORITY).run
    assert begun is not None
    assert (begun.id, begun.status, begun.attempts) == (run.id, "running", 1)


def test_ending_completes_run_and_directive_and_keeps_the_result(engine: sa.Engine) -> None:
    found = proposed(engine)
    after = finish(engine, started(engine, found), DONE)
    assert (after.status, after.status_reason) == ("complete", None)
    record = read_record(engine, found.id)
    assert record.run is not None
    assert record.run.status == "completed"
    assert record.run.ended_at is not None
    assert record.run.result == {
        "status": "success",
        "result": {"said": "hello"},
        "error": None,
        "cost": None,
    }
    assert [one.type for one in record.artifacts[2:]] == ["execution_checkpoint", "execution_end"]
    assert [event.type for event in record.events[-2:]] == ["run.ended", "directive.completed"]
    assert record.broken_at is None


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (ModuleOutput.failure("no paper"), "module_failed"),
        (ModuleOutput.failure(""), "module_failed"),
        (ModuleOutput.error_("it broke"), "module_error"),
        (ModuleOutput.error_("none such", error_type="module_not_found"), "module_error"),
        (ModuleOutput.error_("bad", error_type="invalid_input"), "module_error"),
        (ModuleOutput.error_("slow", error_type="timed_out"), "timed_out"),
    ],
)
def test_what_does_not_succeed_aborts_with_its_reason(
    engine: sa.Engine, output: ModuleOutput, reason: str
) -> None:
    found = proposed(engine)
    after = finish(engine, started(engine, found), output)
    assert (after.status, after.status_reason) == ("aborted", reason)
    record = read_record(engine, found.id)
    run = record.run
    assert run is not None
    assert output.error is not None
    assert event_data(record.events[-1])["because"] == [output.error.message]
    assert run.status == "failed"
    assert (run.error_type, run.error_message) == (output.error.error_type, output.error.message)


def test_twenty_workers_at_once_make_one_run(engine: sa.Engine) -> None:
    found = proposed(engine)
    states = at_once(lambda _: start(engine, found, LONG), 20)
    assert len({state.run.id for state in states if state.run}) == 1
    assert number_of_runs(engine, found.id) == 1
    record = read_record(engine, found.id)
    assert [event.type for event in record.events].count("grant.consumed") == 1
    assert record.broken_at is None


def test_twenty_workers_at_once_never_begin_more_attempts_than_allowed(engine: sa.Engine) -> None:
    found = proposed(engine)
    at_once(refused(lambda _: start(engine, found)), 20)
    run = read_record(engine, found.id).run
    assert run is not None
    assert run.attempts <= MAX_ATTEMPTS
    assert number_of_runs(engine, found.id) == 1


def let_it_expire(engine: sa.Engine, directive: DirectiveRead) -> None:
    issued = regrant(engine, directive.id).issued_at
    regrant(engine, directive.id, expires_at=issued + timedelta(microseconds=1))


def change_the_content(engine: sa.Engine, directive: DirectiveRead) -> None:
    write(engine, "UPDATE directives SET objective = 'Other.' WHERE id = :id", id=directive.id)


def change_the_module(engine: sa.Engine, directive: DirectiveRead) -> None:
    regrant(engine, directive.id, module="noop")


def announce_another_module(engine: sa.Engine, directive: DirectiveRead) -> None:
    regrant(engine, directive.id, module_digest="sha256:other")


def void_it(engine: sa.Engine, directive: DirectiveRead) -> None:
    write(
        engine,
        "UPDATE grants SET voided_at = now(), void_reason = 'policy_changed'"
        " WHERE directive_id = :id",
        id=directive.id,
    )


def remove_it(engine: sa.Engine, directive: DirectiveRead) -> None:
    write(engine, "DELETE FROM grants WHERE directive_id = :id", id=directive.id)


@pytest.mark.parametrize("by_people", [False, True])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (let_it_expire, "approval_expired"),
        (change_the_content, "action_changed"),
        (change_the_module, "action_changed"),
        (announce_another_module, "action_changed"),
        (void_it, "policy_changed"),
        (remove_it, "approval_unverifiable"),
    ],
)
def test_a_grant_that_no_longer_holds_starts_nothing_and_blocks(
    engine: sa.Engine,
    spoil: Callable[[sa.Engine, DirectiveRead], None],
    reason: str,
    *,
    by_people: bool,
) -> None:
    found = waiting(engine) if by_people else proposed(engine)
    if by_people:
        cast(engine, found)
    spoil(engine, found)
    state = start(engine, found)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", reason)
    record = read_record(engine, found.id)
    assert record.run is None
    assert record.grant is None or record.grant.void_reason == reason
    assert [event.type for event in record.events[-2:]] == ["grant.voided", "directive.blocked"]
    if record.grant is not None and record.request is not None:
        assert record.request.status == "invalidated"


def test_a_grant_given_under_another_policy_starts_nothing(engine: sa.Engine) -> None:
    found = proposed(engine)
    changed = policy(budget_ceiling="99.00")
    state = start_run(engine, found.id, lambda _: SHORT, under(changed))
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "policy_changed")
    grant = read_record(engine, found.id).grant
    assert grant is not None
    assert grant.void_reason == "policy_changed"


def test_an_approval_by_people_is_consumed_with_its_grant(engine: sa.Engine) -> None:
    found = waiting(engine)
    cast(engine, found)
    start(engine, found)
    record = read_record(engine, found.id)
    assert record.request is not None
    assert record.request.status == "consumed"
    assert record.artifacts[1].metadata["approved_by"] == ["operator"]


@pytest.mark.parametrize("scope", ["staging", "production"])
def test_what_was_not_approved_is_not_started(engine: sa.Engine, scope: str) -> None:
    found = proposed(engine, scope=scope)
    before = read_record(engine, found.id)
    assert start(engine, found) == RunState(found, None)
    assert read_record(engine, found.id) == before


def test_a_success_of_an_attempt_counts_although_a_later_one_has_begun(engine: sa.Engine) -> None:
    found = proposed(engine)
    first, second = started(engine, found), started(engine, found)
    assert (first.id, first.attempts, second.attempts) == (second.id, 1, 2)
    assert finish(engine, first, DONE).status == "complete"
    assert finish(engine, second, DONE).status == "complete"
    assert finish(engine, second, ModuleOutput.failure("again")).status == "complete"
    record = read_record(engine, found.id)
    assert [event.type for event in record.events].count("run.refused") == 2
    assert [event.type for event in record.events].count("run.ended") == 1
    assert record.broken_at is None


def test_the_result_of_a_canceled_run_is_refused_and_on_record(engine: sa.Engine) -> None:
    found = proposed(engine)
    run = started(engine, found)
    cancel(engine, found.id, by=OPERATOR, reason=None)
    after = finish(engine, run, DONE)
    assert (after.status, after.status_reason) == ("aborted", "canceled")
    record = read_record(engine, found.id)
    assert record.events[-1].type == "run.refused"
    assert record.run is not None
    assert record.run.result is None


def test_a_run_that_was_begun_too_often_and_never_ended_is_in_doubt(engine: sa.Engine) -> None:
    found = proposed(engine)
    for _ in range(MAX_ATTEMPTS):
        assert started(engine, found).status == "running"
    state = start(engine, found)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("executing", "in_doubt")
    record = read_record(engine, found.id)
    assert record.run is not None
    assert (record.run.status, record.run.attempts) == ("running", MAX_ATTEMPTS)
    assert record.events[-1].type == "directive.in_doubt"
    assert start(engine, found) == state
    assert read_record(engine, found.id) == record


def test_beginning_what_has_ended_begins_nothing(engine: sa.Engine) -> None:
    found = proposed(engine)
    finish(engine, started(engine, found), DONE)
    state = begin_run(engine, found.id, lambda _: LONG, AUTHORITY)
    assert (state.directive.status, state.run) == ("complete", None)
