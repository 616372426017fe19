"""The one place that creates runs and writes `execution_runs.status`. Operations alone call it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from remit.db.tables import execution_runs
from remit.errors import ConflictError
from remit.execution.lifecycle import RunStatus, validate_transition
from remit.execution.models import ExecutionRunCreate, ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput


def create_execution_run(connection: sa.Connection, run: ExecutionRunCreate) -> ExecutionRunRead:
    """Store a run, and thereby consume its grant.

    Raises:
        ConflictError: another run has consumed the grant.
    """
    begun = run.status == "running"
    started_at = sa.func.now() if begun else sa.null()
    statement = sa.insert(execution_runs).values(started_at=started_at).returning(execution_runs)
    try:
        row = connection.execute(statement, {**run.model_dump(), "attempts": int(begun)}).one()
    except IntegrityError as error:
        raise ConflictError(f"grant {run.grant_id} has been consumed by another run") from error
    return ExecutionRunRead.from_row(row._mapping)


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
    attempt: int | None = None,
    output: ModuleOutput | None = None,
) -> None:
    """Move a run from `current` to `target` and stamp the time: start, or end.

    Args:
        connection: the operation's transaction; it holds the directive's lock.
        run_id: the run.
        current: the status it must have.
        target: the status it gets.
        attempt: which attempt speaks; only the latest may. None when nobody's attempt does.
        output: what the module returned; None when it has not.

    Raises:
        IllegalTransitionError: the lifecycle does not allow it.
        ConflictError: the run no longer has the status `current`, or another attempt has begun.
    """
    validate_transition(current, target)
    stamp = "started_at" if target == "running" else "ended_at"
    values: dict[str, object] = {"status": target, stamp: sa.func.now()}
    if output is not None:
        values["result"] = output_to_json(output)
    if output is not None and output.error is not None:
        values |= {
            "error_type": output.error.error_type,
            "error_message": output.error.message,
        }
    update = sa.update(execution_runs).where(
        execution_runs.c.id == run_id, execution_runs.c.status == current
    )
    if attempt is not None:
        update = update.where(execution_runs.c.attempts == attempt)
    done = connection.execute(update.values(**values))
    if done.rowcount != 1:
        raise ConflictError(f"run {run_id} is no longer {current}, or was begun again")
