"""The one place that writes runs, their status, and their attempts. Operations alone call it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.db.batch import BatchStatement, insert_into, limited
from remit.db.execution_tables import execution_attempts, execution_runs
from remit.execution.lifecycle import validate_transition
from remit.execution.models import ExecutionRunCreate, ExecutionRunRead, error_of
from remit.vocabulary import AttemptOutcome, RunStatus

_CHANGED = "a run has ended, or was begun again"


def create_execution_run(runs: Sequence[ExecutionRunCreate]) -> BatchStatement:
    """Return the write that stores runs, and thereby consumes their grants.

    A grant that another run has consumed is a conflict.
    """
    rows = [run.model_dump(mode="json", include=set(_CREATED)) for run in runs]
    return BatchStatement("begun", _CREATE, rows, "a grant was consumed by another run")


def first_attempts(runs: Sequence[ExecutionRunCreate], worker_id: UUID) -> BatchStatement:
    """Return the write, to follow the one above, of the first attempts of runs begun at once."""
    rows = [_attempt(run, 1, worker_id) for run in runs if run.status == "running"]
    return BatchStatement("attempting", _ATTEMPT, rows, "an attempt was not written")


def next_attempt(run: ExecutionRunRead, worker_id: UUID) -> list[BatchStatement]:
    """Return the writes that begin one more attempt of a run; the first makes it `running`.

    The operation holds the directive's lock.

    Raises:
        IllegalTransitionError: the run's lifecycle does not allow it.
    """
    if run.status != "running":
        validate_transition(run.status, "running")
    row = _attempt(run, run.attempts + 1, worker_id)
    again = {"id": row["run_id"], "current": run.status, "attempt": row["attempt"]}
    return [
        BatchStatement("begun", _AGAIN, [again], _CHANGED),
        BatchStatement("attempting", _ATTEMPT, [row], _CHANGED),
    ]


def attempt_ended(
    run_id: UUID,
    attempt: int,
    *,
    ended_at: datetime,
    outcome: AttemptOutcome,
    cost: Decimal | None,
    envelope: JsonObject | None,
) -> JsonObject:
    """Return the row of an attempt that ends, for :func:`end_attempts`."""
    return {
        "run_id": str(run_id),
        "attempt": attempt,
        "ended_at": ended_at.isoformat(),
        "outcome": outcome,
        "cost": None if cost is None else f"{cost:.2f}",
        "envelope": envelope,
    }


def end_attempts(rows: Sequence[JsonObject], *, moving: bool) -> BatchStatement:
    """Return the write that ends attempts; one that has ended already is a conflict.

    One that is `moving` takes part with `moved`, which takes the directives' locks first; else the
    operation holds them.
    """
    sql = _END_ATTEMPT_MOVING if moving else _END_ATTEMPT
    return BatchStatement("attempted", sql, rows, "an attempt has ended already")


def run_ended(
    run: ExecutionRunRead,
    target: RunStatus,
    *,
    ended_at: datetime,
    output: JsonObject | None,
    envelope: JsonObject | None,
) -> JsonObject:
    """Return the row of a run that ends, for :func:`end_execution_runs`.

    Args:
        envelope: what was signed of an end that came from no attempt; None: an attempt ends it.

    Raises:
        IllegalTransitionError: its lifecycle does not allow it.
    """
    validate_transition(run.status, target)
    error = error_of(output)
    return {
        "id": str(run.id),
        "current": run.status,
        "target": target,
        "attempts": run.attempts,
        "ended_at": ended_at.isoformat(),
        "result": output,
        "error_type": error.get("error_type"),
        "error_message": error.get("message"),
        "envelope": envelope,
    }


def end_execution_runs(rows: Sequence[JsonObject]) -> BatchStatement:
    """Return the write that ends runs; one that has changed since it was read is a conflict.

    It takes part after `moved`, which takes the directives' locks first, as every other writer
    does.
    """
    return BatchStatement("ended", _END, rows, _CHANGED)


def _attempt(run: ExecutionRunCreate, attempt: int, worker_id: UUID) -> JsonObject:
    return {"run_id": str(run.id), "attempt": attempt, "worker_id": str(worker_id)}


_BEGUN: Mapping[str, str] = {
    "attempts": "(status = 'running')::integer",
    "started_at": "CASE status WHEN 'running' THEN now() END",
}
_CREATED = tuple(ExecutionRunCreate.model_fields)
_CREATE = f"""
    {insert_into(execution_runs, "begun", _CREATED, computed=_BEGUN)}
    ON CONFLICT (grant_id) DO NOTHING
    RETURNING id
"""
# After the run itself, which a conflict may keep from being written.
_ATTEMPTING = ("run_id", "attempt", "worker_id")
_ATTEMPT = f"""
    {insert_into(execution_attempts, "attempting", _ATTEMPTING)}
    JOIN begun ON begun.id = new.run_id
    RETURNING run_id
"""
_AGAIN = f"""
    UPDATE execution_runs AS run
    SET status = 'running', attempts = new.attempt, started_at = coalesce(run.started_at, now())
    FROM {limited("begun", execution_runs, ["id"], {"current": "text", "attempt": "integer"})}
    WHERE run.id = new.id AND run.status = new.current AND run.attempts = new.attempt - 1
    RETURNING run.id
"""  # noqa: S608 - constants
_ENDED_ATTEMPT = ("run_id", "attempt", "ended_at", "outcome", "cost", "envelope")
_END_ATTEMPT = f"""
    UPDATE execution_attempts AS one
    SET ended_at = new.ended_at, outcome = new.outcome, cost = new.cost, envelope = new.envelope
    FROM {limited("attempted", execution_attempts, _ENDED_ATTEMPT)}
    WHERE one.run_id = new.run_id AND one.attempt = new.attempt AND one.ended_at IS NULL
    RETURNING one.run_id
"""  # noqa: S608 - constants
# `ended` comes after `moved`.
_END_ATTEMPT_MOVING = _END_ATTEMPT.replace(
    "RETURNING", "AND EXISTS (SELECT FROM ended WHERE ended.id = new.run_id)\n    RETURNING"
)
_ENDED = ("id", "attempts", "ended_at", "result", "error_type", "error_message", "envelope")
_END = f"""
    UPDATE execution_runs AS run
    SET status = new.target, ended_at = new.ended_at, result = new.result,
        error_type = new.error_type, error_message = new.error_message, envelope = new.envelope
    FROM {limited("ended", execution_runs, _ENDED, {"current": "text", "target": "text"})}, moved
    WHERE run.id = new.id AND run.directive_id = moved.id
        AND run.status = new.current AND run.attempts = new.attempts
    RETURNING run.id
"""  # noqa: S608 - constants
