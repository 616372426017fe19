"""Workers: each process that executes, with its own key, and the lease that says whether it lives.

A worker makes a key of its own when it starts; whoever holds the installation's key certifies it
with what the worker can execute. What the worker then says about runs is signed with it. All SQL of
the table `workers` is here; every lease is judged by the database's wall clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.db.execution_tables import workers
from remit.execution.modules.registry import ModuleInfo
from remit.json_types import JsonObject
from remit.signing.keys import Keyring, load_keyring, new_signing_key, public_pem
from remit.signing.statements import Kind, sign_statement, verify_statement

WORKER = Kind("worker")

LEASE = timedelta(seconds=15)
"""How long a worker is taken to live after it last renewed its lease."""

RENEWED_AFTER = timedelta(seconds=3)
"""Pause between two renewals: several may fail before others take the worker for dead."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lease is like.

    Attributes:
        length: how long the worker is taken to live after it last renewed it.
        renewed_after: pause between two renewals; also how long one may take.
    """

    length: timedelta = LEASE
    renewed_after: timedelta = RENEWED_AFTER


USUAL = Terms()


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who one worker is.

    Attributes:
        id: its identifier.
        keys: what it signs with: a key that no other process has, for its installation.
    """

    id: UUID
    keys: Keyring

    @property
    def kid(self) -> str:
        """Name of its key."""
        return str(self.keys.kid)

    @property
    def public_key(self) -> str:
        """Its public key, as PEM."""
        return public_pem(self.keys)[self.kid]


def new_worker(keys: Keyring) -> WorkerIdentity:
    """Return a worker that nobody has been yet, with a new key, of the installation of `keys`."""
    own = load_keyring(None, signing_key=new_signing_key())
    return WorkerIdentity(uuid4(), replace(own, installation=keys.installation))


def certify(worker: WorkerIdentity, infos: Sequence[ModuleInfo], keys: Keyring) -> JsonObject:
    """Return the installation's word for a worker's key and modules.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    said = certificate(worker.id, worker.kid, worker.public_key, digests(infos))
    return sign_statement(WORKER, said, keys)


def verify_certificate(envelope: JsonObject | None, said: JsonObject, keys: Keyring) -> None:
    """Return quietly when the installation certified what `said` says, see :func:`certificate`.

    Raises:
        UnverifiableError: it did not; the message says why.
    """
    verify_statement(WORKER, envelope, said, keys)


def certificate(worker_id: UUID, kid: str, public_key: str, modules: JsonObject) -> JsonObject:
    """Return what the certificate of a worker says."""
    return {"worker": str(worker_id), "kid": kid, "public_key": public_key, "modules": modules}


def digests(infos: Sequence[ModuleInfo]) -> JsonObject:
    """Return the digest of each module, by name."""
    return {one.name: one.digest for one in infos}


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
    milliseconds = str(int(terms.renewed_after.total_seconds() * 1000))
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
