"""All SQL of the table `modules`: what workers announced that they can execute.

A worker announces its modules when it starts. A grant binds to one version: that of the newest
worker that lives and has the module, else the one that was announced last. Nothing here is
believed: whose certificate verifies, `remit.operations.gate.routing` judges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from remit.db.execution_tables import modules
from remit.execution.modules.registry import ModuleInfo
from remit.telemetry.rows import read_rows


@dataclass(frozen=True, slots=True)
class Announced:
    """A module as a worker announced it.

    Version and digest are empty when no worker has announced it. The names are those of all
    modules that stand announced, in order.
    """

    version: str = ""
    digest: str = ""
    names: tuple[str, ...] = ()


Candidate = tuple[UUID | None, str, str]
"""A worker that is said to have a module, with version and digest of it; None: announced before
workers had rows."""


@dataclass(frozen=True, slots=True)
class AnnouncedModule:
    """One version of a module, as the worker that announced it last described it.

    Attributes:
        digest: to which grants bind.
        announced_at: when a worker that has it last started.
        living: how many workers live that have it.
    """

    name: str
    version: str
    digest: str
    summary: str
    announced_at: datetime
    living: int


def announce_modules(
    connection: sa.Connection, infos: Sequence[ModuleInfo], worker_id: UUID
) -> None:
    """Store what a worker can execute, beside the other versions that there are."""
    # In one order for all workers that start at once, so that they wait and never deadlock.
    rows = [
        {
            "name": one.name,
            "version": one.version,
            "digest": one.digest,
            "summary": one.summary,
            "announced_by": worker_id,
        }
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
                "announced_by": new.announced_by,
            },
        )
    )


def list_announced(connection: sa.Connection) -> list[AnnouncedModule]:
    """Return all versions that workers have announced, by name, the newest first."""
    return read_rows(connection.execute(_LISTED), lambda row: AnnouncedModule(**row), "modules")


def candidates(connection: sa.Connection, name: str) -> tuple[list[Candidate], tuple[str, ...]]:
    """Return what a grant for a module may bind to now, see :func:`candidates_from_json`."""
    statement = sa.text(f"SELECT {_ANNOUNCED_AS.format(name=':name', lives=_LIVES)}")
    return candidates_from_json(connection.execute(statement, {"name": name}).scalar_one())


def candidates_from_json(stored: Mapping[str, Any]) -> tuple[list[Candidate], tuple[str, ...]]:
    """Return what :data:`ANNOUNCED` read, before it is known whom to believe.

    First the candidates: of workers that live, the newest first; then what was announced last. And
    the names of all modules that stand announced, in order.
    """
    found = [
        (None if one["worker"] is None else UUID(one["worker"]), one["version"], one["digest"])
        for one in stored["found"]
    ]
    return found, tuple(stored["names"])


_LIVES = "worker.ended_at IS NULL AND worker.lease_until > statement_timestamp()"
"""Whether the row `worker` lives: by a clock that an index can serve."""

_LISTED = sa.text(
    f"""
    SELECT one.name, one.version, one.digest, one.summary, one.announced_at,
        count(worker.id) AS living
    FROM modules AS one
    LEFT JOIN workers AS worker ON {_LIVES} AND worker.modules ->> one.name = one.digest
    GROUP BY one.name, one.digest ORDER BY one.name, one.announced_at DESC, one.digest
    """  # noqa: S608 - nothing in it is from outside
)

_ANNOUNCED_AS = """(
    SELECT jsonb_build_object(
        'names', (SELECT coalesce(jsonb_agg(DISTINCT one.name), '[]') FROM modules AS one),
        'found', coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'worker', each.worker, 'version', coalesce(one.version, ''),
                    'digest', each.digest
                ) ORDER BY each.since DESC NULLS LAST, each.announced_at DESC, each.digest
            ), '[]')
    )
    FROM (
        (
            SELECT worker.id AS worker, worker.modules ->> {name} AS digest,
                worker.started_at AS since, NULL::timestamptz AS announced_at
            FROM workers AS worker
            WHERE {lives} AND worker.modules ? {name}
            ORDER BY worker.started_at DESC LIMIT 8
        ) UNION ALL (
            SELECT last.announced_by, last.digest, NULL, last.announced_at FROM modules AS last
            WHERE last.name = {name} ORDER BY last.announced_at DESC, last.digest LIMIT 4
        )
    ) AS each LEFT JOIN modules AS one ON one.name = {name} AND one.digest = each.digest
)"""

ANNOUNCED = _ANNOUNCED_AS.format(name="directive.type", lives=_LIVES)
"""An SQL value: what a grant for the row `directive` may bind to now, and which names there are."""
