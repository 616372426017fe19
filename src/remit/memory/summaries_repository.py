"""The SQL of the three questions about directives, runs and evidence.

It selects only the columns that the role `remit_reader` may see.
"""

import sqlalchemy as sa

from remit.db.evidence_tables import artifacts
from remit.db.execution_tables import execution_runs
from remit.db.tables import directives
from remit.memory.results import ArtifactSummary, DirectiveSummary, ExecutionSummary
from remit.telemetry.rows import read_row, read_rows
from remit.vocabulary import ArtifactType, RunStatus


def latest_directive(connection: sa.Connection, role: str) -> DirectiveSummary | None:
    """Return the newest directive that addresses a role, or None when there is none."""
    statement = (
        sa.select(
            directives.c.id,
            directives.c.role,
            directives.c.type,
            directives.c.objective,
            directives.c.status,
            directives.c.created_at,
        )
        .where(directives.c.role == role)
        .order_by(directives.c.created_at.desc(), directives.c.id)
        .limit(1)
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    return read_row(row._mapping, lambda found: DirectiveSummary(**found), "directives")


def list_executions(
    connection: sa.Connection, limit: int, status: RunStatus | None
) -> list[ExecutionSummary]:
    """Return runs, newest first: all of them, or those that stand so."""
    statement = (
        sa.select(
            execution_runs.c.id.label("run_id"),
            execution_runs.c.directive_id,
            directives.c.type.label("directive_type"),
            execution_runs.c.status,
            execution_runs.c.created_at,
            execution_runs.c.started_at,
            execution_runs.c.ended_at,
        )
        .join(directives, directives.c.id == execution_runs.c.directive_id)
        .order_by(execution_runs.c.created_at.desc(), execution_runs.c.id)
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(execution_runs.c.status == status)
    rows = connection.execute(statement)
    return read_rows(rows, lambda row: ExecutionSummary(**row), "execution_runs")


def list_artifacts_of(
    connection: sa.Connection, artifact_type: ArtifactType, limit: int
) -> list[ArtifactSummary]:
    """Return the artifacts of one type, newest first."""
    statement = (
        sa.select(
            artifacts.c.id,
            artifacts.c.type,
            artifacts.c.uri,
            artifacts.c.directive_id,
            artifacts.c.run_id,
            artifacts.c.created_at,
        )
        .where(artifacts.c.type == artifact_type)
        .order_by(artifacts.c.created_at.desc(), artifacts.c.id)
        .limit(limit)
    )
    rows = connection.execute(statement)
    return read_rows(rows, lambda row: ArtifactSummary(**row), "artifacts")
