"""Consent: cast a vote, and let time run out on a request that nobody answers.

A vote that decides takes effect in its own transaction: request, grant, status and events together.
The approval workflow only waits; woken, it calls :func:`settle`, which reads everything again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import JsonValue

from remit.approval.repository import (
    NewGrant,
    cast_vote,
    database_time,
    issue_grants,
    latest_request,
    list_votes,
    require_request,
    resolve_request,
)
from remit.approval.rules import check_vote, standing_votes, tally
from remit.approval.types import ApprovalRequest, Ballot, Vote
from remit.audit.repository import Entry, record
from remit.db.session import transaction
from remit.db.together import write_together
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError
from remit.json_types import JsonObject
from remit.operations.decisions import Evaluation, last_evaluation
from remit.policy.budget import parse_budget
from remit.policy.config import PolicyConfig


@dataclass(frozen=True, slots=True)
class VoteOutcome:
    """What a vote led to.

    Attributes:
        directive: the directive after the vote.
        outcome: what all votes so far amount to.
        missing: how many approvals are still needed; 0 once decided.
    """

    directive: DirectiveRead
    outcome: Literal["pending", "approved", "rejected"]
    missing: int


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Where a directive stands with its approval.

    Attributes:
        waits_seconds: how long the open request may still wait; None when none is open.
        directive: the directive now.
        by_people: whether people decided, as opposed to policy alone.
        evaluation: what the gate last found; None when it has not looked yet.
    """

    waits_seconds: float | None
    directive: DirectiveRead
    by_people: bool
    evaluation: Evaluation | None


def vote(
    engine: sa.Engine, directive_id: UUID, ballot: Ballot, policy: PolicyConfig
) -> VoteOutcome:
    """Cast one vote, and carry out what the votes then amount to.

    Raises:
        NotFoundError: no such directive, or it never asked for approval.
        ConflictError: the request is settled or expired, or asks about another action.
        ForbiddenError: this person may not vote on it.
        InvalidInputError: a rejection without a reason.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        request = require_request(connection, directive_id)
        expired = _expire_if_due(connection, directive, request)
        if not expired:
            return _cast(connection, directive, request, ballot, policy)
    # Raised outside, so that the expiry just recorded is kept.
    raise ConflictError(
        f"the approval request expired at {request.expires_at:%Y-%m-%d %H:%M:%S %Z}; "
        "`remit retry` asks again"
    )


def settle(engine: sa.Engine, directive_id: UUID) -> ApprovalState:
    """Let a request expire if its time is over, and say where the directive stands.

    Raises:
        NotFoundError: there is no such directive.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        request = latest_request(connection, directive_id)
        if request and _expire_if_due(connection, directive, request):
            directive = get_directive(connection, directive_id)
            request = require_request(connection, directive_id)
        waits = None
        if request and request.status == "pending":
            waits = (request.expires_at - database_time(connection)).total_seconds()
        return ApprovalState(
            waits_seconds=waits,
            directive=directive,
            by_people=bool(request and request.status in {"approved", "consumed", "rejected"}),
            evaluation=last_evaluation(connection, directive_id),
        )


def _expire_if_due(
    connection: sa.Connection, directive: DirectiveRead, request: ApprovalRequest
) -> bool:
    """Close a pending request whose time is over, by the database's clock."""
    if request.status != "pending" or database_time(connection) < request.expires_at:
        return False
    resolve_request(connection, request.id, "pending", "expired")
    transition_directive_status(
        connection, [directive.id], current="proposed", target="blocked", reason="expired"
    )
    record(
        connection,
        [
            Entry(directive.id, "approval.resolved", data={"outcome": "expired"}),
            Entry(directive.id, "directive.blocked", data={"reason": "expired"}),
        ],
    )
    return True


def _cast(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest,
    ballot: Ballot,
    policy: PolicyConfig,
) -> VoteOutcome:
    check_vote(request, ballot, issued_by=directive.issued_by)
    cast_vote(connection, request.id, ballot)
    votes = list_votes(connection, request.id)
    outcome = tally(request, votes)
    answer: JsonObject = {"decision": ballot.decision, "reason": ballot.reason}
    entries = [Entry(directive.id, "approval.voted", ballot.voter, answer)]
    after, missing = directive, 0
    if outcome == "approved":
        after, said = _approve(connection, directive, request, votes, policy)
        entries += said
    elif outcome == "rejected":
        after, said = _reject(connection, directive, request, ballot)
        entries += said
    else:
        approvals = [one for one in standing_votes(votes) if one.decision == "approve"]
        missing = request.required_approvals - len(approvals)
    record(connection, entries)
    return VoteOutcome(after, outcome, missing)


def _approve(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest,
    votes: Sequence[Vote],
    policy: PolicyConfig,
) -> tuple[DirectiveRead, list[Entry]]:
    voters = tuple(one.voter for one in standing_votes(votes))
    resolve_request(connection, request.id, "pending", "approved")
    grant = NewGrant(
        id=uuid4(),
        directive_id=directive.id,
        request_id=request.id,
        action_digest=request.action_digest,
        policy_version=request.policy_version,
        policy_digest=request.policy_digest,
        module=directive.type,
        votes=voters,
        budget=None if directive.budget is None else parse_budget(directive.budget),
        valid_for=policy.grant_valid_for,
    )
    write_together(connection, [issue_grants([grant])])
    [approved] = transition_directive_status(
        connection, [directive.id], current="proposed", target="approved"
    )
    return approved, [
        Entry(directive.id, "approval.resolved", data={"outcome": "approved"}),
        Entry(directive.id, "grant.issued", data={"by": list(voters)}),
        Entry(directive.id, "directive.approved"),
    ]


def _reject(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest,
    ballot: Ballot,
) -> tuple[DirectiveRead, list[Entry]]:
    resolve_request(connection, request.id, "pending", "rejected")
    [blocked] = transition_directive_status(
        connection, [directive.id], current="proposed", target="blocked", reason="rejected"
    )
    because: list[JsonValue] = [f"{ballot.voter}: {ballot.reason}"]
    return blocked, [
        Entry(directive.id, "approval.resolved", data={"outcome": "rejected"}),
        Entry(directive.id, "directive.blocked", data={"reason": "rejected", "because": because}),
    ]
