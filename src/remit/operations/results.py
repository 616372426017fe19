"""Act, the end of it: end a run with what its module returned.

The activities of `ExecutionWorkflow` call these. An attempt whose run was canceled, or begun again
by another worker, changes nothing but the log.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import Entry, record
from remit.db.session import transaction
from remit.directives.lifecycle import DirectiveStatus
from remit.directives.models import AbortReason, DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import lock_directive
from remit.errors import ConflictError
from remit.execution.models import ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from remit.execution.mutator import transition_execution_status
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
    reason = because or _abort_reason(output)
    try:
        with transaction(engine) as connection:
            return close_run(connection, run, output, emitted, reason)
    except ConflictError:
        # Too late: canceled, ended, or begun again. What was done here is rolled back.
        with transaction(engine) as connection:
            return _refuse(connection, run, output)


def close_run(
    connection: sa.Connection,
    run: ExecutionRunRead,
    output: ModuleOutput,
    emitted: Sequence[NewArtifact],
    reason: AbortReason | None,
) -> DirectiveRead:
    """End a run and its directive.

    The update of the directive takes its lock, and both updates check what they change, so the
    caller need not have read anything first.

    Raises:
        ConflictError: the attempt that `run` describes is no longer the one that counts.
    """
    status = run_status_of(output.status)
    target: DirectiveStatus = "complete" if status == "completed" else "aborted"
    [directive] = transition_directive_status(
        connection, [run.directive_id], current="executing", target=target, reason=reason
    )
    transition_execution_status(
        connection,
        run.id,
        current=run.status,
        target=status,
        attempt=run.attempts,
        output=output,
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
    evidence = [*emitted, _checkpoint(run, output), end]
    record(connection, _end_entries(run, output, end.uri, reason), evidence)
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


def _refuse(
    connection: sa.Connection, run: ExecutionRunRead, output: ModuleOutput
) -> DirectiveRead:
    """Put a late result on record: the module acted, but nobody waits for it any more."""
    directive = lock_directive(connection, run.directive_id)
    data: JsonObject = {"attempt": run.attempts, "outcome": output.status.value}
    record(connection, [Entry(run.directive_id, "run.refused", data=data)])
    return directive


def _checkpoint(run: ExecutionRunRead, output: ModuleOutput) -> NewArtifact:
    return new_artifact(
        "execution_checkpoint",
        {"run": str(run.id), "attempt": run.attempts, "output": output_to_json(output)},
        directive_id=run.directive_id,
        run_id=run.id,
    )
