"""What the workers can execute: told by each when it starts, and for as long as it lives.

Every function raises UnavailableError when the database does not answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.db.session import snapshot, transaction
from remit.errors import UnverifiableError
from remit.execution import worker_repository as repository
from remit.execution.module_repository import AnnouncedModule, announce_modules, list_announced
from remit.execution.modules.registry import ModuleInfo
from remit.execution.workers import USUAL, Terms, WorkerIdentity, certify, new_worker
from remit.signing.keys import Keyring
from remit.signing.worker_keys import WorkerKey


def announce(
    engine: sa.Engine,
    infos: Sequence[ModuleInfo],
    keys: Keyring,
    terms: Terms = USUAL,
    worker_key: WorkerKey | None = None,
) -> WorkerIdentity:
    """Make a worker known with its modules, before it serves, and return who it is.

    Args:
        keys: the installation's, which certify the worker's own, or verify what does.
        worker_key: what certifies it in their place; None: the installation's signing key does.

    Raises:
        MisconfiguredError: there is no key that can certify it.
    """
    worker = new_worker(keys)
    envelope = certify(worker, infos, keys, worker_key)
    with transaction(engine) as connection:
        repository.insert_worker(connection, worker, infos, envelope, terms.length)
        announce_modules(connection, infos, worker.id)
    return worker


def renew_lease(engine: sa.Engine, worker_id: UUID, terms: Terms = USUAL) -> bool:
    """Renew the lease of a worker; whether it may still do so."""
    with transaction(engine) as connection:
        return repository.renew_lease(connection, worker_id, terms)


def end_worker(engine: sa.Engine, worker_id: UUID) -> None:
    """End a worker, which serves no longer, and its lease."""
    with transaction(engine) as connection:
        repository.end_worker(connection, worker_id)


def read_modules(engine: sa.Engine) -> list[AnnouncedModule]:
    """Return all versions that workers have announced, by name, the newest first."""
    with snapshot(engine) as connection:
        return list_announced(connection)


@dataclass(frozen=True, slots=True)
class LivingWorker:
    """A worker that lives.

    Attributes:
        lease_until: until when it is taken to live; it renews this as long as it does.
        modules: the digest of each module that it has, by name.
        certified: whether its certificate verifies; nothing is handed to one without.
    """

    id: UUID
    started_at: datetime
    lease_until: datetime
    modules: Mapping[str, object]
    kid: str
    certified: bool


def read_workers(engine: sa.Engine, keys: Keyring) -> list[LivingWorker]:
    """Return the workers that live, the newest first."""
    with snapshot(engine) as connection:
        return [
            LivingWorker(
                row.id, row.started_at, row.lease_until, row.modules, row.kid, _holds(row, keys)
            )
            for row in repository.list_workers(connection)
        ]


def _holds(row: repository.WorkerRow, keys: Keyring) -> bool:
    try:
        row.verify(keys)
    except UnverifiableError:
        return False
    return True
