"""Grants: made of what was decided, signed and voided; and requests that end without one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.approval.repository import invalidate_request, resolve_request, void_grant
from remit.approval.statements import sign_grant
from remit.approval.types import ApprovalRequest, Grant
from remit.audit.repository import REMIT, NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead, Intent
from remit.directives.mutator import transition_directive_status
from remit.operations.gate.authority import Authority
from remit.operations.gate.spending import release_budget
from remit.operations.metrics import count_void
from remit.vocabulary import RequestStatus, StatusReason, VoidReason


def make_grant(
    directive_id: UUID,
    intent: Intent,
    authority: Authority,
    *,
    module: tuple[str, str],
    now: datetime,
    heard: JsonObject | None,
    request: ApprovalRequest | None = None,
    voters: Sequence[str] = (),
) -> Grant:
    """Return a signed grant, not stored yet; without a request, policy alone allows it.

    `module` is its version and digest as announced, both empty when no worker has announced it;
    `now` the database's clock at the start of the transaction; `heard` what people had answered
    about the directive before, None when nobody was ever asked.
    """
    policy = authority.policy
    version, digest = module
    grant = Grant(
        id=uuid4(),
        directive_id=directive_id,
        request_id=request.id if request else None,
        action_digest=request.action_digest if request else intent.content_digest,
        policy_version=request.policy_version if request else policy.version,
        policy_digest=request.policy_digest if request else policy.digest,
        module=intent.type,
        module_version=version,
        module_digest=digest,
        required_approvals=request.required_approvals if request else 0,
        votes=tuple(voters),
        budget=intent.amount,
        issued_at=now,
        expires_at=now + policy.grant_valid_for,
        heard=heard,
    )
    return sign_grant(grant, authority.keys)


def issued_entry(grant: Grant, reserved: Sequence[JsonObject]) -> NewEvent:
    """Return what the log says of a grant and of the ledger's rows that go with it."""
    data: JsonObject = {"by": list(grant.votes) if grant.request_id else "policy"}
    if reserved:
        data["reserved"] = {str(row["account"]): row["amount"] for row in reserved}
    return NewEvent(grant.directive_id, "grant.issued", data=data)


def block_asked(
    connection: sa.Connection,
    request: ApprovalRequest,
    outcome: RequestStatus,
    reason: StatusReason,
    because: Sequence[str] = (),
) -> tuple[DirectiveRead, list[NewEvent]]:
    """Close a pending request and block its directive; return it, and the events to append."""
    resolve_request(connection, request.id, "pending", outcome)
    [blocked] = transition_directive_status(
        connection, [request.directive_id], current="proposed", target="blocked", reason=reason
    )
    data: JsonObject = {"reason": reason}
    if because:
        data["because"] = [*because]
    return blocked, [
        NewEvent(blocked.id, "approval.resolved", data={"outcome": outcome}),
        NewEvent(blocked.id, "directive.blocked", data=data),
    ]


def block_void(
    connection: sa.Connection,
    directive: DirectiveRead,
    grant: Grant | None,
    void: VoidReason,
    *,
    by: str = REMIT,
) -> DirectiveRead:
    """Void the grant, if any, of an approved directive that was locked; block it and return it.

    `by` is who found out why it is void, or made it so.
    """
    if grant is not None:
        void_grant(connection, grant.id, void)
        release_budget(connection, grant)
        if grant.request_id is not None:
            invalidate_request(connection, grant.request_id)
    [blocked] = transition_directive_status(
        connection, [directive.id], current="approved", target="blocked", reason=void
    )
    entries = [
        NewEvent(directive.id, "grant.voided", by, {"reason": void}),
        NewEvent(directive.id, "directive.blocked", by, {"reason": void}),
    ]
    append_events(connection, entries)
    count_void(blocked, grant, void)
    return blocked
