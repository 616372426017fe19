"""What the workers can execute, as they announced it: the table `modules`.

A worker announces its modules when it starts. A grant binds to one version: the newest that a
worker which lives has, else the newest that was ever announced. Another version voids the approvals
that this one was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from remit.db.execution_tables import modules
from remit.execution.modules.registry import ModuleInfo
from remit.json_types import JsonObject
from remit.telemetry.rows import read_rows


@dataclass(frozen=True, slots=True)
class Announced:
    """A module as a worker announced it.

    Attributes:
        version: its version; empty when no worker has announced it.
        digest: digest of its description; empty when no worker has announced it.
        names: the names of all modules that stand announced, in order.
    """

    version: str = ""
    digest: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnnouncedModule:
    """A module as the worker that announced it last described it.

    Attributes:
        name: the directive `type` that it executes.
        version: its version.
        digest: digest of its description, to which grants bind.
        summary: what it does, in one line; may be empty.
        announced_at: when a worker that has it last started.
    """

    name: str
    version: str
    digest: str
    summary: str
    announced_at: datetime


def announce_modules(connection: sa.Connection, infos: Sequence[ModuleInfo]) -> None:
    """Store what a worker can execute, beside the other versions that there are."""
    # In one order for all workers that start at once, so that they wait and never deadlock.
    rows = [
        {"name": one.name, "version": one.version, "digest": one.digest, "summary": one.summary}
        for one in sorted(infos, key=lambda info: info.name)
    ]
    if not rows:
        return
    statement = insert(modules).values(rows)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "digest"],
            set_={
                "version": new.version,
                # Under `python -OO` a worker knows none.
                "summary": sa.func.coalesce(sa.func.nullif(new.summary, ""), modules.c.summary),
                "announced_at": sa.func.now(),
            },
        )
    )


def list_announced(connection: sa.Connection) -> list[AnnouncedModule]:
    """Return all versions that workers have announced, by name, the newest first."""
    statement = sa.select(modules).order_by(modules.c.name, modules.c.announced_at.desc())
    found = connection.execute(statement)
    return read_rows(found, lambda row: AnnouncedModule(**row), "modules")


def announced_module(connection: sa.Connection, name: str) -> Announced:
    """Return what a grant for the module of a name binds to now, and which names there are."""
    statement = sa.text(f"SELECT {_ANNOUNCED_AS.format(name=':name')}")
    return announced_from_json(connection.execute(statement, {"name": name}).scalar_one())


def announced_from_json(stored: JsonObject) -> Announced:
    """Return what :data:`ANNOUNCED` read."""
    return _ANNOUNCED.validate_python(stored)


_ANNOUNCED = TypeAdapter(Announced)

_ANNOUNCED_AS = """(
    SELECT jsonb_build_object(
        'version', coalesce(chosen.version, ''), 'digest', coalesce(chosen.digest, ''),
        'names', (SELECT coalesce(jsonb_agg(DISTINCT one.name), '[]') FROM modules AS one)
    )
    FROM (SELECT) AS always LEFT JOIN (
        SELECT one.version, one.digest FROM modules AS one
        LEFT JOIN workers AS worker ON worker.ended_at IS NULL
            AND worker.lease_until > clock_timestamp()
            AND worker.modules ->> one.name = one.digest
        WHERE one.name = {name}
        ORDER BY worker.started_at DESC NULLS LAST, one.announced_at DESC, one.digest LIMIT 1
    ) AS chosen ON true
)"""

ANNOUNCED = _ANNOUNCED_AS.format(name="directive.type")
"""An SQL value: what a grant for the row `directive` binds to now, and which names there are."""
