"""A row of `execution_runs` carries no authority: the grant that it names is verified again."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import read_record
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.starts import RunState
from tests.integration.operations.forging import (
    FORGERIES,
    Forge,
    approved,
    forged_for,
    grant_of,
    plant,
    plant_run,
)
from tests.support.contents import (
    AUTHORITY,
    LONG,
    SHORT,
    finish,
    policy,
    proposed,
    regrant,
    under,
    waiting,
    write,
)


def begin_long(engine: sa.Engine, found: DirectiveRead) -> RunState:
    return begin_run(engine, found.id, lambda _: LONG, AUTHORITY)


def take_up_short(engine: sa.Engine, found: DirectiveRead) -> RunState:
    return start_run(engine, found.id, lambda _: SHORT, AUTHORITY)


Begin = Callable[[sa.Engine, DirectiveRead], RunState]
BOTH_WAYS = pytest.mark.parametrize("begin", [begin_long, take_up_short])


def assert_ended_unbegun(engine: sa.Engine, state: RunState, reason: str) -> None:
    about = state.directive
    assert (state.run, about.status, about.status_reason) == (None, "aborted", reason)
    record = read_record(engine, about.id)
    assert record.run is not None
    assert (record.run.status, record.run.attempts) == ("failed", 0)
    assert record.run.error_message == f"the grant that it consumed does not hold: {reason}"
    assert "run.attempted" not in [event.type for event in record.events]


@BOTH_WAYS
@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_run_under_a_forged_grant_is_never_begun(
    engine: sa.Engine, forge: Forge, begin: Begin
) -> None:
    found = waiting(engine)
    forged = forge(forged_for(found, engine))
    plant(engine, forged)
    plant_run(engine, found, forged.id)
    assert_ended_unbegun(engine, begin(engine, found), "approval_unverifiable")


@BOTH_WAYS
def test_a_forged_run_under_another_directives_grant_is_never_begun(
    engine: sa.Engine, begin: Begin
) -> None:
    found, other = waiting(engine), proposed(engine)
    plant_run(engine, found, grant_of(engine, other).id)
    assert_ended_unbegun(engine, begin(engine, found), "approval_unverifiable")


@BOTH_WAYS
def test_a_forged_run_under_a_grant_that_was_voided_is_never_begun(
    engine: sa.Engine, begin: Begin
) -> None:
    found = approved(engine)
    void = "UPDATE grants SET voided_at = now(), void_reason = 'canceled' WHERE directive_id = :id"
    write(engine, void, id=found.id)
    plant_run(engine, found, grant_of(engine, found).id)
    assert_ended_unbegun(engine, begin(engine, found), "approval_unverifiable")


@BOTH_WAYS
@pytest.mark.parametrize(
    "change",
    [
        "objective = 'Another.'",
        """payload = '{"say": "goodbye"}'""",
        "scope = 'production'",
        "budget = '$1000000'",
    ],
)
def test_a_run_whose_directive_was_changed_is_not_begun_again(
    engine: sa.Engine, begin: Begin, change: str
) -> None:
    found = approved(engine)
    plant_run(engine, found, grant_of(engine, found).id)
    write(engine, f"UPDATE directives SET {change} WHERE id = :id", id=found.id)  # noqa: S608 - stands above
    assert_ended_unbegun(engine, begin(engine, found), "action_changed")


@BOTH_WAYS
def test_a_run_whose_module_changed_is_not_begun_again(engine: sa.Engine, begin: Begin) -> None:
    found = approved(engine)
    regrant(engine, found.id, module_digest="sha256:other")
    plant_run(engine, found, grant_of(engine, found).id)
    assert_ended_unbegun(engine, begin(engine, found), "action_changed")


def test_another_policy_stops_a_run_before_its_next_attempt(engine: sa.Engine) -> None:
    found = approved(engine)
    run = take_up_short(engine, found).run
    assert run is not None
    finish(engine, run, ModuleOutput.failure("the service is away", retryable=True))
    stricter = under(policy(budget_ceiling="1.00"))
    again = start_run(engine, found.id, lambda _: SHORT, stricter)
    assert again.run is None
    assert (again.directive.status, again.directive.status_reason) == ("aborted", "policy_changed")
    after = read_record(engine, found.id).run
    assert after is not None
    assert (after.status, after.attempts) == ("failed", run.attempts)


def test_another_policy_leaves_a_run_in_doubt_whose_attempt_never_ended(
    engine: sa.Engine,
) -> None:
    found = approved(engine)
    assert take_up_short(engine, found).run is not None
    stricter = under(policy(budget_ceiling="1.00"))
    again = start_run(engine, found.id, lambda _: SHORT, stricter)
    assert again.run is None
    assert (again.directive.status, again.directive.status_reason) == ("executing", "in_doubt")


@BOTH_WAYS
def test_a_directive_that_executes_without_a_run_is_aborted(
    engine: sa.Engine, begin: Begin
) -> None:
    found = approved(engine)
    write(engine, "UPDATE directives SET status = 'executing' WHERE id = :id", id=found.id)
    state = begin(engine, found)
    assert state.run is None
    after = read_record(engine, found.id)
    assert (after.directive.status, after.directive.status_reason) == (
        "aborted",
        "approval_unverifiable",
    )
    assert after.broken_at is None


@BOTH_WAYS
def test_a_run_that_somebody_else_ended_ends_its_directive(engine: sa.Engine, begin: Begin) -> None:
    found = approved(engine)
    plant_run(engine, found, grant_of(engine, found).id)
    write(
        engine,
        "UPDATE execution_runs SET status = 'canceled', ended_at = now() WHERE directive_id = :id",
        id=found.id,
    )
    assert begin(engine, found).run is None
    assert read_record(engine, found.id).directive.status == "aborted"
