"""Consent: who may vote, what a vote does, and what time does."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.approval.types import Ballot
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RemitError
from remit.operations.approvals import settle, vote
from remit.operations.evidence import read_record
from tests.support.contents import POLICY, asking, no, proposed, waiting, write, yes
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
    outcome = vote(engine, found.id, yes(found), POLICY)
    assert (outcome.outcome, outcome.missing) == ("approved", 0)
    record = read_record(engine, found.id)
    assert record.directive == outcome.directive
    assert record.directive.status == "approved"
    assert record.request is not None
    assert (record.request.status, record.request.resolved_at is None) == ("approved", False)
    assert record.grant is not None
    assert record.grant.votes == ("operator",)
    assert record.grant.request_id == record.request.id
    assert record.grant.action_digest == found.action_digest
    assert record.grant.policy_digest == POLICY.digest
    assert str(record.grant.budget) == "60.00"
    assert types(engine, found)[-4:] == [
        "approval.voted",
        "approval.resolved",
        "grant.issued",
        "directive.approved",
    ]


def test_a_no_blocks_with_the_voters_words_and_issues_nothing(engine: sa.Engine) -> None:
    found = waiting(engine)
    outcome = vote(engine, found.id, no(found, reason="too loud"), POLICY)
    assert (outcome.outcome, outcome.missing) == ("rejected", 0)
    record = read_record(engine, found.id)
    assert (record.directive.status, record.directive.status_reason) == ("blocked", "rejected")
    assert record.request is not None
    assert record.request.status == "rejected"
    assert record.grant is None
    assert [(one.voter, one.decision, one.reason) for one in record.votes] == [
        ("operator", "reject", "too loud")
    ]
    assert '"operator: too loud"' in record.events[-1].data


def test_nobody_approves_what_they_issued(engine: sa.Engine) -> None:
    found = waiting(engine)
    with pytest.raises(ForbiddenError) as caught:
        vote(engine, found.id, yes(found, voter="agent-1"), POLICY)
    assert str(caught.value) == (
        "voter: agent-1 issued this directive, and policy does not allow self-approval; "
        "ask somebody else"
    )
    record = read_record(engine, found.id)
    assert (record.directive.status, record.votes) == ("proposed", ())


def test_the_issuer_may_vote_where_policy_says_so(engine: sa.Engine) -> None:
    lenient = asking(allow_self_approval=True)
    found = waiting(engine, lenient)
    assert vote(engine, found.id, yes(found, voter="agent-1"), lenient).outcome == "approved"


def test_two_are_needed_when_policy_asks_for_two(engine: sa.Engine) -> None:
    careful = asking(required_approvals=2)
    found = waiting(engine, careful)
    first = vote(engine, found.id, yes(found, voter="ada"), careful)
    assert (first.outcome, first.missing, first.directive.status) == ("pending", 1, "proposed")
    again = vote(engine, found.id, yes(found, voter="ada"), careful)
    assert (again.outcome, again.missing) == ("pending", 1)
    second = vote(engine, found.id, yes(found, voter="grace"), careful)
    assert (second.outcome, second.missing) == ("approved", 0)
    record = read_record(engine, found.id)
    assert record.grant is not None
    assert record.grant.votes == ("ada", "grace")
    assert len(record.votes) == 3


def test_one_no_ends_it_whoever_said_yes_before(engine: sa.Engine) -> None:
    careful = asking(required_approvals=2)
    found = waiting(engine, careful)
    vote(engine, found.id, yes(found, voter="ada"), careful)
    assert vote(engine, found.id, no(found, voter="grace"), careful).outcome == "rejected"


def test_a_second_vote_after_the_first_has_decided_is_refused(engine: sa.Engine) -> None:
    found = waiting(engine)
    vote(engine, found.id, yes(found), POLICY)
    with pytest.raises(ConflictError) as caught:
        vote(engine, found.id, no(found), POLICY)
    assert str(caught.value) == (
        "the approval request is already approved; nothing is left to vote on"
    )
    assert read_record(engine, found.id).directive.status == "approved"


def test_a_vote_on_another_action_than_the_request_asks_about_is_refused(
    engine: sa.Engine,
) -> None:
    found = waiting(engine)
    with pytest.raises(ConflictError) as caught:
        vote(engine, found.id, yes(found, action_digest="sha256:other"), POLICY)
    assert caught.value.field == "action_digest"
    assert read_record(engine, found.id).votes == ()


def test_a_rejection_without_a_reason_is_refused(engine: sa.Engine) -> None:
    found = waiting(engine)
    for reason in (None, "", "  "):
        with pytest.raises(InvalidInputError) as caught:
            vote(engine, found.id, no(found, reason=reason), POLICY)
        assert str(caught.value) == "reason: missing: a rejection needs a reason"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "a NUL \x00 byte"}, "reason"),
        ({"reason": "half a pair \ud800"}, "reason"),
        ({"voter": "bob\x00"}, "voter"),
        ({"voter": " "}, "voter"),
    ],
)
def test_text_that_cannot_be_kept_is_refused_with_its_field(
    engine: sa.Engine, changes: dict[str, str], field: str
) -> None:
    found = waiting(engine)
    with pytest.raises(InvalidInputError) as caught:
        vote(engine, found.id, no(found, **changes), POLICY)
    assert caught.value.field == field


def test_a_vote_after_the_expiry_is_refused_and_the_expiry_is_kept(engine: sa.Engine) -> None:
    found = waiting(engine)
    run_out(engine, found.id)
    with pytest.raises(ConflictError) as caught:
        vote(engine, found.id, yes(found), POLICY)
    assert str(caught.value).startswith("the approval request expired at ")
    assert str(caught.value).endswith("; `remit retry` asks again")
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
    vote(engine, approved.id, yes(approved), POLICY)
    vote(engine, rejected.id, no(rejected), POLICY)
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
        vote(engine, found.id, yes(found), POLICY)
    with pytest.raises(NotFoundError, match="there is no directive"):
        vote(engine, uuid4(), yes(found), POLICY)


def test_eight_votes_at_once_issue_one_grant(engine: sa.Engine) -> None:
    found = waiting(engine)

    def cast(number: int) -> str:
        return vote(engine, found.id, yes(found, voter=f"voter-{number}"), POLICY).outcome

    outcomes = at_once(refused(cast))
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
        ballots: list[Ballot] = [yes(found, voter="ada"), no(found, voter="grace")]

        def cast(
            number: int, about: UUID = found.id, cast: list[Ballot] = ballots
        ) -> str | RemitError:
            return vote(engine, about, cast[number], POLICY).outcome

        outcomes = at_once(refused(cast), 2)
        record = read_record(engine, found.id)
        decided = "approved" if record.directive.status == "approved" else "rejected"
        assert outcomes.count(decided) == 1
        assert (record.grant is not None) == (decided == "approved")
        assert len(record.votes) == 1
