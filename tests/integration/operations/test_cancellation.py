"""Cancel from every status, and try again from every reason to be blocked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, InvalidInputError, NotFoundError
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import read_directive, read_record
from remit.operations.gate.approvals import settle
from remit.operations.gate.proposals import submit
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from remit.policy.config import PolicyConfig
from remit.vocabulary import BlockReason
from tests.support.contents import (
    AUTHORITY,
    LONG,
    SHORT,
    asking,
    cast,
    finish,
    no,
    policy,
    proposed,
    regrant,
    under,
    waiting,
    write,
)
from tests.support.people import OPERATOR

Make = Callable[[sa.Engine], DirectiveRead]


def draft(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, status="draft")


def approved_by_people(engine: sa.Engine) -> DirectiveRead:
    found = waiting(engine)
    return cast(engine, found).directive


def running(engine: sa.Engine) -> DirectiveRead:
    return start_run(engine, proposed(engine).id, lambda _: SHORT, AUTHORITY).directive


def about_to_run(engine: sa.Engine) -> DirectiveRead:
    return start_run(engine, proposed(engine).id, lambda _: LONG, AUTHORITY).directive


def ended(engine: sa.Engine, output: ModuleOutput) -> DirectiveRead:
    run = start_run(engine, proposed(engine).id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    finish(engine, run, output)
    return read_directive(engine, run.directive_id)


def complete(engine: sa.Engine) -> DirectiveRead:
    return ended(engine, ModuleOutput.success())


def aborted(engine: sa.Engine) -> DirectiveRead:
    return ended(engine, ModuleOutput.failure("no"))


def blocked(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, type="shell")


@pytest.mark.parametrize(
    ("make", "request_status", "voids"),
    [
        (waiting, "canceled", False),
        (proposed, None, True),
        (approved_by_people, "canceled", True),
    ],
    ids=["waiting", "approved by policy", "approved by people"],
)
def test_what_has_not_begun_is_blocked_and_its_approval_withdrawn(
    engine: sa.Engine, make: Make, request_status: str | None, *, voids: bool
) -> None:
    found = make(engine)
    after, before = cancel(engine, found.id, by=OPERATOR, reason="changed my mind")
    assert before == found.status
    assert (after.status, after.status_reason) == ("blocked", "canceled")
    record = read_record(engine, found.id)
    assert record.directive == after
    assert (record.request.status if record.request else None) == request_status
    assert (record.grant.void_reason if record.grant else None) == ("canceled" if voids else None)
    assert record.events[-1].actor == "operator"
    assert '"changed my mind"' in record.events[-1].data
    assert record.broken_at is None


@pytest.mark.parametrize("make", [running, about_to_run])
def test_what_has_begun_is_aborted_and_its_run_canceled(engine: sa.Engine, make: Make) -> None:
    found = make(engine)
    after, before = cancel(engine, found.id, by=OPERATOR, reason=None)
    assert before == "executing"
    assert (after.status, after.status_reason) == ("aborted", "canceled")
    run = read_record(engine, found.id).run
    assert run is not None
    assert run.status == "canceled"
    assert run.ended_at is not None


@pytest.mark.parametrize("make", [draft, blocked, complete, aborted])
def test_where_nothing_is_under_way_there_is_nothing_to_stop(engine: sa.Engine, make: Make) -> None:
    found = make(engine)
    before = read_record(engine, found.id)
    with pytest.raises(ConflictError) as caught:
        cancel(engine, found.id, by=OPERATOR, reason=None)
    assert str(caught.value) == (
        f"directive {found.id} is {found.status}; there is nothing to stop"
    )
    assert read_record(engine, found.id) == before


def test_canceling_what_does_not_exist_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(NotFoundError):
        cancel(engine, uuid4(), by=OPERATOR, reason=None)


def test_a_reason_that_cannot_be_kept_is_refused_with_its_field(engine: sa.Engine) -> None:
    found = proposed(engine)
    with pytest.raises(InvalidInputError) as caught:
        cancel(engine, found.id, by=OPERATOR, reason="a NUL \x00 byte")
    assert str(caught.value) == "reason: holds a NUL byte: remove it"
    assert read_record(engine, found.id).directive.status == "approved"


def test_a_canceled_grant_starts_nothing_even_if_the_status_is_forged(engine: sa.Engine) -> None:
    found = proposed(engine)
    cancel(engine, found.id, by=OPERATOR, reason=None)
    write(
        engine,
        "UPDATE directives SET status = 'approved', status_reason = NULL WHERE id = :id",
        id=found.id,
    )
    state = start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "canceled")


def rejected(engine: sa.Engine) -> DirectiveRead:
    found = waiting(engine)
    return cast(engine, found, no(found)).directive


def expired(engine: sa.Engine) -> DirectiveRead:
    found = waiting(engine)
    past = "UPDATE approval_requests SET expires_at = now() WHERE directive_id = :id"
    write(engine, past, id=found.id)
    return settle(engine, found.id).directive


def canceled(engine: sa.Engine) -> DirectiveRead:
    return cancel(engine, proposed(engine).id, by=OPERATOR, reason=None)[0]


def withheld(engine: sa.Engine) -> DirectiveRead:
    limited = policy(budget_limits=[{"name": "all", "ceiling": "60.00", "period": "month"}])
    first, second = (waiting(engine, limited, budget="$40") for _ in range(2))
    cast(engine, first, policy=limited)
    return cast(engine, second, policy=limited).directive


def voided(engine: sa.Engine, **changes: Any) -> DirectiveRead:
    found = proposed(engine)
    if changes:
        regrant(engine, found.id, **changes)
    else:
        write(engine, "DELETE FROM grants WHERE directive_id = :id", id=found.id)
    return start_run(engine, found.id, lambda _: SHORT, AUTHORITY).directive


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BLOCKED_FOR: dict[BlockReason, Make] = {
    "policy": lambda engine: proposed(engine, PolicyConfig()),
    "rejected": rejected,
    "expired": expired,
    "canceled": canceled,
    "approval_expired": partial(voided, issued_at=LONG_AGO, expires_at=LONG_AGO + timedelta(1)),
    "policy_changed": partial(voided, policy_digest="x"),
    "action_changed": partial(voided, action_digest="x"),
    "approval_unverifiable": voided,
    "budget_exhausted": withheld,
}
"""How a directive comes to be blocked for each reason, by way of the real operations."""


@pytest.mark.parametrize("reason", get_args(BlockReason))
def test_a_retry_passes_the_gate_again_and_then_runs(
    engine: sa.Engine, reason: BlockReason
) -> None:
    found = BLOCKED_FOR[reason](engine)
    assert (found.status, found.status_reason) == ("blocked", reason)
    outcome = submit(engine, found.id, AUTHORITY, by=OPERATOR)
    assert not outcome.created
    assert outcome.decision is not None
    again = outcome.directive
    if again.status == "proposed":
        again = cast(engine, again).directive
    assert (again.status, again.status_reason) == ("approved", None)
    state = start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    assert state.run is not None
    after = finish(engine, state.run, ModuleOutput.success())
    assert after.status == "complete"
    record = read_record(engine, found.id)
    assert "directive.retried" in [event.type for event in record.events]
    assert record.broken_at is None


def test_a_retry_under_a_policy_that_still_blocks_is_blocked_again(engine: sa.Engine) -> None:
    found = blocked(engine)
    outcome = submit(engine, found.id, AUTHORITY, by=OPERATOR)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")


def test_a_retry_asks_people_again_whatever_they_said_before(engine: sa.Engine) -> None:
    found = approved_by_people(engine)
    cancel(engine, found.id, by=OPERATOR, reason=None)
    outcome = submit(engine, found.id, AUTHORITY, by=OPERATOR)
    assert outcome.directive.status == "proposed"
    record = read_record(engine, found.id)
    assert record.request is not None
    assert (record.request.status, record.votes) == ("pending", ())


def test_under_a_stricter_policy_a_retry_of_what_ran_out_needs_two(engine: sa.Engine) -> None:
    found = expired(engine)
    strict = asking(required_approvals=2)
    submit(engine, found.id, under(strict), by=OPERATOR)
    assert cast(engine, found, policy=strict).missing == 1
