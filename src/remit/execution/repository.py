"""Every statement on runs but those that create one or change a status."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from remit.db.execution_tables import execution_runs
from remit.db.reading import ids_beginning
from remit.execution.models import AttemptRead, ExecutionRunRead, Standing
from remit.telemetry.rows import read_row


def latest_run(connection: sa.Connection, directive_id: UUID) -> ExecutionRunRead | None:
    """Return the directive's newest run, or None when it never had one.

    The caller that means to change it holds the directive's lock, which orders all its runs.
    """
    rows = connection.execute(_LATEST, {"directive_id": directive_id})
    return next(map(_run, rows), None)


def standings(connection: sa.Connection, run_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return runs with their attempts, by identifier; those there are not are left out."""
    rows = connection.execute(_STANDINGS, {"runs": list(run_ids)})
    found = [
        Standing(
            run=read_row(row.run, ExecutionRunRead.from_row, "execution_runs"),
            attempts=tuple(_ATTEMPTS.validate_python(row.attempts)),
            promised=row.promised,
            now=row.now,
        )
        for row in rows
    ]
    return {one.run.id: one for one in found}


def is_latest(connection: sa.Connection, run_id: UUID, attempt: int, worker_id: UUID) -> bool:
    """Return whether an attempt of a worker is the last of a run that goes on, and is open."""
    named = {"run_id": run_id, "attempt": attempt, "worker_id": worker_id}
    found: bool = connection.execute(_IS_LATEST, named).scalar_one()
    return found


def list_runs(connection: sa.Connection, directive_id: UUID) -> list[ExecutionRunRead]:
    """Return every run of a directive, oldest first."""
    statement = (
        sa.select(execution_runs)
        .where(execution_runs.c.directive_id == directive_id)
        .order_by(execution_runs.c.created_at, execution_runs.c.id)
    )
    return [*map(_run, connection.execute(statement))]


def run_by_id(connection: sa.Connection, run_id: UUID) -> ExecutionRunRead | None:
    """Return one run; None when there is none."""
    statement = sa.select(execution_runs).where(execution_runs.c.id == run_id)
    return next(map(_run, connection.execute(statement)), None)


def runs_beginning(connection: sa.Connection, prefix: str) -> list[UUID]:
    """Return up to two runs whose identifier begins with `prefix`."""
    return ids_beginning(connection, execution_runs.c.id, prefix)


def oldest_under_way(connection: sa.Connection) -> datetime | None:
    """Return when the oldest run was created that has not ended; None when every run has."""
    under_way = execution_runs.c.status.in_(("pending", "running"))
    statement = sa.select(sa.func.min(execution_runs.c.created_at)).where(under_way)
    found: datetime | None = connection.execute(statement).scalar_one()
    return found


def _run(row: sa.Row[Any]) -> ExecutionRunRead:
    return read_row(row._mapping, ExecutionRunRead.from_row, "execution_runs")


_LATEST = (
    sa.select(execution_runs)
    .where(execution_runs.c.directive_id == sa.bindparam("directive_id"))
    .order_by(execution_runs.c.created_at.desc())
    .limit(1)
)
_ATTEMPTS = TypeAdapter(list[AttemptRead])

_STANDINGS = sa.text("""
    SELECT to_jsonb(run) AS run, now() AS now,
        (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'attempt', one.attempt, 'worker_id', one.worker_id, 'started_at', one.started_at,
                'ended_at', one.ended_at, 'cost', one.cost,
                'alive', worker.ended_at IS NULL AND worker.lease_until > clock_timestamp()
            ) ORDER BY one.attempt), '[]')
            FROM execution_attempts AS one JOIN workers AS worker ON worker.id = one.worker_id
            WHERE one.run_id = run.id
        ) AS attempts,
        (
            SELECT max(amount) FROM budget_entries
            WHERE grant_id = run.grant_id AND kind = 'reserve'
        ) AS promised
    FROM execution_runs AS run
    WHERE run.id = ANY(CAST(:runs AS uuid[]))
""")
_IS_LATEST = sa.text("""
    SELECT EXISTS (
        SELECT FROM execution_attempts AS one JOIN execution_runs AS run ON run.id = one.run_id
        WHERE one.run_id = :run_id AND one.attempt = :attempt AND one.worker_id = :worker_id
            AND one.ended_at IS NULL AND run.attempts = :attempt AND run.status = 'running'
    )
""")
