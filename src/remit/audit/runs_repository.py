"""All SQL that reads runs, attempts and workers to verify them. It writes nothing.

`remit.operations.evidence.auditing` calls it inside one snapshot, and reads what no writer of
Remit's would write: see `remit.db.reading`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.audit.bundle_records import Attempt, Worker
from remit.audit.evidence_claims import LEFT
from remit.audit.run_ends import AuditedAttempt, AuditedRun
from remit.audit.scan_repository import streamed
from remit.base.json_types import JsonObject
from remit.db.evidence_tables import artifacts
from remit.db.execution_tables import execution_attempts, execution_runs, workers
from remit.db.reading import parsed_json, readable
from remit.db.tables import directives, grants

_FEW, _MANY = 20, 1000
_OF_RUN = (
    *("id", "directive_id", "grant_id", "module", "status", "attempts", "result"),
    *("error_type", "error_message", "started_at", "ended_at", "envelope"),
)


def stream_workers(connection: sa.Connection) -> Iterator[Worker]:
    """Yield every worker there ever was; what is no object in its JSON was forged."""
    for row in streamed(connection, sa.select(*_WORKER), _MANY):
        yield _worker(row)


def find_worker(connection: sa.Connection, worker_id: str) -> Worker | None:
    """Return the worker of an identifier, given as text; None: there is none."""
    statement = sa.select(*_WORKER).where(sa.cast(workers.c.id, sa.Text) == worker_id)
    row = connection.execute(statement).first()
    return None if row is None else _worker(row)


def stream_runs(
    connection: sa.Connection,
) -> Iterator[tuple[AuditedRun, Sequence[AuditedAttempt]]]:
    """Yield every run with its attempts, by the run's identifier."""
    attempts = groupby(_stream_attempts(connection), itemgetter(0))
    following = next(attempts, None)
    for run in _stream_alone(connection):
        own: list[AuditedAttempt] = []
        if following is not None and following[0] == run.id:
            own = [one for _, one in following[1]]
            following = next(attempts, None)
        yield run, own


def _stream_alone(connection: sa.Connection) -> Iterator[AuditedRun]:
    left = (
        sa.select(sa.func.jsonb_object_agg(artifacts.c.uri, artifacts.c.digest))
        .where(
            # By the directive first, of which there is an index.
            artifacts.c.directive_id == execution_runs.c.directive_id,
            artifacts.c.run_id == execution_runs.c.id,
            artifacts.c.type.in_(LEFT),
        )
        .scalar_subquery()
    )
    statement = (
        sa.select(
            *readable(execution_runs, _OF_RUN),
            *readable(grants, ("issued_at",)),
            grants.c.module_digest,
            directives.c.status_reason,
            sa.cast(left, sa.Text),
        )
        .select_from(execution_runs)
        .join(grants, grants.c.id == execution_runs.c.grant_id)
        .join(directives, directives.c.id == execution_runs.c.directive_id)
        .order_by(execution_runs.c.id)
    )
    for *said, granted_at, granted_digest, reason, kept in streamed(connection, statement, _FEW):
        fields = dict(zip(_OF_RUN, said, strict=True))
        read = {name: parsed_json(fields[name]) for name in ("result", "envelope")}
        yield AuditedRun(
            **{**fields, **read},
            granted_at=granted_at,
            granted_digest=granted_digest,
            reason=reason,
            left=_object(kept),
        )


def _stream_attempts(connection: sa.Connection) -> Iterator[tuple[UUID, AuditedAttempt]]:
    columns = readable(execution_attempts, Attempt.__slots__)
    statement = (
        sa.select(*columns, *_WORKER)
        .select_from(execution_attempts)
        .join(workers, workers.c.id == execution_attempts.c.worker_id)
        .order_by(execution_attempts.c.run_id, execution_attempts.c.attempt)
    )
    for row in streamed(connection, statement, _MANY):
        fields = dict(zip(Attempt.__slots__, row[: len(columns)], strict=True))
        attempt = Attempt(**{**fields, "envelope": parsed_json(fields["envelope"])})
        yield attempt.run_id, AuditedAttempt(attempt, _worker(row[len(columns) :]))


_WORKER = readable(workers, Worker.__slots__)


def _worker(row: Sequence[Any]) -> Worker:
    fields: Mapping[str, Any] = dict(zip(Worker.__slots__, row, strict=True))
    read = {name: parsed_json(fields[name]) for name in ("modules", "envelope")}
    return Worker(**{**fields, **read})


def _object(text: str | None) -> JsonObject:
    found = parsed_json(text)
    return found if isinstance(found, dict) else {}
