"""What the workers can execute, as they announced it: the table `modules`.

A worker announces its modules when it starts. A grant binds to the announcement that stood when it
was issued, so that a module that changes under its name voids the approvals that it was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from remit.db.tables import modules
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
    """Store what a worker can execute; what it announces stands in place of what stood before."""
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
            index_elements=["name"],
            set_={
                "version": new.version,
                "digest": new.digest,
                # Under `python -OO` a worker knows none.
                "summary": sa.func.coalesce(sa.func.nullif(new.summary, ""), modules.c.summary),
                "announced_at": sa.func.now(),
            },
        )
    )


def list_announced(connection: sa.Connection) -> list[AnnouncedModule]:
    """Return all that workers have announced, by name."""
    found = connection.execute(sa.select(modules).order_by(modules.c.name))
    return read_rows(found, lambda row: AnnouncedModule(**row), "modules")


def announced_module(connection: sa.Connection, name: str) -> Announced:
    """Return what stands announced, under a name and at all."""
    statement = sa.select(modules.c.name, modules.c.version, modules.c.digest)
    rows = {row.name: row for row in connection.execute(statement)}
    found = rows.get(name)
    names = tuple(sorted(rows))
    return Announced(found.version, found.digest, names) if found else Announced(names=names)


def announced_from_json(stored: JsonObject) -> Announced:
    """Return what :data:`ANNOUNCED` read."""
    return _ANNOUNCED.validate_python(stored)


_ANNOUNCED = TypeAdapter(Announced)

ANNOUNCED = """(
    SELECT jsonb_build_object(
        'version', coalesce(max(one.version) FILTER (WHERE one.name = directive.type), ''),
        'digest', coalesce(max(one.digest) FILTER (WHERE one.name = directive.type), ''),
        'names', coalesce(jsonb_agg(one.name ORDER BY one.name COLLATE "C"), '[]')
    )
    FROM modules AS one
)"""
"""An SQL value: what stands announced, at all and for the row `directive`."""
