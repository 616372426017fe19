"""Who may vote and what votes amount to: the rules by themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approval.rules import check_vote, standing_votes, tally
from remit.approval.types import ApprovalRequest, Ballot, RequestStatus, Vote, VoteDecision
from remit.errors import ConflictError, ForbiddenError, InvalidInputError

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def request(**changes: Any) -> ApprovalRequest:
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "directive_id": UUID(int=2),
        "action_digest": "sha256:a",
        "policy_version": "1",
        "policy_digest": "sha256:p",
        "status": "pending",
        "required_approvals": 1,
        "allow_self_approval": False,
        "approver_groups": (),
        "rules": (),
        "requested_at": NOON,
        "expires_at": NOON + timedelta(hours=1),
        "resolved_at": None,
    }
    return ApprovalRequest(**(fields | changes))


def ballot(**changes: Any) -> Ballot:
    fields: dict[str, Any] = {
        "voter": "operator",
        "decision": "approve",
        "reason": None,
        "action_digest": "sha256:a",
    }
    return Ballot(**(fields | changes))


def vote(voter: str, decision: VoteDecision = "approve", at: int = 0, digest: str = "a") -> Vote:
    return Vote(voter, decision, "why", f"sha256:{digest}", NOON + timedelta(seconds=at))


def test_a_person_who_did_not_issue_it_may_vote() -> None:
    check_vote(request(), ballot(), issued_by="agent-1")
    check_vote(request(), ballot(decision="reject", reason="no"), issued_by="agent-1")


REFUSED: list[tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = [
    ({}, {"voter": " "}, InvalidInputError, "voter: missing: say who votes"),
    ({}, {"voter": "a\x00"}, InvalidInputError, "voter: holds a NUL byte: remove it"),
    ({}, {"voter": "a" * 201}, InvalidInputError, "voter: too long: at most 200 characters"),
    (
        {},
        {"reason": "a" * 4001},
        InvalidInputError,
        "reason: too long: at most 4000 characters",
    ),
    (
        {},
        {"decision": "reject"},
        InvalidInputError,
        "reason: missing: a rejection needs a reason",
    ),
    (
        {"status": "expired"},
        {},
        ConflictError,
        "the approval request is already expired; nothing is left to vote on",
    ),
    (
        {},
        {"action_digest": "sha256:b"},
        ConflictError,
        (
            "action_digest: the vote names another action than the request asks about; "
            "look at the directive again and vote on what it says now"
        ),
    ),
    (
        {},
        {"voter": "agent-1"},
        ForbiddenError,
        (
            "voter: agent-1 issued this directive, and policy does not allow self-approval; "
            "ask somebody else"
        ),
    ),
]


@pytest.mark.parametrize(("asked", "cast", "kind", "message"), REFUSED)
def test_a_vote_that_may_not_be_cast_says_why(
    asked: dict[str, Any], cast: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        check_vote(request(**asked), ballot(**cast), issued_by="agent-1")
    assert str(caught.value) == message


def test_the_issuer_may_vote_where_the_request_allows_it() -> None:
    check_vote(request(allow_self_approval=True), ballot(voter="agent-1"), issued_by="agent-1")


@pytest.mark.parametrize(
    "status", ["approved", "rejected", "expired", "canceled", "invalidated", "consumed"]
)
def test_only_a_pending_request_takes_votes(status: RequestStatus) -> None:
    with pytest.raises(ConflictError, match=f"already {status}"):
        check_vote(request(status=status), ballot(), issued_by="agent-1")


def test_the_latest_vote_of_each_voter_stands() -> None:
    cast = [vote("ada"), vote("grace", at=1), vote("ada", "reject", at=2)]
    assert standing_votes(cast) == [cast[1], cast[2]]


TALLIES: list[tuple[int, list[Vote], str]] = [
    (1, [], "pending"),
    (1, [vote("ada")], "approved"),
    (2, [vote("ada")], "pending"),
    (2, [vote("ada"), vote("ada", at=1)], "pending"),
    (2, [vote("ada"), vote("grace", at=1)], "approved"),
    (2, [vote("ada"), vote("grace", "reject", at=1)], "rejected"),
    (1, [vote("ada", "reject"), vote("ada", at=1)], "approved"),
    (1, [vote("ada", digest="b")], "pending"),
    (1, [vote("ada", "reject", digest="b")], "pending"),
    (0, [], "pending"),
    (-1, [], "pending"),
]


@pytest.mark.parametrize(("needed", "votes", "outcome"), TALLIES)
def test_votes_amount_to(needed: int, votes: list[Vote], outcome: str) -> None:
    assert tally(request(required_approvals=needed), votes) == outcome


@given(
    st.integers(min_value=1, max_value=4),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["approve", "reject"]))),
)
def test_no_votes_of_too_few_people_ever_approve(needed: int, cast: list[tuple[str, Any]]) -> None:
    votes = [vote(voter, decision, at) for at, (voter, decision) in enumerate(cast)]
    if tally(request(required_approvals=needed), votes) == "approved":
        last = {one.voter: one.decision for one in votes}
        assert len(last) >= needed
        assert set(last.values()) == {"approve"}
