"""All SQL of the table `workers`, and which of them are certified.

Every lease is judged by the database's clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.execution_tables import workers
from remit.errors import UnverifiableError
from remit.execution.modules.registry import ModuleInfo
from remit.execution.workers import (
    LEASE,
    USUAL,
    Terms,
    WorkerIdentity,
    certificate,
    digests,
    verify_certificate,
)
from remit.signing.keys import Keyring
from remit.telemetry.logging import get_logger
from remit.telemetry.rows import read_rows

_LEAST = timedelta(seconds=1)
"""How long a renewal may take at least, however often there is one."""

MANY = 16
"""Most living workers that one look returns: any of them will do."""

MOST_KNOWN = 1000
"""So many workers are remembered by a process; then it begins anew."""

Modules = Mapping[str, object]
"""The digest of each module of one worker, by name; empty for one that is not to be believed."""

_NO_MODULES: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as it is stored.

    Attributes:
        public_key: as PEM.
        envelope: its certificate, see :func:`remit.execution.workers.verify_certificate`.
        ended_at: when it ended; None while it has not, or was killed.
    """

    id: UUID
    kid: str
    public_key: str
    modules: Modules
    envelope: JsonObject
    started_at: datetime
    lease_until: datetime
    ended_at: datetime | None

    def verify(self, keys: Keyring) -> None:
        """Return quietly when its certificate says what the row does.

        Raises:
            UnverifiableError: it does not; the message says why.
        """
        said = certificate(self.id, self.kid, self.public_key, self.modules)
        verify_certificate(self.envelope, said, keys)


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


def _rows(found: Iterable[sa.Row[Any]]) -> list[WorkerRow]:
    return read_rows(found, lambda row: WorkerRow(**row), "workers")


def living_with(connection: sa.Connection, name: str, digest: str) -> list[UUID]:
    """Return the workers that live and have this version of a module, the newest first."""
    return _newest(connection, *_LIVING, workers.c.modules[name].astext == digest)


def lately_with(connection: sa.Connection, name: str, digest: str, within: timedelta) -> list[UUID]:
    """Return workers with this version of a module that lived within a time, the newest first."""
    since = sa.func.statement_timestamp() - within
    return _newest(
        connection,
        # The first serves the index: a worker that ended had a lease that went beyond.
        workers.c.lease_until > since,
        sa.func.coalesce(workers.c.ended_at, workers.c.lease_until) > since,
        workers.c.modules[name].astext == digest,
    )


def _newest(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[UUID]:
    newest = workers.c.started_at.desc()
    statement = sa.select(workers.c.id).where(*conditions).order_by(newest).limit(MANY)
    return [*connection.execute(statement).scalars()]


class KnownWorkers:
    """The workers whose certificates a process has verified. Threads may share one.

    A grant binds only to a module that such a worker announced, and work is handed over only to
    one. What a certificate says never changes, so each is verified once.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: Keyring | None = None
        self._modules: dict[UUID, Modules] = {}

    def modules_of(
        self, connection: sa.Connection, ids: Iterable[UUID], keys: Keyring
    ) -> Mapping[UUID, Modules]:
        """Return what each worker has, as certified; nothing for one whose certificate fails.

        Args:
            connection: to read those with that are not known yet.
            ids: the workers.
            keys: the keys in force: with others than last time, all are verified again.
        """
        wanted = set(ids)
        with self._lock:
            if keys is not self._keys or len(self._modules) > MOST_KNOWN:
                self._keys, self._modules = keys, {}
            known = self._modules
        missing = wanted - known.keys()
        if missing:
            found = {row.id: _certified(row, keys) for row in workers_by_id(connection, missing)}
            # A new mapping, so that what was handed out stays as it is.
            known = {**known, **found}
            with self._lock:
                if keys is self._keys:
                    self._modules = {**self._modules, **found}
        return {one: known.get(one, _NO_MODULES) for one in wanted}


def _certified(row: WorkerRow, keys: Keyring) -> Modules:
    try:
        row.verify(keys)
    except UnverifiableError as error:
        get_logger(__name__).warning("worker_not_certified", worker=str(row.id), error=str(error))
        return _NO_MODULES
    return row.modules
