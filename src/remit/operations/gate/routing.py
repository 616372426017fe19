"""Which version of a module a grant binds to, and which worker executes it.

Several versions may live side by side. A grant binds to one that a certified worker has, and only a
worker that has this very version executes it: another one hands it over, and voids nothing while
such a worker lives, or did a moment ago.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from remit.approval.types import Grant
from remit.execution.module_repository import Announced, Candidate, candidates
from remit.execution.worker_repository import lately_with, living_with
from remit.operations.gate.authority import Authority


@dataclass(frozen=True, slots=True)
class Route:
    """Where what this worker cannot execute may be.

    Attributes:
        worker_id: a worker that lives and has the version; None: none lives just now, but one did a
            moment ago and may come back.
    """

    worker_id: UUID | None


def announced_module(connection: sa.Connection, name: str, authority: Authority) -> Announced:
    """Return what a grant for the module of a name binds to now, and which names there are."""
    found, names = candidates(connection, name)
    return Announced(*certified_version(connection, name, found, authority), names)


def certified_version(
    connection: sa.Connection, name: str, found: Sequence[Candidate], authority: Authority
) -> tuple[str, str]:
    """Return version and digest of the first candidate that is certified, empty when none is."""
    ids = [worker for worker, _, _ in found if worker is not None]
    certified = authority.workers.modules_of(connection, ids, authority.keys)
    for worker, version, digest in found:
        # Who wrote the row may have left the digest out; no certificate names an empty one.
        if worker is not None and digest and certified[worker].get(name) == digest:
            return version, digest
    return "", ""


def route(connection: sa.Connection, grant: Grant, authority: Authority) -> Route | None:
    """Return where the version is that a grant is for; None: it is gone for good."""
    name, digest = grant.module, grant.module_digest
    living = _certified(connection, living_with(connection, name, digest), grant, authority)
    if living:
        # Any of them: they share the work, and one that is gone is not asked again and again.
        return Route(secrets.choice(living))
    lately = lately_with(connection, name, digest, authority.patience)
    return Route(None) if _certified(connection, lately, grant, authority) else None


def _certified(
    connection: sa.Connection, ids: list[UUID], grant: Grant, authority: Authority
) -> list[UUID]:
    modules: Mapping[UUID, Mapping[str, object]] = authority.workers.modules_of(
        connection, ids, authority.keys
    )
    return [one for one in ids if modules[one].get(grant.module) == grant.module_digest]
