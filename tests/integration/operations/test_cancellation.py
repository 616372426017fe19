"""Cancel from every status, and try again from every reason to be blocked."""

from collections.abc import Callable
from typing import get_args
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.directives.models import BlockReason, DirectiveRead
from remit.errors import ConflictError, InvalidInputError, NotFoundError
from remit.execution.modules.types import ModuleOutput
from remit.operations.approvals import settle, vote
from remit.operations.cancellation import cancel
from remit.operations.evidence import read_directive, read_record
from remit.operations.gate import submit
from remit.operations.runs import start_run
from remit.policy.config import PolicyConfig
from tests.support.contents import (
    LONG,
    POLICY,
    SHORT,
    asking,
    finish,
    no,
    proposed,
    waiting,
    write,
    yes,
)

Make = Callable[[sa.Engine], DirectiveRead]


def draft(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, status="draft")


def approved_by_people(engine: sa.Engine) -> DirectiveRead:
    found = waiting(engine)
    return vote(engine, found.id, yes(found), POLICY).directive


def running(engine: sa.Engine) -> DirectiveRead:
    return start_run(engine, proposed(engine).id, lambda _: SHORT, POLICY).directive


def about_to_run(engine: sa.Engine) -> DirectiveRead:
    return start_run(engine, proposed(engine).id, lambda _: LONG, POLICY).directive


def ended(engine: sa.Engine, output: ModuleOutput) -> DirectiveRead:
    run = start_run(engine, proposed(engine).id, lambda _: SHORT, POLICY).run
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
    after, before = cancel(engine, found.id, actor="operator", reason="changed my mind")
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
    after, before = cancel(engine, found.id, actor="operator", reason=None)
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
        cancel(engine, found.id, actor="operator", reason=None)
    assert str(caught.value) == (
        f"directive {found.id} is {found.status}; there is nothing to stop"
    )
    assert read_record(engine, found.id) == before


def test_canceling_what_does_not_exist_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(NotFoundError):
        cancel(engine, uuid4(), actor="operator", reason=None)


@pytest.mark.parametrize("field", ["actor", "reason"])
def test_text_that_cannot_be_kept_is_refused_with_its_field(engine: sa.Engine, field: str) -> None:
    found = proposed(engine)
    fields = {"actor": "operator", "reason": "because"} | {field: "a NUL \x00 byte"}
    with pytest.raises(InvalidInputError) as caught:
        cancel(engine, found.id, actor=fields["actor"], reason=fields["reason"])
    assert str(caught.value) == f"{field}: holds a NUL byte: remove it"
    assert read_record(engine, found.id).directive.status == "approved"


def test_a_canceled_grant_starts_nothing_even_if_the_status_is_forged(engine: sa.Engine) -> None:
    found = proposed(engine)
    cancel(engine, found.id, actor="operator", reason=None)
    write(
        engine,
        "UPDATE directives SET status = 'approved', status_reason = NULL WHERE id = :id",
        id=found.id,
    )
    state = start_run(engine, found.id, lambda _: SHORT, POLICY)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "canceled")


def blocked_for(engine: sa.Engine, reason: str) -> DirectiveRead:
    """Return a directive that is blocked for the given reason, by way of the real operations."""
    if reason == "policy":
        return proposed(engine, PolicyConfig())
    if reason in {"rejected", "expired"}:
        found = waiting(engine)
        if reason == "rejected":
            return vote(engine, found.id, no(found), POLICY).directive
        past = "UPDATE approval_requests SET expires_at = now() WHERE directive_id = :id"
        write(engine, past, id=found.id)
        return settle(engine, found.id).directive
    found = proposed(engine)
    if reason == "canceled":
        return cancel(engine, found.id, actor="operator", reason=None)[0]
    spoil = {
        "approval_expired": "UPDATE grants SET expires_at = now() WHERE directive_id = :id",
        "policy_changed": "UPDATE grants SET policy_digest = 'x' WHERE directive_id = :id",
        "action_changed": "UPDATE grants SET action_digest = 'x' WHERE directive_id = :id",
        "approval_unverifiable": "DELETE FROM grants WHERE directive_id = :id",
    }
    write(engine, spoil[reason], id=found.id)
    return start_run(engine, found.id, lambda _: SHORT, POLICY).directive


@pytest.mark.parametrize("reason", get_args(BlockReason))
def test_a_retry_passes_the_gate_again_and_then_runs(engine: sa.Engine, reason: str) -> None:
    found = blocked_for(engine, reason)
    assert (found.status, found.status_reason) == ("blocked", reason)
    outcome = submit(engine, found.id, actor="operator", policy=POLICY)
    assert not outcome.created
    assert outcome.decision is not None
    again = outcome.directive
    if again.status == "proposed":
        again = vote(engine, found.id, yes(again), POLICY).directive
    assert (again.status, again.status_reason) == ("approved", None)
    state = start_run(engine, found.id, lambda _: SHORT, POLICY)
    assert state.run is not None
    after = finish(engine, state.run, ModuleOutput.success())
    assert after.status == "complete"
    record = read_record(engine, found.id)
    assert "directive.retried" in [event.type for event in record.events]
    assert record.broken_at is None


def test_a_retry_under_a_policy_that_still_blocks_is_blocked_again(engine: sa.Engine) -> None:
    found = blocked(engine)
    outcome = submit(engine, found.id, actor="operator", policy=POLICY)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")


def test_a_retry_asks_people_again_whatever_they_said_before(engine: sa.Engine) -> None:
    found = approved_by_people(engine)
    cancel(engine, found.id, actor="operator", reason=None)
    outcome = submit(engine, found.id, actor="operator", policy=POLICY)
    assert outcome.directive.status == "proposed"
    record = read_record(engine, found.id)
    assert record.request is not None
    assert (record.request.status, record.votes) == ("pending", ())


def test_under_a_stricter_policy_a_retry_of_what_ran_out_needs_two(engine: sa.Engine) -> None:
    found = blocked_for(engine, "expired")
    strict = asking(required_approvals=2)
    submit(engine, found.id, actor="operator", policy=strict)
    assert vote(engine, found.id, yes(found), strict).missing == 1
