"""Act, the end of it: end a run with what its module returned.

The activities of `ExecutionWorkflow` call these. An attempt whose run was canceled, or begun again
by another worker, changes nothing but the log.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, new_artifact, put_artifacts
from remit.audit.repository import Entry, append_events
from remit.db.session import transaction
from remit.directives.lifecycle import DirectiveStatus
from remit.directives.models import AbortReason, DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import lock_directive
from remit.execution.models import ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from remit.execution.mutator import transition_execution_status
from remit.execution.repository import latest_run
from remit.json_types import JsonObject


def end_run(
    engine: sa.Engine,
    run: ExecutionRunRead,
    output: ModuleOutput,
    *,
    emitted: Sequence[NewArtifact] = (),
    because: AbortReason | None = None,
) -> DirectiveRead:
    """End a run and its directive with what the module returned.

    Args:
        engine: the database.
        run: the run as this attempt began it; if another attempt has begun since, or the run was
            canceled, this call changes nothing but the log.
        output: what the module returned.
        emitted: artifacts the module left that are not stored yet.
        because: why the directive aborts; None derives it from `output`.

    Returns:
        The directive as it now is.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, run.directive_id)
        current = latest_run(connection, run.directive_id)
        if current is None or not _is_current(directive, current, run):
            _refuse(connection, run, output)
            return directive
        return close_run(connection, current, output, emitted, because or _abort_reason(output))


def close_run(
    connection: sa.Connection,
    run: ExecutionRunRead,
    output: ModuleOutput,
    emitted: Sequence[NewArtifact],
    reason: AbortReason | None,
) -> DirectiveRead:
    """End a run and its directive inside a transaction that holds the directive's lock."""
    status = run_status_of(output.status)
    transition_execution_status(
        connection,
        run.id,
        current=run.status,
        target=status,
        result=output_to_json(output),
        error=output.error,
    )
    target: DirectiveStatus = "complete" if status == "completed" else "aborted"
    [directive] = transition_directive_status(
        connection, [run.directive_id], current="executing", target=target, reason=reason
    )
    end = new_artifact(
        "execution_end",
        {
            "run": str(run.id),
            "status": status,
            "attempts": run.attempts,
            "reason": reason,
            "error": output.error.message if output.error else None,
            "artifacts": [one.uri for one in emitted],
        },
        directive_id=run.directive_id,
        run_id=run.id,
    )
    put_artifacts(connection, [*emitted, _checkpoint(run, output), end])
    append_events(connection, _end_entries(run, output, end.uri, reason))
    return directive


def _end_entries(
    run: ExecutionRunRead, output: ModuleOutput, uri: str, reason: AbortReason | None
) -> list[Entry]:
    about = run.directive_id
    ended = Entry(about, "run.ended", data={"outcome": output.status.value, "artifact": uri})
    if reason is None:
        return [ended, Entry(about, "directive.completed")]
    because = output.error.message if output.error else reason
    data: JsonObject = {"reason": reason, "because": [because]}
    return [ended, Entry(about, "directive.aborted", data=data)]


def _abort_reason(output: ModuleOutput) -> AbortReason | None:
    if output.error is None:
        return None
    if output.error.error_type == "timed_out":
        return "timed_out"
    return "module_failed" if output.error.error_type == "module_failed" else "module_error"


def _is_current(
    directive: DirectiveRead, current: ExecutionRunRead | None, run: ExecutionRunRead
) -> bool:
    """Return whether the attempt that `run` describes is still the one that counts."""
    return (
        directive.status == "executing"
        and current is not None
        and (current.id, current.attempts) == (run.id, run.attempts)
    )


def _refuse(connection: sa.Connection, run: ExecutionRunRead, output: ModuleOutput) -> None:
    """Put a late result on record: the module acted, but nobody waits for it any more."""
    data: JsonObject = {"attempt": run.attempts, "outcome": output.status.value}
    append_events(connection, [Entry(run.directive_id, "run.refused", data=data)])


def _checkpoint(run: ExecutionRunRead, output: ModuleOutput) -> NewArtifact:
    return new_artifact(
        "execution_checkpoint",
        {"run": str(run.id), "attempt": run.attempts, "output": output_to_json(output)},
        directive_id=run.directive_id,
        run_id=run.id,
    )
