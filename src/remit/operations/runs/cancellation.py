"""Stop a directive wherever it stands."""

from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import latest_grant, latest_request, resolve_request, void_grant
from remit.artifacts.repository import final_model_costs
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.plain_json import MAX_REASON, check_text
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError
from remit.execution.repository import latest_run, standings
from remit.execution.statements import RUN_END, run_end_statement
from remit.identity.rules import require_own
from remit.identity.types import Principal
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.gate.spending import release_budget
from remit.operations.metrics import count_directives
from remit.operations.runs.ends import RunEnd, write_run_ends
from remit.signing.keys import Keyring
from remit.signing.statements import sign_statement
from remit.telemetry.metrics import count_execution_failure, count_grant_voided
from remit.vocabulary import DirectiveStatus


def cancel(
    engine: sa.Engine,
    directive_id: UUID,
    *,
    by: Principal,
    reason: str | None,
    keys: Keyring | None = None,
) -> tuple[DirectiveRead, DirectiveStatus]:
    """Stop a directive, and return it with the status that it had before.

    One that waits or is approved becomes `blocked`, and may be retried. One that executes becomes
    `aborted` and its run `canceled`: what the module is doing at this moment may still take effect,
    and its result is refused and put on record.

    The end of a run is signed with `keys`; without a key it ends all the same, unsigned.

    Raises:
        ForbiddenError: this principal neither issued it nor operates.
        InvalidInputError: the reason holds a secret, or what cannot be stored.
        NotFoundError: there is no such directive.
        ConflictError: there is nothing to stop, or nobody knows whether it was carried out.
    """
    check_text(reason, field="reason", limit=MAX_REASON)
    refuse_secrets(reason, field="reason")
    because: JsonObject = {"reason": "canceled", "because": [reason] if reason else []}
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        require_own(by, directive.issued_by)
        before = _stoppable(directive)
        if before == "executing":
            entry = NewEvent(directive_id, "directive.aborted", by.name, because)
            stopped = _stop_run(connection, directive, entry, reason, keys)
        else:
            stopped, entries = _stop_before_run(connection, directive)
            blocked = NewEvent(directive_id, "directive.blocked", by.name, because)
            append_events(connection, [*entries, blocked])
    count_directives([stopped])
    if before == "executing":
        count_execution_failure("canceled")
    return stopped, before


def _stoppable(directive: DirectiveRead) -> DirectiveStatus:
    if directive.status not in {"proposed", "approved", "executing"}:
        raise ConflictError(
            f"directive {directive.id} is {directive.status}; there is nothing to stop"
        )
    if directive.status_reason == "in_doubt":
        raise ConflictError(
            f"nobody knows whether directive {directive.id} was carried out: find out, then say "
            f"`remit reconcile {directive.id} --as done` or `--as failed`"
        )
    return directive.status


def _stop_before_run(
    connection: sa.Connection, directive: DirectiveRead
) -> tuple[DirectiveRead, list[NewEvent]]:
    entries: list[NewEvent] = []
    request = latest_request(connection, directive.id)
    if request is not None and request.status in {"pending", "approved"}:
        resolve_request(connection, request.id, request.status, "canceled")
        entries.append(NewEvent(directive.id, "approval.resolved", data={"outcome": "canceled"}))
    grant = latest_grant(connection, directive.id)
    if directive.status == "approved" and grant is not None:
        void_grant(connection, grant.id, "canceled")
        count_grant_voided("canceled")
        release_budget(connection, grant)
        entries.append(NewEvent(directive.id, "grant.voided", data={"reason": "canceled"}))
    [stopped] = transition_directive_status(
        connection, [directive.id], current=directive.status, target="blocked", reason="canceled"
    )
    return stopped, entries


def _stop_run(
    connection: sa.Connection,
    directive: DirectiveRead,
    entry: NewEvent,
    said: str | None,
    keys: Keyring | None,
) -> DirectiveRead:
    """End the run; what an attempt under way costs, nobody knows, and so it counts as all."""
    run = latest_run(connection, directive.id)
    if run is None:
        [stopped] = transition_directive_status(
            connection, [directive.id], current="executing", target="aborted", reason="canceled"
        )
        append_events(connection, [entry])
        return stopped
    standing = standings(connection, [run.id])[run.id]
    statement = run_end_statement(
        standing.run,
        None,
        worker_id=None,
        by=entry.actor,
        reason="canceled",
        said=said,
        status="canceled",
        artifacts={},
        ended_at=standing.now,
    )
    can_sign = keys is not None and keys.signing_key is not None
    end = RunEnd(
        standing=standing,
        status="canceled",
        reason="canceled",
        output=None,
        entries=[NewEvent(directive.id, "run.ended", data={"outcome": "canceled"}), entry],
        envelope=sign_statement(RUN_END, statement, keys) if keys and can_sign else None,
    )
    write_run_ends(connection, [end], final_model_costs(connection, [run.id]))
    return get_directive(connection, directive.id)
