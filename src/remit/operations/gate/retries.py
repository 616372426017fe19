"""Pass the gate again: a draft for the first time, and what was blocked or voided.

Called for whoever submits, and for what was approved before any worker had announced its modules.
"""

from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import latest_request
from remit.approval.types import ApprovalRequest
from remit.artifacts.repository import NewArtifact
from remit.audit.repository import NewEvent, append_events
from remit.db.session import database_time, snapshot
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import find_voided, freeze_directive
from remit.directives.statements import intent_statement, sign_intent
from remit.identity.rules import may, require
from remit.identity.types import Principal
from remit.operations.gate.authority import Authority
from remit.operations.gate.ballots import heard_before
from remit.operations.gate.decisions import pass_gate
from remit.operations.gate.grants import block_asked
from remit.operations.gate.routing import announced_module
from remit.policy.types import PolicyDecision
from remit.vocabulary import EventType


def pass_again(
    connection: sa.Connection, directive: DirectiveRead, authority: Authority, *, by: Principal
) -> tuple[PolicyDecision, NewArtifact] | None:
    """Decide about a stored directive, and record what follows; None if it is past the gate."""
    waiting = latest_request(connection, directive.id)
    opened = _reopen(connection, directive, waiting, authority, by)
    if opened is None:
        return None
    module = announced_module(connection, directive.type, authority)
    decided = pass_gate(
        connection,
        {directive.id: directive},
        authority,
        opened={directive.id: opened},
        modules={directive.id: (module.version, module.digest)},
        announced=module.names,
        now=database_time(connection),
        frozen_as=directive.action_digest,
        heard=heard_before(connection, directive.id, authority.keys) if waiting else None,
    )
    return decided[directive.id]


def voided(
    engine: sa.Engine, authority: Authority, *, by: Principal, limit: int
) -> tuple[list[UUID], bool]:
    """Return what a change of policy voided, the oldest first, and whether there is more.

    Whoever operates sees all of it, anybody else what they issued.

    Raises:
        ForbiddenError: this principal may do neither.
    """
    everyone = may(by, "operate")
    if not everyone:
        require(by, "propose")
    with snapshot(engine) as connection:
        issuer = None if everyone else by.name
        found = find_voided(connection, authority.policy.digest, issuer, limit + 1)
    return [one.id for one in found[:limit]], len(found) > limit


def _reopen(
    connection: sa.Connection,
    directive: DirectiveRead,
    waiting: ApprovalRequest | None,
    authority: Authority,
    by: Principal,
) -> NewEvent | None:
    """Bring a directive to `proposed` and return the event that says so; None if it is past it."""
    pending = waiting is not None and waiting.status == "pending"
    if directive.status == "proposed" and not pending:
        return NewEvent(
            directive.id, "directive.proposed", by.name, {"found": "without a decision"}
        )
    status = directive.status
    if waiting and pending and waiting.policy_digest != authority.policy.digest:
        # No vote on a question of another policy can decide it.
        append_events(
            connection, block_asked(connection, waiting, "invalidated", "policy_changed")[1]
        )
        status = "blocked"
    digest = directive.action_digest
    if status == "draft":
        digest = directive.content_digest
        statement = intent_statement(
            directive.id, digest, directive.issued_by, directive.idempotency_key
        )
        envelope = sign_intent(statement, by, authority.keys)
        freeze_directive(connection, directive.id, digest, envelope)
    if status not in {"draft", "blocked"}:
        return None
    transition_directive_status(connection, [directive.id], current=status, target="proposed")
    event: EventType = "directive.retried" if status == "blocked" else "directive.proposed"
    return NewEvent(directive.id, event, by.name, {"action_digest": digest})
