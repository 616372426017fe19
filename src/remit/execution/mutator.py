"""The one place that creates runs and writes `execution_runs.status`. Operations alone call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from remit.db.execution_tables import execution_runs
from remit.db.together import Part
from remit.errors import ConflictError
from remit.execution.lifecycle import RunStatus, validate_transition
from remit.execution.models import ExecutionRunCreate, ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from remit.json_types import JsonObject


def create_execution_run(runs: Sequence[ExecutionRunCreate]) -> Part:
    """Return the write that stores runs, and thereby consumes their grants.

    A grant that another run has consumed is a conflict.
    """
    rows = [run.model_dump(mode="json") for run in runs]
    return Part("begun", _CREATE, rows, "a grant was consumed by another run")


@dataclass(frozen=True, slots=True)
class RunEnd:
    """One run's end: who speaks, and what the module returned."""

    run: ExecutionRunRead
    output: ModuleOutput


def run_ends(ends: Sequence[RunEnd]) -> Part:
    """Return the write that ends runs with what their modules returned, and stamps the time.

    It takes part after `moved`, which takes the directives' locks first, as every other writer
    does. An attempt that is no longer the latest writes nothing, which is a conflict.

    Raises:
        IllegalTransitionError: a run's lifecycle does not allow it.
    """
    rows: list[JsonObject] = []
    for end in ends:
        target = run_status_of(end.output.status)
        validate_transition(end.run.status, target)
        error = end.output.error
        rows.append(
            {
                "id": str(end.run.id),
                "current": end.run.status,
                "target": target,
                "attempt": end.run.attempts,
                "result": output_to_json(end.output),
                "error_type": error.error_type if error else None,
                "error_message": error.message if error else None,
            }
        )
    return Part("ended", _END, rows, "a run has ended, or was begun again")


def begin_attempt(connection: sa.Connection, run_id: UUID, current: RunStatus) -> None:
    """Count one more attempt; the first also makes a pending run `running`."""
    if current == "pending":
        transition_execution_status(connection, run_id, current=current, target="running")
    connection.execute(
        sa.update(execution_runs)
        .where(execution_runs.c.id == run_id)
        .values(attempts=execution_runs.c.attempts + 1)
    )


def transition_execution_status(
    connection: sa.Connection,
    run_id: UUID,
    *,
    current: RunStatus,
    target: RunStatus,
) -> None:
    """Move a run from `current` to `target` and stamp the time: start, or end.

    Args:
        connection: the operation's transaction; it holds the directive's lock.
        run_id: the run.
        current: the status it must have.
        target: the status it gets.

    Raises:
        IllegalTransitionError: the lifecycle does not allow it.
        ConflictError: the run no longer has the status `current`.
    """
    validate_transition(current, target)
    stamp = "started_at" if target == "running" else "ended_at"
    done = connection.execute(
        sa.update(execution_runs)
        .where(execution_runs.c.id == run_id, execution_runs.c.status == current)
        .values({"status": target, stamp: sa.func.now()})
    )
    if done.rowcount != 1:
        raise ConflictError(f"run {run_id} is no longer {current}")


_CREATE = """
    INSERT INTO execution_runs (
        id, directive_id, grant_id, module, module_version, idempotency_key, status,
        attempts, started_at
    )
    SELECT
        id, directive_id, grant_id, module, module_version, idempotency_key, status,
        (status = 'running')::integer, CASE status WHEN 'running' THEN now() END
    FROM jsonb_to_recordset(%(begun)s::jsonb) AS new (
        id uuid, directive_id uuid, grant_id uuid, module text, module_version text,
        idempotency_key text, status text
    )
    ON CONFLICT (grant_id) DO NOTHING
    RETURNING id
"""
_END = """
    UPDATE execution_runs AS run
    SET status = new.target, ended_at = now(), result = new.result,
        error_type = new.error_type, error_message = new.error_message
    FROM (
        SELECT * FROM jsonb_to_recordset(%(ended)s::jsonb) AS one (
            id uuid, current text, target text, attempt integer, result jsonb,
            error_type text, error_message text
        )
        LIMIT {count}
    ) AS new, moved
    WHERE run.id = new.id AND run.directive_id = moved.id
        AND run.status = new.current AND run.attempts = new.attempt
    RETURNING run.id
"""
