"""Who may vote, when votes decide, and what a request can have become. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from remit.approval.independence import independent, overlap, unfit
from remit.approval.types import ApprovalRequest, Ballot, Grant, Vote
from remit.base.wording import listed
from remit.directives.plain_json import MAX_REASON, check_text
from remit.errors import ConflictError, ForbiddenError, InvalidInputError
from remit.identity.rules import may
from remit.identity.types import Principal
from remit.policy.config import ApprovalPolicy
from remit.vocabulary import RequestStatus

Outcome = Literal["pending", "approved", "rejected"]
"""What the votes so far amount to."""


def check_vote(
    request: ApprovalRequest,
    ballot: Ballot,
    *,
    voter: Principal,
    issued_by: str,
    issued_for: Collection[str] = (),
) -> None:
    """Return quietly when `voter`, as the database knows them now, may answer `request` so.

    `issued_for` are those on whose behalf the directive was issued, and on whose behalf those act.

    Raises:
        ConflictError: the request no longer waits, or asks about another action.
        ForbiddenError: the voter may not vote, or not on this; see :func:`objection`.
        InvalidInputError: a rejection without a reason, or one that cannot be stored.
    """
    # 1. What is said can be kept, and a rejection says why.
    check_text(ballot.reason, field="reason", limit=MAX_REASON)
    if ballot.decision == "reject" and not (ballot.reason and ballot.reason.strip()):
        raise InvalidInputError("missing: a rejection needs a reason", field="reason")
    # 2. The request still waits for an answer.
    if request.status != "pending":
        raise ConflictError(
            f"the approval request is already {request.status}; nothing is left to vote on"
        )
    # 3. The voter saw the action that it asks about.
    if ballot.action_digest != request.action_digest:
        raise ConflictError(
            "the vote names another action than the request asks about; "
            "look at the directive again and vote on what it says now",
            field="action_digest",
        )
    # 4. The voter is one whom policy lets answer.
    problem = objection(request, voter, issued_by=issued_by, issued_for=issued_for)
    if problem is not None:
        raise ForbiddenError(problem)


def objection(
    request: ApprovalRequest, voter: Principal, *, issued_by: str, issued_for: Collection[str] = ()
) -> str | None:
    """Return why `voter` may not vote on `request`, in words that name the fix; None: they may."""
    # 1. Their kind and their roles let them vote: nobody but a person ever may.
    if not may(voter, "vote"):
        if voter.kind != "human":
            return f"{voter.name} is no person, and only a person may vote; ask one"
        return f"{voter.name} may not vote: that needs the role approver or admin"
    # 2. They did not issue it, nor was it issued for them, unless policy allows that.
    if not request.allow_self_approval and voter.name in {issued_by, *issued_for}:
        issued = voter.name == issued_by
        why = "issued this directive" if issued else f"is whom {issued_by} acts for"
        return f"{voter.name} {why}, and policy does not allow self-approval; ask somebody else"
    # 3. They are in one of the groups that the request names, if it names any.
    groups = request.approver_groups
    if groups and not set(groups) & set(voter.groups):
        return f"{voter.name} is not in {listed(groups)}, whose members may vote; ask one of them"
    return None


def standing_votes(votes: Sequence[Vote]) -> list[Vote]:
    """Return the latest vote of each voter, in the order in which they were cast."""
    # By the time that was signed: a row can be written once more, and then comes last.
    latest = {vote.voter: vote for vote in sorted(votes, key=lambda vote: vote.cast_at)}
    return sorted(latest.values(), key=lambda vote: vote.cast_at)


def approvers(votes: Sequence[Vote]) -> list[str]:
    """Return who approves, as things stand, in the order in which they voted."""
    return [vote.voter for vote in standing_votes(votes) if vote.decision == "approve"]


def tally(request: ApprovalRequest, votes: Sequence[Vote]) -> Outcome:
    """Return what verified votes on a request amount to: one rejection ends it, or only withholds.

    Votes on another action than the request asks about do not count.
    """
    standing = [v for v in standing_votes(votes) if v.action_digest == request.action_digest]
    approvals = [vote for vote in standing if vote.decision == "approve"]
    if request.rejection_ends and len(approvals) < len(standing):
        return "rejected"
    # The database refuses a request that needs nobody; a zero that got past it must not approve.
    enough = len(approvals) >= max(request.required_approvals, 1)
    return "approved" if enough else "pending"


def counting(
    request: ApprovalRequest, votes: Sequence[Vote], terms: ApprovalPolicy, own: Collection[str]
) -> list[Vote]:
    """Return the standing votes that count, in the order in which they were cast.

    Rejections all do. Of approvals, those that fit what policy asks of tokens, and under
    independent tokens those that as many people must have cast.
    """
    own = () if request.allow_self_approval else own
    fit = [vote for vote in votes if vote.decision == "reject" or unfit(vote, terms, own) is None]
    standing = standing_votes(fit)
    approving = [vote for vote in standing if vote.decision == "approve"]
    chosen = independent(approving) if terms.independent_tokens else approving
    return [vote for vote in standing if vote.decision == "reject" or vote in chosen]


def token_objection(
    request: ApprovalRequest,
    vote: Vote,
    others: Sequence[Vote],
    terms: ApprovalPolicy,
    own: Collection[str],
) -> str | None:
    """Return why an approval would not count beside others, in words that name the fix."""
    problem = unfit(vote, terms, () if request.allow_self_approval else own)
    if problem is not None:
        return problem
    others = [one for one in others if one.voter != vote.voter and one.decision == "approve"]
    if not terms.independent_tokens or vote in independent([*others, vote]):
        return None
    return overlap(vote, others)


def possible_statuses(
    request: ApprovalRequest,
    votes: Sequence[Vote],
    grants: Sequence[Grant],
    *,
    started: bool,
    at: datetime,
) -> frozenset[RequestStatus]:
    """Return every status that `request` can have; one that is not among them was written.

    Its own status is not looked at. `votes` on it, and `grants` that name it, have verified;
    `started` says that a run names one of them. Whether `canceled` or `invalidated`, which no
    signature shows, is the true one, the log tells: by `approval.resolved` with that outcome, or by
    the event that voided the grant.
    """
    if started:
        return frozenset({"consumed"}) if grants else frozenset()
    if grants:
        return _of_grant(grants[-1])
    outcome = tally(request, votes)
    if outcome == "rejected":
        return frozenset({"rejected"})
    # Enough approvals without a grant: a limit on spending withheld it, or one does not count.
    found: set[RequestStatus] = {"pending", "canceled", "invalidated"}
    if at >= request.expires_at:
        found.add("expired")
    return frozenset(found)


def _of_grant(grant: Grant) -> frozenset[RequestStatus]:
    if grant.voided_at is None:
        return frozenset({"approved"})
    return frozenset({"canceled" if grant.void_reason == "canceled" else "invalidated"})
