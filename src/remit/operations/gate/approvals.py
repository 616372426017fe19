"""Consent: cast a vote, and let time run out on a request that nobody answers.

A vote that decides takes effect in its own transaction. The approval workflow only waits; woken, it
calls :func:`settle`.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import (
    cast_vote,
    issue_grants,
    latest_request,
    require_request,
    resolve_request,
)
from remit.approval.rules import approvers, check_vote, tally
from remit.approval.types import ApprovalRequest, Ballot
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.budget.ledger import reserve
from remit.db.batch import execute_batch
from remit.db.session import database_time, transaction, wall_clock
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError
from remit.identity.rules import require
from remit.identity.types import Principal
from remit.operations.gate.authority import Authority
from remit.operations.gate.ballots import (
    Answers,
    check_terms,
    heard_before,
    known_voter,
    new_vote,
    read_answers,
)
from remit.operations.gate.decisions import GateFindings, gate_findings
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.gate.grants import block_asked, issued_entry, make_grant
from remit.operations.gate.routing import announced_module
from remit.operations.gate.spending import lock_spending
from remit.operations.metrics import count_directives, count_reserved
from remit.telemetry.metrics import record_approval_wait

VoteResult = Literal["pending", "approved", "rejected", "withheld"]
"""What votes lead to; `withheld` when enough approve, and a limit on spending has too little left
for what they were not asked to let pass."""


@dataclass(frozen=True, slots=True)
class VoteOutcome:
    """What a vote led to.

    Attributes:
        missing: how many approvals are still needed; 0 once decided.
        again: whether the voter had voted on this request before; the latest vote is what counts.
    """

    directive: DirectiveRead
    outcome: VoteResult
    missing: int
    again: bool


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """Where a directive stands with its approval.

    Attributes:
        waits_seconds: how long the open request may still wait; None when none is open.
        by_people: whether people decided, as opposed to policy alone.
    """

    waits_seconds: float | None
    directive: DirectiveRead
    by_people: bool
    evaluation: GateFindings | None


def vote(
    engine: sa.Engine,
    directive_id: UUID,
    ballot: Ballot,
    authority: Authority,
    *,
    by: Principal,
) -> VoteOutcome:
    """Cast one vote, and carry out what the votes then amount to.

    Raises:
        NotFoundError: no such directive, or it never asked for approval.
        ConflictError: the request is settled or expired, or asks about another action.
        ForbiddenError: this principal may not vote on it.
        InvalidInputError: a rejection without a reason, or a reason that holds a secret.
        MisconfiguredError: there is no key to sign the vote with.
    """
    require(by, "vote")
    refuse_secrets(ballot.reason, field="reason")
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        request = require_request(connection, directive_id)
        if not _expire_if_due(connection, request):
            return _cast(connection, directive, request, ballot, by=by, authority=authority)
    # Raised outside, so that the expiry just recorded is kept.
    raise ConflictError(
        f"the approval request expired at {request.expires_at:%Y-%m-%d %H:%M:%S %Z}; "
        f"`remit retry {directive_id}` asks again"
    )


def settle(engine: sa.Engine, directive_id: UUID) -> ApprovalState:
    """Let a request expire if its time is over, and say where the directive stands.

    Raises:
        NotFoundError: there is no such directive.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        request = latest_request(connection, directive_id)
        if request and _expire_if_due(connection, request):
            directive = get_directive(connection, directive_id)
            request = require_request(connection, directive_id)
        waits = None
        if request and request.status == "pending":
            waits = (request.expires_at - wall_clock(connection)).total_seconds()
        return ApprovalState(
            waits_seconds=waits,
            directive=directive,
            by_people=bool(request and request.status in {"approved", "consumed", "rejected"}),
            evaluation=gate_findings(connection, directive_id),
        )


def _expire_if_due(connection: sa.Connection, request: ApprovalRequest) -> bool:
    """Close a pending request whose time is over, now that the directive is locked."""
    if request.status != "pending" or wall_clock(connection) < request.expires_at:
        return False
    blocked, events = block_asked(connection, request, "expired", "expired")
    record_approval_wait((request.expires_at - request.requested_at).total_seconds())
    count_directives([blocked])
    append_events(connection, events)
    return True


def _cast(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest,
    ballot: Ballot,
    *,
    by: Principal,
    authority: Authority,
) -> VoteOutcome:
    voter = known_voter(connection, by, authority.keys)
    check_terms(directive, request, authority.policy)
    before = read_answers(connection, directive, request, authority)
    issued_by, *issued_for = before.own
    check_vote(request, ballot, voter=voter, issued_by=issued_by, issued_for=issued_for)
    new = new_vote(connection, before, ballot, voter, authority)
    cast_vote(connection, request.id, new)
    answers = read_answers(connection, directive, request, authority)
    outcome: VoteResult = tally(request, answers.counted)
    answer: JsonObject = {"decision": ballot.decision, "reason": ballot.reason}
    events = [NewEvent(directive.id, "approval.voted", voter.name, answer)]
    after, missing = directive, 0
    if outcome == "approved":
        after, said = _approve(connection, directive, answers, authority)
        events += said
        outcome = "approved" if after.status == "approved" else "withheld"
    elif outcome == "rejected":
        because = [f"{new.voter}: {new.reason}"]
        after, said = block_asked(connection, request, "rejected", "rejected", because)
        events += said
    else:
        missing = request.required_approvals - len(approvers(answers.counted))
    append_events(connection, events)
    if after is not directive:
        record_approval_wait((new.cast_at - request.requested_at).total_seconds())
        count_directives([after])
    again = any(one.voter == voter.name for one in before.signed)
    return VoteOutcome(after, outcome, missing, again)


def _approve(
    connection: sa.Connection, directive: DirectiveRead, answers: Answers, authority: Authority
) -> tuple[DirectiveRead, list[NewEvent]]:
    request = answers.request
    spending = lock_spending(connection, authority.policy, [directive])
    obstacles = spending.obstacles(directive, agreed=request.rules)
    if obstacles:
        # People approved it without having been asked to pass a limit on spending.
        return block_asked(connection, request, "invalidated", "budget_exhausted", obstacles)
    resolve_request(connection, request.id, "pending", "approved")
    module = announced_module(connection, directive.type, authority)
    grant = make_grant(
        directive.id,
        directive,
        authority,
        module=(module.version, module.digest),
        now=database_time(connection),
        heard=heard_before(connection, directive.id, authority.keys, answers),
        request=request,
        voters=approvers(answers.counted),
    )
    reserved = spending.take(directive, grant, agreed=request.rules)
    execute_batch(connection, [issue_grants([grant]), reserve(reserved)])
    count_reserved(grant, reserved)
    [approved] = transition_directive_status(
        connection, [directive.id], current="proposed", target="approved"
    )
    return approved, [
        NewEvent(directive.id, "approval.resolved", data={"outcome": "approved"}),
        issued_entry(grant, reserved),
        NewEvent(directive.id, "directive.approved"),
    ]
