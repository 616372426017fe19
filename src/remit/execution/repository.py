"""Every statement on runs but those that create one or change a status."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.db.execution_tables import execution_runs
from remit.db.prefixes import ids_beginning
from remit.execution.models import ExecutionRunRead
from remit.telemetry.rows import read_row


def latest_run(connection: sa.Connection, directive_id: UUID) -> ExecutionRunRead | None:
    """Return the directive's newest run, or None when it never had one.

    The caller that means to change it holds the directive's lock, which orders all its runs.
    """
    row = connection.execute(_LATEST, {"directive_id": directive_id}).first()
    return read_row(row._mapping, ExecutionRunRead.from_row, "execution_runs") if row else None


_LATEST = (
    sa.select(execution_runs)
    .where(execution_runs.c.directive_id == sa.bindparam("directive_id"))
    .order_by(execution_runs.c.created_at.desc())
    .limit(1)
)


def list_runs(connection: sa.Connection, directive_id: UUID) -> list[ExecutionRunRead]:
    """Return every run of a directive, oldest first."""
    statement = (
        sa.select(execution_runs)
        .where(execution_runs.c.directive_id == directive_id)
        .order_by(execution_runs.c.created_at, execution_runs.c.id)
    )
    rows = connection.execute(statement)
    return [read_row(row._mapping, ExecutionRunRead.from_row, "execution_runs") for row in rows]


def run_by_id(connection: sa.Connection, run_id: UUID) -> ExecutionRunRead | None:
    """Return one run; None when there is none."""
    statement = sa.select(execution_runs).where(execution_runs.c.id == run_id)
    row = connection.execute(statement).first()
    return read_row(row._mapping, ExecutionRunRead.from_row, "execution_runs") if row else None


def runs_beginning(connection: sa.Connection, prefix: str) -> list[UUID]:
    """Return up to two runs whose identifier begins with `prefix`."""
    return ids_beginning(connection, execution_runs.c.id, prefix)


def oldest_under_way(connection: sa.Connection) -> datetime | None:
    """Return when the oldest run was created that has not ended; None when every run has."""
    under_way = execution_runs.c.status.in_(("pending", "running"))
    statement = sa.select(sa.func.min(execution_runs.c.created_at)).where(under_way)
    found: datetime | None = connection.execute(statement).scalar_one()
    return found
