"""Pass the gate again: what a change of policy voided, and what was approved before any worker."""

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, ForbiddenError
from remit.execution.modules.registry import discover_modules
from remit.identity.types import Principal
from remit.operations.evidence.explanation import explain
from remit.operations.evidence.records import Record, read_record
from remit.operations.gate.approvals import vote
from remit.operations.gate.authority import Authority
from remit.operations.gate.proposals import submit
from remit.operations.gate.retries import voided
from remit.operations.runs.beginning import start_run
from remit.operations.runs.starts import RunState
from remit.operations.runs.workers import announce, read_modules
from tests.support.contents import (
    AUTHORITY,
    SHORT,
    asking,
    cast,
    policy,
    proposed,
    under,
    waiting,
    write,
    yes,
)
from tests.support.keys import KEYS
from tests.support.people import ADA, AGENT, GRACE, OPERATOR, OTHER_AGENT

LATER = under(policy(version="2"))


def start(engine: sa.Engine, found: DirectiveRead, authority: Authority = AUTHORITY) -> RunState:
    return start_run(engine, found.id, lambda _: SHORT, authority)


def said(engine: sa.Engine, directive_id: UUID) -> list[str]:
    """Return the types of a directive's events."""
    record: Record = read_record(engine, directive_id)
    assert record.broken_at is None
    return [event.type for event in record.events]


def test_what_a_change_of_policy_voided_is_found_oldest_first_and_asked_again_once(
    empty_engine: sa.Engine,
) -> None:
    asked = waiting(empty_engine)
    granted = proposed(empty_engine, issued_by=OTHER_AGENT.name)
    start(empty_engine, granted, LATER)
    waiting(empty_engine, LATER.policy)
    assert voided(empty_engine, AUTHORITY, by=OPERATOR, limit=5)[0] != []
    found = voided(empty_engine, LATER, by=OPERATOR, limit=5)
    assert found == ([asked.id, granted.id], False)
    assert voided(empty_engine, LATER, by=OPERATOR, limit=1) == ([asked.id], True)
    assert voided(empty_engine, LATER, by=OTHER_AGENT, limit=5) == ([granted.id], False)
    after = [submit(empty_engine, each, LATER, by=OPERATOR).directive for each in found[0]]
    assert [each.status for each in after] == ["proposed", "approved"]
    assert voided(empty_engine, LATER, by=OPERATOR, limit=5) == ([], False)
    # To ask twice changes nothing.
    assert submit(empty_engine, asked.id, LATER, by=OPERATOR).decision is None


def test_whoever_only_votes_is_told_of_nothing(empty_engine: sa.Engine) -> None:
    with pytest.raises(ForbiddenError):
        voided(empty_engine, LATER, by=ADA, limit=5)


def test_what_waits_under_another_policy_is_asked_again_and_old_votes_do_not_count(
    empty_engine: sa.Engine,
) -> None:
    two = asking(required_approvals=2)
    found = waiting(empty_engine, two)
    assert cast(empty_engine, found, policy=two, by=ADA).outcome == "pending"
    with pytest.raises(ConflictError, match="policy has changed since it asked"):
        cast(empty_engine, found, by=GRACE)
    again = submit(empty_engine, found.id, AUTHORITY, by=AGENT)
    assert again.directive.status == "proposed"
    assert said(empty_engine, found.id)[3:] == [
        "approval.voted",
        "approval.resolved",
        "directive.blocked",
        "directive.retried",
        "policy.evaluated",
        "approval.requested",
    ]
    request = read_record(empty_engine, found.id).request
    assert request is not None
    assert (request.policy_digest, request.required_approvals) == (AUTHORITY.policy.digest, 1)
    outcome = vote(empty_engine, found.id, yes(found), AUTHORITY, by=GRACE)
    assert (outcome.outcome, outcome.directive.status) == ("approved", "approved")
    grant = read_record(empty_engine, found.id).grant
    assert grant is not None
    assert grant.votes == (GRACE.name,)


def test_what_the_new_policy_blocks_is_blocked_and_not_asked_about(
    empty_engine: sa.Engine,
) -> None:
    found = waiting(empty_engine)
    stricter = under(policy(allowed_scopes=["test"]))
    outcome = submit(empty_engine, found.id, stricter, by=OPERATOR)
    assert (outcome.directive.status, outcome.directive.status_reason) == ("blocked", "policy")
    assert voided(empty_engine, stricter, by=OPERATOR, limit=5) == ([], False)


def test_nobody_asks_again_about_what_another_issued(empty_engine: sa.Engine) -> None:
    found = waiting(empty_engine)
    stranger = Principal("agent-9", "agent", roles=("proposer",))
    with pytest.raises(ForbiddenError):
        submit(empty_engine, found.id, LATER, by=stranger)


def test_what_was_blocked_for_want_of_a_worker_passes_once_one_has_it(
    empty_engine: sa.Engine,
) -> None:
    found = proposed(empty_engine, type="validate")
    assert (found.status, found.status_reason) == ("blocked", "policy")
    echo = discover_modules(installed=()).describe_module("echo")
    assert echo is not None
    announce(empty_engine, [replace(echo, name="validate")], KEYS)
    after = submit(empty_engine, found.id, AUTHORITY, by=AGENT).directive
    assert after.status == "approved"


def test_where_nothing_is_announced_a_grant_for_no_module_starts_nothing(
    unannounced: sa.Engine,
) -> None:
    found = proposed(unannounced)
    state = start(unannounced, found)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "action_changed")


@pytest.fixture
def unannounced(empty_engine: sa.Engine) -> sa.Engine:
    """Return a database to which no worker has ever announced anything."""
    write(empty_engine, "DELETE FROM modules")
    assert read_modules(empty_engine) == []
    return empty_engine


def announce_built_in(engine: sa.Engine) -> None:
    announce(engine, discover_modules(installed=()).list_modules(), KEYS)


def test_what_policy_approved_before_the_first_worker_runs_once_one_is_there(
    unannounced: sa.Engine,
) -> None:
    found = proposed(unannounced)
    assert found.status == "approved"
    announce_built_in(unannounced)
    state = start(unannounced, found)
    assert state.run is not None
    assert state.directive.status == "executing"
    assert said(unannounced, found.id)[4:9] == [
        "grant.voided",
        "directive.blocked",
        "directive.retried",
        "policy.evaluated",
        "grant.issued",
    ]


def test_what_the_first_worker_does_not_have_is_blocked_with_that_reason(
    unannounced: sa.Engine,
) -> None:
    found = proposed(unannounced, type="validate")
    announce_built_in(unannounced)
    state = start_run(unannounced, found.id, lambda _: None, AUTHORITY)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "policy")
    assert explain(unannounced, found.id, AUTHORITY).because == (
        (
            'no worker has announced the tool "validate": start one that has it, then retry; '
            "announced: echo, fail_intentionally and noop"
        ),
    )


def test_what_people_approved_before_the_first_worker_is_asked_about_again(
    unannounced: sa.Engine,
) -> None:
    found = waiting(unannounced)
    cast(unannounced, found)
    announce_built_in(unannounced)
    state = start(unannounced, found)
    assert (state.directive.status, state.run) == ("proposed", None)
    cast(unannounced, found)
    assert start(unannounced, found).run is not None


def test_content_that_was_changed_before_the_first_worker_does_not_run(
    unannounced: sa.Engine,
) -> None:
    found = proposed(unannounced)
    write(unannounced, "UPDATE directives SET objective = 'Other.' WHERE id = :id", id=found.id)
    announce_built_in(unannounced)
    state = start(unannounced, found)
    assert state.run is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "policy")


def test_a_worker_that_cannot_sign_leaves_it_blocked(unannounced: sa.Engine) -> None:
    found = proposed(unannounced)
    announce_built_in(unannounced)
    keyless = Authority(AUTHORITY.policy, replace(AUTHORITY.keys, signing_key=None))
    after = start(unannounced, found, keyless).directive
    assert (after.status, after.status_reason) == ("blocked", "action_changed")
