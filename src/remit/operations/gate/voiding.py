"""Voiding: what a directive was approved by turns out not to hold, and it is blocked."""

import sqlalchemy as sa

from remit.approval.repository import invalidate_request, void_grant
from remit.approval.types import Grant
from remit.audit.repository import REMIT, Entry, record
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.operations.gate.spending import release_budget
from remit.operations.gate.telling import tell_void
from remit.vocabulary import VoidReason


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
