"""Act, the end of it: end a run with what its module returned.

The activities of `ExecutionWorkflow` call these. An attempt whose run was canceled, or begun again
by another worker, changes nothing but the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, new_artifact
from remit.artifacts.usage_repository import final_model_costs
from remit.audit.repository import Entry, evidence, record
from remit.budget.costs import NO_MODELS, closing_of
from remit.budget.ledger import releases, settlements
from remit.budget.types import Closing
from remit.db.session import transaction
from remit.db.together import write_together
from remit.directives.lifecycle import DirectiveStatus
from remit.directives.models import AbortReason, StatusReason
from remit.directives.mutator import Move, moves
from remit.directives.repository import lock_directive
from remit.errors import ConflictError
from remit.execution.models import ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from remit.execution.mutator import RunEnd, run_ends
from remit.json_types import JsonObject
from remit.operations.telling import tell_end, tell_settled


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended.

    Attributes:
        run: the run as this attempt began it.
        output: what the module returned.
        emitted: artifacts that the module left and that are not stored yet.
        reason: why the directive aborts, when the module was not called and `output` says why; None
            derives it from what the module returned.
        budgeted: whether the directive has a budget, so that something may have been reserved.
    """

    run: ExecutionRunRead
    output: ModuleOutput
    emitted: Sequence[NewArtifact] = ()
    reason: AbortReason | None = None
    budgeted: bool = True

    @property
    def because(self) -> AbortReason | None:
        """Why the directive aborts; None when it is complete."""
        return self.reason or _abort_reason(self.output)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a directive stands after the end of a run.

    Attributes:
        status: its status.
        status_reason: why it has that status; None when there is nothing to say.
        counted: whether this attempt ended the run; a late one changed nothing.
    """

    status: DirectiveStatus
    status_reason: StatusReason | None
    counted: bool = True


def end_runs(engine: sa.Engine, endings: Sequence[Ending]) -> list[Ended]:
    """End runs and their directives, all of them or none, in one statement.

    Returns:
        How each directive stands, in the order of `endings`.

    Raises:
        ConflictError: one of the attempts no longer counts; :func:`end_run` looks into that, one
            at a time.
        UnavailableError: the database does not answer; nothing was changed.
    """
    with transaction(engine) as connection:
        return close_runs(connection, endings)


def end_run(engine: sa.Engine, ending: Ending) -> Ended:
    """End one run and its directive with what the module returned.

    If another attempt has begun since, or the run was canceled, this changes nothing but the log.

    Returns:
        How the directive stands.
    """
    try:
        return end_runs(engine, [ending])[0]
    except ConflictError:
        with transaction(engine) as connection:
            return _refuse(connection, ending)


def close_runs(connection: sa.Connection, endings: Sequence[Ending]) -> list[Ended]:
    """End runs inside a transaction; see :func:`end_runs`."""
    ended = [_ended(ending) for ending in endings]
    closings = _closings(connection, [ending for ending in endings if ending.budgeted])
    parts = [
        moves(
            [
                Move(ending.run.directive_id, "executing", after.status, after.status_reason)
                for ending, after in zip(endings, ended, strict=True)
            ]
        ),
        run_ends([RunEnd(ending.run, ending.output) for ending in endings]),
        settlements([closing for closing in closings.values() if closing is not None]),
        releases([grant_id for grant_id, closing in closings.items() if closing is None]),
    ]
    entries: list[Entry] = []
    artifacts: list[NewArtifact] = []
    for ending in endings:
        end = _end_artifact(ending)
        artifacts += [*ending.emitted, _checkpoint(ending), end]
        entries += _entries(ending, end.uri)
    write_together(connection, [*parts, *evidence(entries, artifacts)])
    for ending, after in zip(endings, ended, strict=True):
        called = ending.output if ending.reason is None else None
        tell_end(ending.run, called, after.status, after.status_reason)
    tell_settled(closings.values())
    return ended


def _closings(connection: sa.Connection, endings: Sequence[Ending]) -> dict[UUID, Closing | None]:
    """Return what each grant's run spent, models included; None where that is nothing."""
    models = final_model_costs(connection, [one.run.id for one in endings])
    return {
        one.run.grant_id: closing_of(
            one.run.grant_id,
            one.output.cost,
            models.get(one.run.id, NO_MODELS),
            completed=one.because is None,
        )
        for one in endings
    }


def _ended(ending: Ending) -> Ended:
    completed = run_status_of(ending.output.status) == "completed"
    return Ended("complete" if completed else "aborted", ending.because)


def _abort_reason(output: ModuleOutput) -> AbortReason | None:
    if output.error is None:
        return None
    if output.error.error_type == "timed_out":
        return "timed_out"
    return "module_failed" if output.error.error_type == "module_failed" else "module_error"


def _refuse(connection: sa.Connection, ending: Ending) -> Ended:
    """Put a late result on record: the module acted, but nobody waits for it any more."""
    directive = lock_directive(connection, ending.run.directive_id)
    data: JsonObject = {
        "attempt": ending.run.attempts,
        "outcome": ending.output.status.value,
    }
    record(connection, [Entry(directive.id, "run.refused", data=data)])
    return Ended(directive.status, directive.status_reason, counted=False)


def _entries(ending: Ending, artifact_uri: str) -> list[Entry]:
    about, output = ending.run.directive_id, ending.output
    ended: JsonObject = {"outcome": output.status.value, "artifact": artifact_uri}
    entries = [Entry(about, "run.ended", data=ended)]
    if ending.because is None:
        return [*entries, Entry(about, "directive.completed")]
    message = output.error.message if output.error else ending.because
    data: JsonObject = {"reason": ending.because, "because": [message]}
    return [*entries, Entry(about, "directive.aborted", data=data)]


def _checkpoint(ending: Ending) -> NewArtifact:
    run = ending.run
    return new_artifact(
        "execution_checkpoint",
        {"run": str(run.id), "attempt": run.attempts, "output": output_to_json(ending.output)},
        directive_id=run.directive_id,
        run_id=run.id,
    )


def _end_artifact(ending: Ending) -> NewArtifact:
    run, output = ending.run, ending.output
    return new_artifact(
        "execution_end",
        {
            "run": str(run.id),
            "status": run_status_of(output.status),
            "attempts": run.attempts,
            "reason": ending.because,
            "error": output.error.message if output.error else None,
            "artifacts": [one.uri for one in ending.emitted],
        },
        directive_id=run.directive_id,
        run_id=run.id,
    )
