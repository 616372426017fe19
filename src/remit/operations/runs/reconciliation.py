"""Settle what is in doubt: a person says how a run ended of which nobody else knows it."""

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import final_model_costs
from remit.audit.repository import NewEvent
from remit.base.json_types import JsonObject
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.plain_json import MAX_REASON, check_text
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError, ForbiddenError, InvalidInputError
from remit.execution.models import Standing
from remit.execution.modules.types import ModuleOutput
from remit.execution.repository import latest_run, standings
from remit.execution.statements import RECONCILIATION, reconciliation_statement
from remit.identity.rules import require
from remit.identity.types import Principal
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.metrics import count_end
from remit.operations.runs.ends import RunEnd, make_run_end, write_run_ends
from remit.signing.keys import Keyring
from remit.signing.statements import sign_statement
from remit.vocabulary import Settled


def reconcile(
    engine: sa.Engine,
    directive_id: UUID,
    settled: Settled,
    *,
    reason: str,
    by: Principal,
    keys: Keyring,
) -> DirectiveRead:
    """End the run of a directive in doubt as a person found that it ended, and return it.

    What an attempt cost that nobody knows of stays unknown, and counts as all that was promised.

    `done` completes it, `failed` aborts it; the reason, how the person knows, is kept as evidence.

    Raises:
        ForbiddenError: this is no person, or one who does not operate.
        InvalidInputError: the reason is empty, holds a secret, or what cannot be stored.
        NotFoundError: there is no such directive.
        ConflictError: it is not in doubt.
        MisconfiguredError: there is no key to sign with.
    """
    require(by, "operate")
    if by.kind != "human":
        raise ForbiddenError(f"only a person settles what is in doubt, and {by.name} is none")
    if not reason.strip():
        raise InvalidInputError("empty: say how you know", field="reason")
    check_text(reason, field="reason", limit=MAX_REASON)
    refuse_secrets(reason, field="reason")
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        run = latest_run(connection, directive_id)
        if directive.status_reason != "in_doubt" or run is None:
            raise ConflictError(f"directive {directive_id} is not in doubt: nothing is to settle")
        standing = standings(connection, [run.id])[run.id]
        end = _end(standing, settled, reason, by, keys)
        write_run_ends(connection, [end], final_model_costs(connection, [run.id]))
        after = get_directive(connection, directive_id)
    count_end(run, None, after.status, end.reason)
    return after


def _end(standing: Standing, settled: Settled, reason: str, by: Principal, keys: Keyring) -> RunEnd:
    if settled == "done":
        end = make_run_end(standing, ModuleOutput.success(), None, by=by.name)
    else:
        output = ModuleOutput.failure(f"settled by {by.name}: {reason}")
        end = make_run_end(standing, output, "module_failed", by=by.name)
    statement = reconciliation_statement(
        standing.run,
        end.output or {},
        by=by.name,
        settled=settled,
        reason=reason,
        artifacts=end.digests,
        ended_at=standing.now,
    )
    data: JsonObject = {"as": settled, "because": [reason]}
    told = NewEvent(standing.run.directive_id, "run.reconciled", by.name, data)
    envelope = sign_statement(RECONCILIATION, statement, keys)
    return replace(end, entries=[told, *end.entries], envelope=envelope)
