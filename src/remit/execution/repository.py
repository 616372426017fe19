"""Every statement on runs but those that create one or change a status."""

from uuid import UUID

import sqlalchemy as sa

from remit.db.tables import execution_runs
from remit.execution.models import ExecutionRunRead


def latest_run(connection: sa.Connection, directive_id: UUID) -> ExecutionRunRead | None:
    """Return the directive's newest run, or None when it never had one.

    The caller that means to change it holds the directive's lock, which orders all its runs.
    """
    row = connection.execute(_LATEST, {"directive_id": directive_id}).first()
    return ExecutionRunRead.from_row(row._mapping) if row else None


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
    return [ExecutionRunRead.from_row(row._mapping) for row in connection.execute(statement)]
