"""What the workers can execute: told by each when it starts, and for as long as it lives."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from remit.db.session import snapshot, transaction
from remit.execution.catalog import AnnouncedModule, announce_modules, list_announced
from remit.execution.modules.registry import ModuleInfo
from remit.execution.workers import (
    USUAL,
    Terms,
    WorkerIdentity,
    certify,
    end_worker,
    insert_worker,
    new_worker,
    renew_lease,
)
from remit.signing.keys import Keyring


def announce(
    engine: sa.Engine, infos: Sequence[ModuleInfo], keys: Keyring, terms: Terms = USUAL
) -> WorkerIdentity:
    """Make a worker known with what it can execute, before it serves, and return who it is.

    Args:
        engine: the database.
        infos: its modules.
        keys: the installation's, which certify the worker's own.
        terms: what its lease is like.

    Raises:
        MisconfiguredError: there is no key to sign with.
        UnavailableError: the database does not answer.
    """
    worker = new_worker(keys)
    envelope = certify(worker, infos, keys)
    with transaction(engine) as connection:
        insert_worker(connection, worker, infos, envelope, terms.length)
        announce_modules(connection, infos)
    return worker


def stay(engine: sa.Engine, worker_id: UUID, terms: Terms = USUAL) -> bool:
    """Renew the lease of a worker; whether it may still do so.

    Raises:
        UnavailableError: the database does not answer.
    """
    with transaction(engine) as connection:
        return renew_lease(connection, worker_id, terms)


def leave(engine: sa.Engine, worker_id: UUID) -> None:
    """End the lease of a worker, which serves no longer.

    Raises:
        UnavailableError: the database does not answer.
    """
    with transaction(engine) as connection:
        end_worker(connection, worker_id)


def read_modules(engine: sa.Engine) -> list[AnnouncedModule]:
    """Return all versions that workers have announced, by name, the newest first.

    Raises:
        UnavailableError: the database does not answer.
    """
    with snapshot(engine) as connection:
        return list_announced(connection)
