"""All SQL of ended runs, as those who observe are told of them: no payload, no result is read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from remit.db.evidence_tables import artifacts
from remit.db.execution_tables import execution_runs
from remit.db.tables import directives
from remit.execution.models import EndedRun, LeftArtifact
from remit.telemetry.rows import read_rows

MOST_LISTED = 1000
"""Most runs that one statement returns."""

MOST_LEFT = 100
"""Most artifacts of one run that are told of, the first ones."""

_MODULES_OWN = ("module_failed", "module_error", "timed_out")
"""Why a directive is aborted when its module was called, and the worker that called it ended it."""


@dataclass(frozen=True, slots=True)
class EndedFilter:
    """Which ended runs are wanted, by their directive; None leaves a field open.

    Attributes:
        limit: the most to return, up to :data:`MOST_LISTED`.
    """

    directive_id: UUID | None = None
    role: str | None = None
    type: str | None = None
    limit: int = MOST_LISTED


def list_ended(connection: sa.Connection, wanted: EndedFilter) -> list[EndedRun]:
    """Return the ended runs that pass the filter, the last to end first."""
    columns = {
        directives.c.id: wanted.directive_id,
        directives.c.role: wanted.role,
        directives.c.type: wanted.type,
    }
    conditions = [column == value for column, value in columns.items() if value is not None]
    statement = _ENDED.where(*conditions).order_by(execution_runs.c.ended_at.desc())
    return _read(connection, statement.limit(min(wanted.limit, MOST_LISTED)))


def list_ended_uncalled(
    connection: sa.Connection, within: timedelta, known: Collection[UUID], limit: int
) -> list[EndedRun]:
    """Return runs that ended although no module returned, the first to end first.

    Somebody canceled them, their attempts were exhausted, or their grant did not hold any more.

    Args:
        within: how long ago they ended at most.
        known: runs to leave out.
    """
    statement = _ENDED.where(
        directives.c.status == "aborted",
        directives.c.updated_at >= sa.func.now() - within,
        directives.c.status_reason.not_in(_MODULES_OWN),
        execution_runs.c.id != sa.all_(sa.literal(list(known), ARRAY(sa.Uuid))),
    )
    return _read(connection, statement.order_by(directives.c.updated_at).limit(limit))


# What a run left is asked for by its directive, which has an index.
_LEFT = (
    sa.select(
        sa.func.jsonb_agg(
            aggregate_order_by(
                sa.func.jsonb_build_array(artifacts.c.type, artifacts.c.digest),
                artifacts.c.created_at,
                artifacts.c.id,
            )
        )
    )
    .where(
        artifacts.c.directive_id == directives.c.id,
        artifacts.c.run_id == execution_runs.c.id,
        artifacts.c.type == "module_output",
    )
    .correlate(directives, execution_runs)
    .scalar_subquery()
)

_ENDED: sa.Select[Any] = (
    sa.select(
        directives.c.id.label("directive_id"),
        directives.c.type,
        directives.c.role,
        directives.c.status,
        execution_runs.c.id.label("run_id"),
        execution_runs.c.module,
        execution_runs.c.status.label("run_status"),
        execution_runs.c.attempts,
        (execution_runs.c.ended_at - execution_runs.c.started_at).label("took"),
        _LEFT.label("left_behind"),
    )
    .join_from(execution_runs, directives, execution_runs.c.directive_id == directives.c.id)
    .where(execution_runs.c.ended_at.is_not(None))
)


def _read(connection: sa.Connection, statement: sa.Select[Any]) -> list[EndedRun]:
    return read_rows(connection.execute(statement), _ended, "execution_runs")


def _ended(row: sa.RowMapping) -> EndedRun:
    fields = dict(row)
    took, left = fields.pop("took"), fields.pop("left_behind") or ()
    return EndedRun(
        **fields,
        seconds=None if took is None else took.total_seconds(),
        artifacts=tuple(LeftArtifact(*each) for each in left[:MOST_LEFT]),
    )
