"""All SQL of the table `workers`. Every lease is judged by the database's clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.execution_tables import workers
from remit.execution.modules.registry import ModuleInfo
from remit.execution.workers import LEASE, USUAL, Terms, WorkerIdentity, certificate, digests
from remit.telemetry.rows import read_rows

_LEAST = timedelta(seconds=1)
"""How long a renewal may take at least, however often there is one."""

MANY = 16
"""Most living workers that one look returns: any of them will do."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as it is stored.

    Attributes:
        id: its identifier.
        kid: name of its key.
        public_key: its public key, as PEM.
        modules: the digest of each module that it has, by name.
        envelope: its certificate, see :func:`remit.execution.workers.verify_certificate`.
        started_at: when it was announced.
        lease_until: until when it is taken to live.
        ended_at: when it ended; None while it has not, or was killed.
    """

    id: UUID
    kid: str
    public_key: str
    modules: Mapping[str, object]
    envelope: JsonObject
    started_at: datetime
    lease_until: datetime
    ended_at: datetime | None

    @property
    def said(self) -> JsonObject:
        """What its certificate must say."""
        return certificate(self.id, self.kid, self.public_key, self.modules)


def insert_worker(
    connection: sa.Connection,
    worker: WorkerIdentity,
    infos: Sequence[ModuleInfo],
    envelope: JsonObject,
    length: timedelta = LEASE,
) -> None:
    """Make a certified worker known; its lease of this length begins."""
    connection.execute(
        sa.insert(workers).values(
            id=worker.id,
            kid=worker.kid,
            public_key=worker.public_key,
            modules=digests(infos),
            envelope=envelope,
            lease_until=sa.func.clock_timestamp() + length,
        )
    )


def renew_lease(connection: sa.Connection, worker_id: UUID, terms: Terms = USUAL) -> bool:
    """Say that a worker lives; whether it is one that may still say so."""
    # A lock that somebody holds on the row must not keep the renewals after this one.
    milliseconds = str(int(max(terms.renewed_after, _LEAST).total_seconds() * 1000))
    connection.execute(_WITHIN, {"milliseconds": milliseconds})
    done = connection.execute(
        sa.update(workers)
        .where(workers.c.id == worker_id, workers.c.ended_at.is_(None))
        .values(lease_until=sa.func.clock_timestamp() + terms.length)
    )
    return done.rowcount == 1


def end_worker(connection: sa.Connection, worker_id: UUID) -> None:
    """Say that a worker has ended: whatever it had begun, it will not end any more."""
    connection.execute(
        sa.update(workers)
        .where(workers.c.id == worker_id, workers.c.ended_at.is_(None))
        .values(ended_at=sa.func.clock_timestamp())
    )


_WITHIN = sa.text("SELECT set_config('statement_timeout', :milliseconds, true)")

_FEW = 500
"""How many rows are read at a time."""

_WHOLE = sa.select(workers)

_LIVING = (
    workers.c.ended_at.is_(None),
    # Not `clock_timestamp`, which no index serves: it may be another one for each row.
    workers.c.lease_until > sa.func.statement_timestamp(),
)


def list_workers(connection: sa.Connection) -> list[WorkerRow]:
    """Return the workers that live, the newest first."""
    statement = _WHOLE.where(*_LIVING).order_by(workers.c.started_at.desc())
    return _rows(connection.execute(statement))


def count_living(connection: sa.Connection) -> int:
    """Return how many workers live."""
    statement = sa.select(sa.func.count()).select_from(workers).where(*_LIVING)
    return int(connection.execute(statement).scalar_one())


def workers_by_id(connection: sa.Connection, ids: Iterable[UUID]) -> list[WorkerRow]:
    """Return the workers of these identifiers; those that there are."""
    return _rows(connection.execute(_WHOLE.where(workers.c.id.in_([*ids]))))


def stream_workers(connection: sa.Connection) -> Iterator[WorkerRow]:
    """Yield every worker that there ever was, for the audit."""
    found = connection.execution_options(yield_per=_FEW).execute(
        _WHOLE.order_by(workers.c.started_at)
    )
    for part in found.partitions():
        yield from _rows(part)


def _rows(found: Iterable[sa.Row[Any]]) -> list[WorkerRow]:
    return read_rows(found, lambda row: WorkerRow(**row), "workers")


def living_with(connection: sa.Connection, name: str, digest: str) -> list[UUID]:
    """Return the workers that live and have this version of a module, the newest first."""
    statement = (
        sa.select(workers.c.id)
        .where(*_LIVING, workers.c.modules[name].astext == digest)
        .order_by(workers.c.started_at.desc())
        .limit(MANY)
    )
    return [*connection.execute(statement).scalars()]


def lately_with(connection: sa.Connection, name: str, digest: str, within: timedelta) -> list[UUID]:
    """Return workers with this version of a module that lived within a time, the newest first."""
    since = sa.func.statement_timestamp() - within
    statement = (
        sa.select(workers.c.id)
        .where(
            # The first serves the index: a worker that ended had a lease that went beyond.
            workers.c.lease_until > since,
            sa.func.coalesce(workers.c.ended_at, workers.c.lease_until) > since,
            workers.c.modules[name].astext == digest,
        )
        .order_by(workers.c.started_at.desc())
        .limit(MANY)
    )
    return [*connection.execute(statement).scalars()]
