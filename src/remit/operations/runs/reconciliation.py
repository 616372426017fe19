"""Settle what is in doubt: a person says how a run ended of which nobody else knows it."""

from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from remit.audit.repository import Entry
from remit.base.json_types import JsonObject
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.plain_json import MAX_REASON, check_text
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError, ForbiddenError, InvalidInputError
from remit.execution.models import Standing, output_to_json
from remit.execution.modules.types import ModuleOutput
from remit.execution.repository import latest_run, standings
from remit.execution.statements import Reconciliation, sign_reconciliation
from remit.identity.rules import require
from remit.identity.types import Principal
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.metrics import count_end
from remit.operations.runs.endings import (
    RunEnding,
    checkpoint,
    digests_of,
    end_artifact,
    facts_of,
    spent_by,
    write_endings,
)
from remit.signing.keys import Keyring
from remit.vocabulary import AbortReason, Settled


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

    Args:
        engine: the database.
        directive_id: the directive.
        settled: `done` completes it, `failed` aborts it.
        reason: how the person knows; kept as evidence.
        by: the person.
        keys: what signs their word.

    Raises:
        ForbiddenError: this is no person, or one who does not operate.
        InvalidInputError: the reason is empty, holds a secret, or what cannot be stored.
        NotFoundError: there is no such directive.
        ConflictError: it is not in doubt.
        MisconfiguredError: there is no key to sign with.
    """
    _check(by, reason)
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        run = latest_run(connection, directive_id)
        if directive.status_reason != "in_doubt" or run is None:
            raise ConflictError(f"directive {directive_id} is not in doubt: nothing is to settle")
        standing = standings(connection, [run.id])[run.id]
        ending = _ending(standing, settled, reason, by, keys)
        write_endings(connection, [ending], spent_by(connection, [run.id]))
        after = get_directive(connection, directive_id)
    count_end(run, None, after.status, ending.reason)
    return after


def _check(by: Principal, reason: str) -> None:
    """Return quietly when this is a person who may settle it, for a reason that can be kept."""
    require(by, "operate")
    if by.kind != "human":
        raise ForbiddenError(f"only a person settles what is in doubt, and {by.name} is none")
    if not reason.strip():
        raise InvalidInputError("empty: say how you know", field="reason")
    check_text(reason, field="reason", limit=MAX_REASON)
    refuse_secrets(reason, field="reason")


def _ending(
    standing: Standing, settled: Settled, reason: str, by: Principal, keys: Keyring
) -> RunEnding:
    said = f"settled by {by.name}: {reason}"
    found = ModuleOutput.success() if settled == "done" else ModuleOutput.failure(said)
    output = output_to_json(found)
    because: AbortReason | None = None if settled == "done" else "module_failed"
    status: Literal["completed", "failed"] = "completed" if settled == "done" else "failed"
    end = end_artifact(standing, status, because, None if because is None else said)
    artifacts = [checkpoint(standing, standing.run.attempts, output), end]
    word = Reconciliation(
        run=facts_of(standing),
        by=by.name,
        settled=settled,
        reason=reason,
        output=output,
        artifacts=digests_of(artifacts),
        ended_at=standing.now,
    )
    about = standing.run.directive_id
    told: JsonObject = {"as": settled, "because": [reason]}
    ended: JsonObject = {"outcome": found.status.value, "artifact": end.uri}
    aborted: JsonObject = {"reason": because, "because": [said]}
    entries = [
        Entry(about, "run.reconciled", by.name, told),
        Entry(about, "run.ended", by.name, ended),
        Entry(about, "directive.completed", by.name)
        if because is None
        else Entry(about, "directive.aborted", by.name, aborted),
    ]
    signed = sign_reconciliation(word, keys)
    return RunEnding(standing, status, because, output, entries, artifacts, envelope=signed)
