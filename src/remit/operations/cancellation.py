"""Stop a directive wherever it stands."""

from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import (
    latest_grant,
    latest_request,
    resolve_request,
    void_grant,
)
from remit.artifacts.usage_repository import model_costs
from remit.audit.repository import Entry, EventType, record
from remit.budget.costs import NO_MODELS, closing_of
from remit.budget.ledger import releases, settlements
from remit.db.session import transaction
from remit.db.together import Part, write_together
from remit.directives.lifecycle import DirectiveStatus
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.plain_json import MAX_REASON, check_text
from remit.directives.repository import lock_directive
from remit.errors import ConflictError
from remit.execution.models import ExecutionRunRead
from remit.execution.mutator import transition_execution_status
from remit.execution.repository import latest_run
from remit.identity.rules import require_own
from remit.identity.types import Principal
from remit.json_types import JsonObject
from remit.operations.disclosure import refuse_secrets
from remit.operations.spending import release_budget
from remit.operations.telling import tell_arrivals, tell_settled
from remit.telemetry.metrics import count_execution_failure, count_grant_voided


def cancel(
    engine: sa.Engine, directive_id: UUID, *, by: Principal, reason: str | None
) -> tuple[DirectiveRead, DirectiveStatus]:
    """Stop a directive, and return it with the status that it had before.

    One that waits or is approved becomes `blocked`, and may be retried. One that executes becomes
    `aborted` and its run `canceled`: what the module is doing at this moment may still take effect,
    and its result is refused and put on record.

    Raises:
        ForbiddenError: this principal neither issued it nor operates.
        InvalidInputError: the reason holds a secret, or what cannot be stored.
        NotFoundError: there is no such directive.
        ConflictError: there is nothing to stop.
    """
    check_text(reason, field="reason", limit=MAX_REASON)
    refuse_secrets(reason, field="reason")
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        require_own(by, directive.issued_by)
        before = directive.status
        if before in {"proposed", "approved"}:
            stopped, entries = _stop_before_run(connection, directive)
        elif before == "executing":
            stopped, entries = _stop_run(connection, directive)
        else:
            raise ConflictError(f"directive {directive_id} is {before}; there is nothing to stop")
        because: JsonObject = {"reason": "canceled", "because": [reason] if reason else []}
        event: EventType = "directive.aborted" if before == "executing" else "directive.blocked"
        entries.append(Entry(directive_id, event, by.name, because))
        record(connection, entries)
    tell_arrivals([stopped])
    if before == "executing":
        count_execution_failure("canceled")
    return stopped, before


def _stop_before_run(
    connection: sa.Connection, directive: DirectiveRead
) -> tuple[DirectiveRead, list[Entry]]:
    entries: list[Entry] = []
    request = latest_request(connection, directive.id)
    if request is not None and request.status in {"pending", "approved"}:
        resolve_request(connection, request.id, request.status, "canceled")
        entries.append(Entry(directive.id, "approval.resolved", data={"outcome": "canceled"}))
    grant = latest_grant(connection, directive.id)
    if directive.status == "approved" and grant is not None:
        void_grant(connection, grant.id, "canceled")
        count_grant_voided("canceled")
        release_budget(connection, grant)
        entries.append(Entry(directive.id, "grant.voided", data={"reason": "canceled"}))
    [stopped] = transition_directive_status(
        connection,
        [directive.id],
        current=directive.status,
        target="blocked",
        reason="canceled",
    )
    return stopped, entries


def _stop_run(
    connection: sa.Connection, directive: DirectiveRead
) -> tuple[DirectiveRead, list[Entry]]:
    entries: list[Entry] = []
    run = latest_run(connection, directive.id)
    if run is not None:
        transition_execution_status(connection, run.id, current=run.status, target="canceled")
        entries.append(Entry(directive.id, "run.ended", data={"outcome": "canceled"}))
        write_together(connection, _closing(connection, run))
    [stopped] = transition_directive_status(
        connection, [directive.id], current="executing", target="aborted", reason="canceled"
    )
    return stopped, entries


def _closing(connection: sa.Connection, run: ExecutionRunRead) -> list[Part]:
    """Return the write that closes the promise to a run: spent is what its models cost."""
    models = model_costs(connection, [run.id]).get(run.id, NO_MODELS)
    closing = closing_of(run.grant_id, None, models, completed=False)
    tell_settled([closing])
    return [releases([run.grant_id]) if closing is None else settlements([closing])]
