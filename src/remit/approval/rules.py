"""Who may vote, and when votes decide. Pure: requests and votes in, an answer out."""

from collections.abc import Sequence
from typing import Literal

from remit.approval.types import ApprovalRequest, Ballot, Vote
from remit.directives.plain_json import MAX_NAME, MAX_REASON, check_text
from remit.errors import ConflictError, ForbiddenError, InvalidInputError

Outcome = Literal["pending", "approved", "rejected"]
"""What the votes so far amount to."""


def check_vote(request: ApprovalRequest, ballot: Ballot, *, issued_by: str) -> None:
    """Return quietly when this vote may be cast on `request`.

    Args:
        request: the question, as it stands now.
        ballot: the answer.
        issued_by: who issued the directive.

    Raises:
        ConflictError: the request no longer waits, or asks about another action.
        ForbiddenError: the voter issued the directive and policy forbids self-approval.
        InvalidInputError: a rejection without a reason, a voter without a name, or text that
            cannot be stored.
    """
    check_text(ballot.voter, field="voter", limit=MAX_NAME)
    check_text(ballot.reason, field="reason", limit=MAX_REASON)
    if not ballot.voter.strip():
        raise InvalidInputError("missing: say who votes", field="voter")
    if ballot.decision == "reject" and not (ballot.reason and ballot.reason.strip()):
        raise InvalidInputError("missing: a rejection needs a reason", field="reason")
    if request.status != "pending":
        raise ConflictError(
            f"the approval request is already {request.status}; nothing is left to vote on"
        )
    if ballot.action_digest != request.action_digest:
        raise ConflictError(
            "the vote names another action than the request asks about; "
            "look at the directive again and vote on what it says now",
            field="action_digest",
        )
    if ballot.voter == issued_by and not request.allow_self_approval:
        raise ForbiddenError(
            f"{ballot.voter} issued this directive, and policy does not allow self-approval; "
            "ask somebody else",
            field="voter",
        )


def standing_votes(votes: Sequence[Vote]) -> list[Vote]:
    """Return the latest vote of each voter, in the order in which they were cast.

    Args:
        votes: every vote on one request, oldest first.
    """
    latest = {vote.voter: vote for vote in votes}
    return sorted(latest.values(), key=lambda vote: vote.cast_at)


def tally(request: ApprovalRequest, votes: Sequence[Vote]) -> Outcome:
    """Return what `votes` amount to: one rejection ends the request, approvals accumulate.

    Args:
        request: the question; its action digest must match a vote's for the vote to count.
        votes: every vote on it, oldest first.
    """
    standing = [v for v in standing_votes(votes) if v.action_digest == request.action_digest]
    if any(vote.decision == "reject" for vote in standing):
        return "rejected"
    # The database refuses a request that needs nobody; a zero that got past it must not approve.
    enough = len(standing) >= max(request.required_approvals, 1)
    return "approved" if enough else "pending"
