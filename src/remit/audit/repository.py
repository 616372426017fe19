"""All SQL of the event log. Operations append in the transaction whose deed they record."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, store_artifacts
from remit.audit.chain import INSTALLATION, Event
from remit.audit.checkpoint import Head
from remit.base.json_types import JsonObject
from remit.db.batch import BatchStatement, as_row, execute_batch
from remit.db.evidence_tables import events
from remit.db.reading import read_json, readable
from remit.db.tables import directives
from remit.vocabulary import DirectiveStatus, EventType

REMIT = "remit"
"""The actor of what no person or agent did: a policy, a timer, a worker."""

_MANY = 2000
_COLUMNS = readable(events, Event.__slots__)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to append; the database adds its position, time and hashes."""

    directive_id: UUID
    type: EventType
    actor: str = REMIT
    data: JsonObject = field(default_factory=dict)


def event_batch(
    entries: Sequence[NewEvent], artifacts: Sequence[NewArtifact] = ()
) -> list[BatchStatement]:
    """Return the writes that append events and store the artifacts they speak of.

    A directive's last event names each of its artifacts with its digest, so that the chain covers
    them too; an artifact of no directive belongs to the installation.

    `entries` is what happened, in order. The statement's transaction holds the lock of each
    directive's row, or made the row; that orders the chain.
    """
    rows = [
        as_row(entry, NewEvent.__slots__) | {"data": data}
        for entry, data in zip(entries, _naming(entries, artifacts), strict=True)
    ]
    return [
        store_artifacts(artifacts),
        BatchStatement("said", _APPEND, rows, "an event was not written"),
    ]


def _naming(entries: Sequence[NewEvent], artifacts: Sequence[NewArtifact]) -> list[JsonObject]:
    last = {entry.directive_id: place for place, entry in enumerate(entries)}
    found = [entry.data for entry in entries]
    for directive_id, place in last.items():
        named: JsonObject = {
            one.uri: one.digest
            for one in artifacts
            if (one.directive_id or INSTALLATION) == directive_id
        }
        if named:
            found[place] = {**found[place], "evidence": named}
    return found


def append_events(
    connection: sa.Connection, entries: Sequence[NewEvent], artifacts: Sequence[NewArtifact] = ()
) -> None:
    """Append events and store artifacts as a statement of their own."""
    execute_batch(connection, event_batch(entries, artifacts))


# In the order of the list: the trigger that chains the events sees each one before the next.
_APPEND = """
    INSERT INTO events (directive_id, type, actor, data) SELECT directive_id, type, actor, data
    FROM ROWS FROM (
        jsonb_to_recordset(%(said)s::jsonb)
            AS (directive_id uuid, type text, actor text, data jsonb)
    ) WITH ORDINALITY AS new (directive_id, type, actor, data, position)
    ORDER BY position
    RETURNING seq
"""


def event_data(event: Event) -> JsonObject:
    """Return the particulars of an event; none where they are no object that can be read."""
    data = read_json(event.data)
    return data if isinstance(data, dict) else {}


def list_events(connection: sa.Connection, directive_id: UUID) -> list[Event]:
    """Return one directive's events, oldest first."""
    return list_chains(connection, [directive_id])


def list_chains(connection: sa.Connection, ids: Collection[UUID]) -> list[Event]:
    """Return the chains of some directives whole, by directive and position."""
    statement = (
        sa.select(*_COLUMNS)
        .where(events.c.directive_id.in_(ids))
        .order_by(events.c.directive_id, events.c.seq)
    )
    return [Event(*row) for row in connection.execute(statement)]


def list_own_events(connection: sa.Connection, kinds: Collection[str]) -> list[Event]:
    """Return the installation's own events of some types, oldest first."""
    statement = (
        sa.select(*_COLUMNS)
        .where(events.c.directive_id == INSTALLATION, events.c.type.in_(kinds))
        .order_by(events.c.seq)
    )
    return [Event(*row) for row in connection.execute(statement)]


def principals_touched(connection: sa.Connection, since: Mapping[UUID, datetime]) -> list[str]:
    """Return whom somebody made known, changed or shut out with a token since a time, by name."""
    shown = events.c.data["with"].astext
    statement = sa.select(shown, events.c.occurred_at, events.c.data["name"].astext).where(
        events.c.directive_id == INSTALLATION,
        events.c.type.in_(("principal.created", "principal.changed", "principal.disabled")),
        shown.in_([str(one) for one in since]),
    )
    rows = connection.execute(statement)
    return sorted({name for token, when, name in rows if when >= since[UUID(token)]})


def list_heads(connection: sa.Connection) -> list[Head]:
    """Return the last event of every chain."""
    newest = (
        sa.select(events.c.directive_id, sa.func.max(events.c.seq).label("seq"))
        .group_by(events.c.directive_id)
        .subquery()
    )
    own = (events.c.directive_id == newest.c.directive_id) & (events.c.seq == newest.c.seq)
    columns = (events.c.directive_id, events.c.seq, events.c.hash)
    return [Head(*row) for row in connection.execute(sa.select(*columns).join(newest, own))]


def stream_events(connection: sa.Connection) -> Iterator[Event]:
    """Yield the whole log, by directive and position."""
    statement = sa.select(*_COLUMNS).order_by(events.c.directive_id, events.c.seq)
    for row in streamed(connection, statement, _MANY):
        yield Event(*row)


def stream_own_events(connection: sa.Connection) -> Iterator[Event]:
    """Yield the installation's own log, by position."""
    statement = sa.select(*_COLUMNS).where(events.c.directive_id == INSTALLATION)
    for row in streamed(connection, statement.order_by(events.c.seq), _MANY):
        yield Event(*row)


def stream_statuses(connection: sa.Connection) -> Iterator[tuple[UUID, str]]:
    """Yield every directive's id and status, by id."""
    statement = sa.select(directives.c.id, directives.c.status).order_by(directives.c.id)
    for row in streamed(connection, statement, _MANY):
        yield row[0], row[1]


def streamed(
    connection: sa.Connection, statement: sa.Select[Any], batch: int
) -> Iterator[Sequence[Any]]:
    """Yield rows through a cursor of the server, `batch` of them in memory at a time."""
    with connection.execute(statement, execution_options={"yield_per": batch}) as rows:
        yield from rows


def next_ids(connection: sa.Connection, after: UUID, limit: int) -> list[UUID]:
    """Return the next ids that have a row of the log or a directive, in their order.

    `after` is the last one known; the nil UUID begins with the first directive.
    """
    return list(connection.execute(_NEXT, {"after": after, "limit": limit}).scalars())


def newest_ids(connection: sa.Connection, limit: int) -> list[UUID]:
    """Return the directives that changed last."""
    given = {"statuses": list(get_args(DirectiveStatus)), "limit": limit}
    return list(connection.execute(_NEWEST, given).scalars())


def without_long_chains(
    connection: sa.Connection, ids: Collection[UUID], longest: int
) -> set[UUID]:
    """Return those ids whose chains have no more than `longest` events; no more are counted."""
    return set(connection.execute(_SHORT, {"ids": list(ids), "longest": longest}).scalars())


def statuses_of(connection: sa.Connection, ids: Collection[UUID]) -> list[tuple[UUID, str]]:
    """Return the id and status of those that are directives, by id."""
    statement = (
        sa.select(directives.c.id, directives.c.status)
        .where(directives.c.id.in_(ids))
        .order_by(directives.c.id)
    )
    return [(row.id, row.status) for row in connection.execute(statement)]


# A chain without a directive is as wrong as a directive without a chain, so both are looked for.
# Each step of the recursion is one look into two indexes, however long the chains are.
_NEXT = sa.text("""
    WITH RECURSIVE walk (id, place) AS (
        SELECT CAST(:after AS uuid), 0
        UNION ALL
        SELECT
            least(
                (SELECT one.id FROM directives AS one WHERE one.id > walk.id ORDER BY 1 LIMIT 1),
                (
                    SELECT directive_id FROM events
                    WHERE directive_id > walk.id ORDER BY 1 LIMIT 1
                )
            ),
            place + 1
        FROM walk
        WHERE walk.id IS NOT NULL AND place < :limit
    )
    SELECT id FROM walk WHERE id IS NOT NULL AND place > 0 ORDER BY id
""")
_SHORT = sa.text("""
    SELECT one.id FROM unnest(CAST(:ids AS uuid[])) AS one (id)
    WHERE NOT EXISTS (
        SELECT FROM events WHERE events.directive_id = one.id OFFSET :longest LIMIT 1
    )
""")
_NEWEST = sa.text("""
    SELECT one.id
    FROM unnest(CAST(:statuses AS text[])) AS word
    CROSS JOIN LATERAL (
        SELECT id, updated_at FROM directives
        WHERE status = word ORDER BY updated_at DESC LIMIT :limit
    ) AS one
    ORDER BY one.updated_at DESC, one.id LIMIT :limit
""")
