"""Which status a request can have, given what was signed about it. Pure.

Nobody signs the status of a request: it follows. A grant says that it was approved, a rejection
that it was rejected, the clock that it may have expired; that it was canceled or made void is told
by events, and by the grant that was voided. An auditor holds the row against this.
"""

from collections.abc import Sequence
from datetime import datetime

from remit.approval.rules import tally
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.vocabulary import RequestStatus


def possible_statuses(
    request: ApprovalRequest,
    votes: Sequence[Vote],
    grants: Sequence[Grant],
    *,
    started: bool,
    at: datetime,
) -> frozenset[RequestStatus]:
    """Return every status that `request` can have; one that is not among them was written.

    Whether one of the statuses `canceled` and `invalidated`, which no signature shows, is the true
    one, the log tells: by `approval.resolved` with that outcome, or by the event that voided the
    grant.

    Args:
        request: the request; its own status is not looked at.
        votes: every vote on it whose signature verifies.
        grants: every grant that names it and verifies.
        started: whether a run names one of those grants.
        at: when all of this was read, by the database's clock.
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
    """Return what a request can be whose grant has started nothing."""
    if grant.voided_at is None:
        return frozenset({"approved"})
    return frozenset({"canceled" if grant.void_reason == "canceled" else "invalidated"})
