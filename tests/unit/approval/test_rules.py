"""Who may vote and what votes amount to: the rules by themselves."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approval.rules import approvers, check_vote, objection, standing_votes, tally
from remit.approval.types import Vote
from remit.errors import ConflictError, ForbiddenError, InvalidInputError
from remit.vocabulary import RequestStatus
from tests.unit.approval.asking import ballot, request, vote, voter


def test_a_person_who_did_not_issue_it_may_vote() -> None:
    check_vote(request(), ballot(), voter=voter(), issued_by="agent-1")
    no = ballot(decision="reject", reason="no")
    check_vote(request(), no, voter=voter(), issued_by="agent-1", issued_for=["ada"])


REFUSED: list[tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = [
    ({}, {"reason": "a\x00"}, InvalidInputError, "reason: holds a NUL byte: remove it"),
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
        {},
        {"decision": "reject", "reason": " \t"},
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
]


@pytest.mark.parametrize(("asked", "cast", "kind", "message"), REFUSED)
def test_a_vote_that_may_not_be_cast_says_why(
    asked: dict[str, Any], cast: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        check_vote(request(**asked), ballot(**cast), voter=voter(), issued_by="agent-1")
    assert str(caught.value) == message


SELF = "and policy does not allow self-approval; ask somebody else"
NO_PERSON = "is no person, and only a person may vote; ask one"
OBJECTIONS: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({}, {}, None),
    ({}, {"roles": ("admin",)}, None),
    ({}, {"roles": ()}, "operator may not vote: that needs the role approver or admin"),
    (
        {},
        {"roles": ("proposer", "operator", "auditor")},
        "operator may not vote: that needs the role approver or admin",
    ),
    ({}, {"kind": "agent"}, f"operator {NO_PERSON}"),
    ({}, {"kind": "service", "roles": ("admin",)}, f"operator {NO_PERSON}"),
    ({"allow_self_approval": True}, {"kind": "agent"}, f"operator {NO_PERSON}"),
    ({}, {"name": "agent-1"}, f"agent-1 issued this directive, {SELF}"),
    ({}, {"name": "ada"}, f"ada is whom agent-1 acts for, {SELF}"),
    ({"allow_self_approval": True}, {"name": "agent-1"}, None),
    ({"allow_self_approval": True}, {"name": "ada"}, None),
    (
        {"approver_groups": ("release", "security")},
        {},
        "operator is not in release or security, whose members may vote; ask one of them",
    ),
    (
        {"approver_groups": ("release",)},
        {"groups": ("releases", "Release")},
        "operator is not in release, whose members may vote; ask one of them",
    ),
    ({"approver_groups": ("release", "security")}, {"groups": ("security",)}, None),
    ({"approver_groups": ()}, {"groups": ("release",)}, None),
    (
        {"approver_groups": ("release",), "allow_self_approval": True},
        {"name": "ada"},
        "ada is not in release, whose members may vote; ask one of them",
    ),
    (
        {"approver_groups": ("release",)},
        {"name": "ada", "groups": ("release",)},
        f"ada is whom agent-1 acts for, {SELF}",
    ),
]


@pytest.mark.parametrize(("asked", "who", "said"), OBJECTIONS)
def test_who_may_not_vote_is_told_why_and_whom_to_ask(
    asked: dict[str, Any], who: dict[str, Any], said: str | None
) -> None:
    about, by = request(**asked), voter(**who)
    assert objection(about, by, issued_by="agent-1", issued_for=["ada"]) == said
    if said is None:
        check_vote(about, ballot(), voter=by, issued_by="agent-1", issued_for=["ada"])
        return
    with pytest.raises(ForbiddenError) as caught:
        check_vote(about, ballot(), voter=by, issued_by="agent-1", issued_for=["ada"])
    assert str(caught.value) == said


def test_a_token_that_leaves_voting_out_gives_no_vote() -> None:
    limited = voter(scopes=("propose", "operate"))
    assert objection(request(), limited, issued_by="agent-1") is not None
    assert objection(request(), voter(scopes=("vote",)), issued_by="agent-1") is None


@pytest.mark.parametrize("status", sorted(set(get_args(RequestStatus)) - {"pending"}))
def test_only_a_pending_request_takes_votes(status: RequestStatus) -> None:
    with pytest.raises(ConflictError, match=f"already {status}"):
        check_vote(request(status=status), ballot(), voter=voter(), issued_by="agent-1")


def test_the_latest_vote_of_each_voter_stands() -> None:
    cast = [vote("ada"), vote("grace", at=1), vote("ada", "reject", at=2)]
    assert standing_votes(cast) == [cast[1], cast[2]]
    assert approvers(cast) == ["grace"]


def test_a_vote_that_was_taken_back_does_not_stand_again_when_it_is_repeated() -> None:
    yes, no = vote("ada"), vote("ada", "reject", at=1)
    assert standing_votes([yes, no, yes]) == [no]
    assert approvers([yes, no, yes]) == []


TALLIES: list[tuple[int, list[Vote], str, str]] = [
    (1, [], "pending", "pending"),
    (1, [vote("ada")], "approved", "approved"),
    (2, [vote("ada")], "pending", "pending"),
    (2, [vote("ada"), vote("ada", at=1)], "pending", "pending"),
    (2, [vote("ada"), vote("grace", at=1)], "approved", "approved"),
    (2, [vote("ada"), vote("grace", "reject", at=1)], "rejected", "pending"),
    (1, [vote("ada", "reject")], "rejected", "pending"),
    (1, [vote("ada", "reject"), vote("ada", at=1)], "approved", "approved"),
    (1, [vote("ada", "reject"), vote("grace", at=1)], "rejected", "approved"),
    (2, [vote("ada"), vote("grace"), vote("ada", "reject", at=1)], "rejected", "pending"),
    (1, [vote("ada", digest="b")], "pending", "pending"),
    (1, [vote("ada", "reject", digest="b")], "pending", "pending"),
    (0, [], "pending", "pending"),
    (-1, [], "pending", "pending"),
]


@pytest.mark.parametrize(("needed", "votes", "outcome", "lenient"), TALLIES)
def test_votes_amount_to(needed: int, votes: list[Vote], outcome: str, lenient: str) -> None:
    assert tally(request(required_approvals=needed), votes) == outcome
    withheld = request(required_approvals=needed, rejection_ends=False)
    assert tally(withheld, votes) == lenient


CAST = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["approve", "reject"])))


@given(needed=st.integers(min_value=1, max_value=4), cast=CAST, ends=st.booleans())
def test_no_votes_of_too_few_people_ever_approve(
    needed: int, cast: list[tuple[str, Any]], *, ends: bool
) -> None:
    votes = [vote(name, decision, at) for at, (name, decision) in enumerate(cast)]
    asked = request(required_approvals=needed, rejection_ends=ends)
    if tally(asked, votes) == "approved":
        last = {one.voter: one.decision for one in votes}
        assert list(last.values()).count("approve") >= needed
        assert not ends or set(last.values()) == {"approve"}


@given(st.integers(min_value=1, max_value=4), CAST)
def test_without_an_end_by_rejection_votes_never_reject(
    needed: int, cast: list[tuple[str, Any]]
) -> None:
    votes = [vote(name, decision, at) for at, (name, decision) in enumerate(cast)]
    asked = request(required_approvals=needed, rejection_ends=False)
    assert tally(asked, votes) in {"pending", "approved"}
