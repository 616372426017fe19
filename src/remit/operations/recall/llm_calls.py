"""Asking a language model on behalf of a directive: whether it may, and the evidence that it did.

The activity `call_llm` calls these before and after it asks. Nothing here sees a word of what was
said: the evidence comes in as metadata.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, model_costs, new_artifact
from remit.artifacts.schemas import check_metadata
from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.budget.costs import add_costs
from remit.db.session import database_time, snapshot, transaction
from remit.directives.models import DirectiveRead
from remit.directives.repository import get_directive, lock_directive
from remit.errors import InvalidInputError, NotFoundError
from remit.execution.lifecycle import is_terminal_status
from remit.execution.models import ExecutionRunRead
from remit.execution.repository import latest_run
from remit.redaction.masking import redact_object
from remit.vocabulary import ArtifactType


@dataclass(frozen=True, slots=True)
class CalledModel:
    """What is left of one call of a model: data for the log, and artifacts with their types."""

    data: JsonObject
    evidence: Sequence[tuple[ArtifactType, JsonObject]] = field(default_factory=tuple)
    directive_id: UUID | None = None


def why_not_call(engine: sa.Engine, directive_id: UUID | None) -> str | None:
    """Return why a model may not be asked; None when it may.

    For a directive it may while that executes and less than its budget was spent on models. A call
    whose cost nobody knows counts as the whole. Calls that are made at once are each judged by
    those that have ended: together they can pass the budget by what they cost, which the ledger
    then says. The database is asked in any case: where no evidence can be kept, nobody is asked.
    """
    with snapshot(engine) as connection:
        if directive_id is None:
            database_time(connection)
            return None
        try:
            directive = get_directive(connection, directive_id)
        except NotFoundError as error:
            return error.message
        run = _run_under_way(connection, directive)
        if run is None:
            return f"the directive is {directive.status}: a model is asked only while it executes"
        costs = model_costs(connection, [run.id]).get(run.id, [])
        spent, unknown = add_costs(costs)
        return _why_not_pay(_budget(directive), spent, unknown=unknown)


def _why_not_pay(budget: Decimal, spent: Decimal, *, unknown: bool) -> str | None:
    if not budget:
        return "the directive has no budget, so nothing may be spent: propose it with one"
    if unknown:
        return (
            "the directive's budget counts as spent: nobody knows what its last call cost, since "
            "it broke off or its model has no price; propose another directive for the rest"
        )
    if spent >= budget:
        return "the directive's budget is spent: propose another directive for the rest"
    return None


def record_call(engine: sa.Engine, called: CalledModel) -> list[NewArtifact]:
    """Store what is left of a call: its artifacts and one event, in one transaction.

    They go to the directive that it served, and count for its run while that is under way; else to
    the installation.
    """
    cleaned = [(kind, redact_object(metadata)) for kind, metadata in called.evidence]
    for kind, metadata in cleaned:
        check_metadata(kind, metadata)
    with transaction(engine) as connection:
        directive = _locked(connection, called.directive_id)
        run = None if directive is None else _run_under_way(connection, directive)
        made = [
            new_artifact(
                kind,
                metadata,
                directive_id=None if directive is None else directive.id,
                run_id=None if run is None else run.id,
            )
            for kind, metadata in cleaned
        ]
        about = INSTALLATION if directive is None else directive.id
        append_events(
            connection, [NewEvent(about, "llm.called", data=redact_object(called.data))], made
        )
    return made


def _locked(connection: sa.Connection, directive_id: UUID | None) -> DirectiveRead | None:
    if directive_id is None:
        return None
    try:
        return lock_directive(connection, directive_id)
    except NotFoundError:
        return None


def _run_under_way(connection: sa.Connection, directive: DirectiveRead) -> ExecutionRunRead | None:
    if directive.status != "executing":
        return None
    run = latest_run(connection, directive.id)
    return None if run is None or is_terminal_status(run.status) else run


def _budget(directive: DirectiveRead) -> Decimal:
    """Return the directive's budget, in US dollars; one that cannot be read allows nothing."""
    try:
        return directive.amount or Decimal(0)
    except InvalidInputError:
        return Decimal(0)
