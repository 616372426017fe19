"""The workers whose certificates a process has verified.

A grant binds only to a module that such a worker announced, and work is handed over only to one.
What a certificate says never changes, so each is verified once in a process.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from uuid import UUID

import sqlalchemy as sa

from remit.errors import UnverifiableError
from remit.execution.worker_repository import WorkerRow, workers_by_id
from remit.execution.workers import verify_certificate
from remit.signing.keys import Keyring
from remit.telemetry.logging import get_logger

MOST = 1000
"""So many are remembered; then it begins anew."""

Modules = Mapping[str, object]
"""The digest of each module of one worker, by name; empty for one that is not to be believed."""

NOTHING: Mapping[str, object] = {}


class KnownWorkers:
    """Verifies each worker once. Threads may share one."""

    def __init__(self) -> None:
        """Know nobody yet."""
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
        known = self._known(keys)
        missing = wanted - known.keys()
        if missing:
            rows = {row.id: row for row in workers_by_id(connection, missing)}
            found = {one: _certified(rows[one], keys) for one in missing & rows.keys()}
            self._learn(keys, found)
            known = {**known, **found}
        return {one: known.get(one, NOTHING) for one in wanted}

    def _known(self, keys: Keyring) -> Mapping[UUID, Modules]:
        with self._lock:
            if keys is not self._keys or len(self._modules) > MOST:
                self._keys, self._modules = keys, {}
            return self._modules

    def _learn(self, keys: Keyring, found: Mapping[UUID, Modules]) -> None:
        with self._lock:
            if keys is self._keys:
                # A new mapping, so that what was handed out stays as it is.
                self._modules = {**self._modules, **found}


def _certified(row: WorkerRow, keys: Keyring) -> Modules:
    try:
        verify_certificate(row.envelope, row.said, keys)
    except UnverifiableError as error:
        get_logger(__name__).warning("worker_not_certified", worker=str(row.id), error=str(error))
        return NOTHING
    return row.modules
