"""Grants: made of what was decided and what the database says, signed; and voided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import invalidate_request, void_grant
from remit.approval.statements import sign_grant
from remit.approval.types import ApprovalRequest, Grant
from remit.audit.repository import REMIT, Entry, record
from remit.base.json_types import JsonObject
from remit.base.money import parse_budget
from remit.budget.types import Reservation
from remit.directives.models import DirectiveRead, Intent
from remit.directives.mutator import transition_directive_status
from remit.execution.catalog import Announced
from remit.operations.gate.authority import Authority
from remit.operations.gate.spending import release_budget
from remit.operations.gate.telling import tell_void
from remit.vocabulary import VoidReason


@dataclass(frozen=True, slots=True)
class Footing:
    """What a grant stands on that only the database knows.

    Attributes:
        now: its clock, at the start of the transaction.
        module: what stands announced under the directive's type.
        heard: what people had answered about it before; None: nobody was ever asked.
    """

    now: datetime
    module: Announced
    heard: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """People's leave.

    Attributes:
        request: what they were asked.
        voters: who approved.
    """

    request: ApprovalRequest
    voters: Sequence[str]


@dataclass(frozen=True, slots=True)
class Action:
    """What a grant lets happen.

    Attributes:
        grant_id: the identifier that the grant gets.
        directive_id: the directive.
        intent: its content.
        digest: its action digest.
    """

    grant_id: UUID
    directive_id: UUID
    intent: Intent
    digest: str


def make_grant(
    action: Action, authority: Authority, footing: Footing, consent: Consent | None = None
) -> Grant:
    """Return a signed grant, not stored yet.

    Args:
        action: what it lets happen.
        authority: the policy that allows it, and the key that signs it.
        footing: what the database says.
        consent: people's leave; None when policy alone allows it.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    policy, request = authority.policy, consent.request if consent else None
    intent = action.intent
    grant = Grant(
        id=action.grant_id,
        directive_id=action.directive_id,
        request_id=request.id if request else None,
        action_digest=action.digest,
        policy_version=request.policy_version if request else policy.version,
        policy_digest=request.policy_digest if request else policy.digest,
        module=intent.type,
        module_version=footing.module.version,
        module_digest=footing.module.digest,
        required_approvals=request.required_approvals if request else 0,
        votes=tuple(consent.voters) if consent else (),
        budget=None if intent.budget is None else parse_budget(intent.budget),
        issued_at=footing.now,
        expires_at=footing.now + policy.grant_valid_for,
        heard=footing.heard,
    )
    return sign_grant(grant, authority.keys)


def reserved_data(reserved: Sequence[Reservation]) -> JsonObject:
    """Return what the log says of the reservations of a grant; nothing when it has none."""
    if not reserved:
        return {}
    accounts: JsonObject = {one.account: str(one.promise.amount) for one in reserved}
    return {"reserved": accounts}


def block_void(
    connection: sa.Connection,
    directive: DirectiveRead,
    grant: Grant | None,
    void: VoidReason,
    *,
    by: str = REMIT,
) -> DirectiveRead:
    """Void the grant of an approved directive that was locked, block it, and return it.

    Args:
        connection: the transaction's.
        directive: the directive.
        grant: its grant; None when it has none.
        void: why.
        by: who found out, or made it so.
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
        Entry(directive.id, "grant.voided", by, {"reason": void}),
        Entry(directive.id, "directive.blocked", by, {"reason": void}),
    ]
    record(connection, entries)
    tell_void(blocked, grant, void)
    return blocked
