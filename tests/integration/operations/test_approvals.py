"""Consent: what a vote does, and what time does. Who may vote: `test_voters.py`."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.approval.statements import verify_grant, verify_vote
from remit.approval.types import Ballot
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, InvalidInputError, MisconfiguredError, NotFoundError
from remit.identity.types import Principal
from remit.operations.evidence.records import read_record
from remit.operations.gate.approvals import settle, vote
from remit.operations.gate.authority import Authority
from tests.support.contents import (
    AUTHORITY,
    POLICY,
    asking,
    cast,
    no,
    proposed,
    waiting,
    write,
    yes,
)
from tests.support.keys import KEYS
from tests.support.people import ADA, GRACE, OPERATOR, know, person
from tests.support.races import at_once, refused


def run_out(engine: sa.Engine, directive_id: UUID) -> None:
    """Let the time of a directive's request be over."""
    write(
        engine,
        "UPDATE approval_requests SET expires_at = now() - interval '1 second'"
        " WHERE directive_id = :id",
        id=directive_id,
    )


def types(engine: sa.Engine, directive: DirectiveRead) -> list[str]:
    return [event.type for event in read_record(engine, directive.id).events]


def test_a_yes_approves_and_issues_a_grant_for_the_action_that_was_seen(
    engine: sa.Engine,
) -> None:
    found = waiting(engine, budget="$60")
    outcome = cast(engine, found)
    assert (outcome.outcome, outcome.missing) == ("approved", 0)
    record = read_record(engine, found.id)
    assert record.directive == outcome.directive
    assert record.directive.status == "approved"
    assert record.request is not None
    assert (record.request.status, record.request.resolved_at is None) == ("approved", False)
    assert record.grant is not None
    assert record.grant.votes == ("operator",)
    assert record.grant.required_approvals == 1
    assert record.grant.request_id == record.request.id
    assert record.grant.action_digest == found.action_digest
    assert record.grant.policy_digest == POLICY.digest
    assert str(record.grant.budget) == "60.00"
    verify_grant(record.grant, KEYS)
    assert types(engine, found)[-4:] == [
        "approval.voted",
        "approval.resolved",
        "grant.issued",
        "directive.approved",
    ]


def test_a_no_blocks_with_the_voters_words_and_issues_nothing(engine: sa.Engine) -> None:
    found = waiting(engine)
    outcome = cast(engine, found, no(found, reason="too loud"))
    assert (outcome.outcome, outcome.missing) == ("rejected", 0)
    record = read_record(engine, found.id)
    assert (record.directive.status, record.directive.status_reason) == ("blocked", "rejected")
    assert record.request is not None
    assert record.request.status == "rejected"
    assert record.grant is None
    assert [(one.voter, one.decision, one.reason) for one in record.votes] == [
        ("operator", "reject", "too loud")
    ]
    verify_vote(record.votes[0], record.request, KEYS)
    assert '"operator: too loud"' in record.events[-1].data


def test_two_are_needed_when_policy_asks_for_two(engine: sa.Engine) -> None:
    careful = asking(required_approvals=2)
    found = waiting(engine, careful)
    first = cast(engine, found, policy=careful, by=ADA)
    assert (first.outcome, first.missing, first.directive.status) == ("pending", 1, "proposed")
    again = cast(engine, found, policy=careful, by=ADA)
    assert (again.outcome, again.missing) == ("pending", 1)
    second = cast(engine, found, policy=careful, by=GRACE)
    assert (second.outcome, second.missing) == ("approved", 0)
    record = read_record(engine, found.id)
    assert record.grant is not None
    assert record.grant.votes == ("ada", "grace")
    assert len(record.votes) == 3


def test_one_no_ends_it_whoever_said_yes_before(engine: sa.Engine) -> None:
    careful = asking(required_approvals=2)
    found = waiting(engine, careful)
    cast(engine, found, policy=careful, by=ADA)
    assert cast(engine, found, no(found), careful, by=GRACE).outcome == "rejected"


def test_a_mind_that_changes_replaces_the_vote_and_both_stay_on_record(
    engine: sa.Engine,
) -> None:
    patient = asking(required_approvals=2, rejection_ends=False)
    found = waiting(engine, patient)
    first = cast(engine, found, policy=patient, by=ADA)
    assert (first.missing, first.again) == (1, False)
    changed = cast(engine, found, no(found), patient, by=ADA)
    assert (changed.outcome, changed.missing, changed.again) == ("pending", 2, True)
    assert cast(engine, found, policy=patient, by=GRACE).missing == 1
    assert cast(engine, found, policy=patient, by=ADA).outcome == "approved"
    record = read_record(engine, found.id)
    assert [(one.voter, one.decision) for one in record.votes] == [
        ("ada", "approve"),
        ("ada", "reject"),
        ("grace", "approve"),
        ("ada", "approve"),
    ]
    assert record.grant is not None
    assert record.grant.votes == ("grace", "ada")


def test_where_a_no_does_not_end_it_others_may_still_say_yes(engine: sa.Engine) -> None:
    patient = asking(rejection_ends=False)
    found = waiting(engine, patient)
    outcome = cast(engine, found, no(found), patient, by=ADA)
    assert (outcome.outcome, outcome.missing) == ("pending", 1)
    assert outcome.directive.status == "proposed"
    assert cast(engine, found, policy=patient, by=GRACE).outcome == "approved"
    grant = read_record(engine, found.id).grant
    assert grant is not None
    assert grant.votes == ("grace",)


def test_without_a_key_to_sign_with_no_vote_is_kept(engine: sa.Engine) -> None:
    found = waiting(engine)
    before = read_record(engine, found.id)
    keyless = Authority(POLICY, replace(KEYS, signing_key=None))
    with pytest.raises(MisconfiguredError, match="there is no key to sign with"):
        vote(engine, found.id, yes(found), keyless, by=OPERATOR)
    assert read_record(engine, found.id) == before


def test_a_second_vote_after_the_first_has_decided_is_refused(engine: sa.Engine) -> None:
    found = waiting(engine)
    cast(engine, found)
    with pytest.raises(ConflictError) as caught:
        cast(engine, found, no(found))
    assert str(caught.value) == (
        "the approval request is already approved; nothing is left to vote on"
    )
    assert read_record(engine, found.id).directive.status == "approved"


def test_a_vote_on_another_action_than_the_request_asks_about_is_refused(
    engine: sa.Engine,
) -> None:
    found = waiting(engine)
    with pytest.raises(ConflictError) as caught:
        cast(engine, found, yes(found, action_digest="sha256:other"))
    assert caught.value.field == "action_digest"
    assert read_record(engine, found.id).votes == ()


def test_a_rejection_without_a_reason_is_refused(engine: sa.Engine) -> None:
    found = waiting(engine)
    for reason in (None, "", "  "):
        with pytest.raises(InvalidInputError) as caught:
            cast(engine, found, no(found, reason=reason))
        assert str(caught.value) == "reason: missing: a rejection needs a reason"


@pytest.mark.parametrize("reason", ["a NUL \x00 byte", "half a pair \ud800"], ids=ascii)
def test_a_reason_that_cannot_be_kept_is_refused_with_its_field(
    engine: sa.Engine, reason: str
) -> None:
    found = waiting(engine)
    with pytest.raises(InvalidInputError) as caught:
        cast(engine, found, no(found, reason=reason))
    assert caught.value.field == "reason"
    assert read_record(engine, found.id).votes == ()


def test_a_vote_after_the_expiry_is_refused_and_the_expiry_is_kept(engine: sa.Engine) -> None:
    found = waiting(engine)
    run_out(engine, found.id)
    with pytest.raises(ConflictError) as caught:
        cast(engine, found)
    assert str(caught.value).startswith("the approval request expired at ")
    assert str(caught.value).endswith(f"; `remit retry {found.id}` asks again")
    record = read_record(engine, found.id)
    assert (record.directive.status, record.directive.status_reason) == ("blocked", "expired")
    assert record.request is not None
    assert record.request.status == "expired"
    assert (record.votes, record.grant) == ((), None)


def test_time_alone_blocks_and_never_approves(engine: sa.Engine) -> None:
    found = waiting(engine)
    run_out(engine, found.id)
    state = settle(engine, found.id)
    assert state.waits_seconds is None
    assert (state.directive.status, state.directive.status_reason) == ("blocked", "expired")
    assert not state.by_people
    events = types(engine, found)
    assert events[-2:] == ["approval.resolved", "directive.blocked"]
    settle(engine, found.id)
    assert types(engine, found) == events


def test_settling_before_the_expiry_only_tells_how_long_it_may_wait(engine: sa.Engine) -> None:
    soon = asking(expires_after="90s")
    found = waiting(engine, soon)
    before = read_record(engine, found.id)
    state = settle(engine, found.id)
    assert state.waits_seconds is not None
    assert 60 < state.waits_seconds <= timedelta(seconds=90).total_seconds()
    assert state.evaluation is not None
    assert state.evaluation.blocks == ()
    assert state.evaluation.artifact_uri == before.artifacts[0].uri
    assert read_record(engine, found.id) == before


def test_settling_what_people_decided_says_that_they_did(engine: sa.Engine) -> None:
    approved, rejected = waiting(engine), waiting(engine)
    cast(engine, approved)
    cast(engine, rejected, no(rejected))
    assert settle(engine, approved.id).by_people
    assert settle(engine, rejected.id).by_people


def test_settling_what_policy_blocked_tells_every_reason(engine: sa.Engine) -> None:
    found = proposed(engine, type="shell", scope="production")
    evaluation = settle(engine, found.id).evaluation
    assert evaluation is not None
    assert len(evaluation.blocks) == 2


def test_a_vote_on_what_never_asked_for_approval_is_refused(engine: sa.Engine) -> None:
    found = proposed(engine)
    with pytest.raises(NotFoundError, match="never asked for approval"):
        cast(engine, found)
    with pytest.raises(NotFoundError, match="there is no directive"):
        vote(engine, uuid4(), yes(found), AUTHORITY, by=OPERATOR)


def test_eight_votes_at_once_issue_one_grant(engine: sa.Engine) -> None:
    found = waiting(engine)
    voters = [person(f"voter-{number}") for number in range(8)]
    know(engine, *voters)
    outcomes = at_once(refused(lambda number: cast(engine, found, by=voters[number]).outcome))
    assert outcomes.count("approved") == 1
    assert sum(isinstance(one, ConflictError) for one in outcomes) == 7
    with engine.connect() as connection:
        grants = connection.execute(
            sa.text("SELECT count(*) FROM grants WHERE directive_id = :id"), {"id": found.id}
        ).scalar_one()
    assert grants == 1
    record = read_record(engine, found.id)
    assert len(record.votes) == 1
    assert record.broken_at is None


def test_a_yes_and_a_no_at_once_end_in_exactly_one_of_the_two(engine: sa.Engine) -> None:
    for _ in range(5):
        found = waiting(engine)
        answers = [(yes(found), ADA), (no(found), GRACE)]

        def answer(
            number: int,
            about: DirectiveRead = found,
            answers: list[tuple[Ballot, Principal]] = answers,
        ) -> str:
            ballot, voter = answers[number]
            return cast(engine, about, ballot, by=voter).outcome

        outcomes = at_once(refused(answer), 2)
        record = read_record(engine, found.id)
        decided = "approved" if record.directive.status == "approved" else "rejected"
        assert outcomes.count(decided) == 1
        assert (record.grant is not None) == (decided == "approved")
        assert len(record.votes) == 1
