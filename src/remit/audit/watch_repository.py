"""All SQL of the watch over the chains: some of them at a time, each whole. It writes nothing.

`remit.operations.evidence.chain_watch` calls it inside one snapshot.
"""

from collections.abc import Collection
from typing import get_args
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import Event
from remit.db.evidence_tables import events
from remit.db.reading import readable
from remit.db.tables import directives
from remit.vocabulary import DirectiveStatus


def next_ids(connection: sa.Connection, after: UUID, limit: int) -> list[UUID]:
    """Return the next ids that have a row of the log or a directive, in their order.

    Args:
        connection: an open transaction.
        after: the last one known; the nil UUID begins with the first directive.
        limit: the most to return.
    """
    return list(connection.execute(_NEXT, {"after": after, "limit": limit}).scalars())


def newest_ids(connection: sa.Connection, limit: int) -> list[UUID]:
    """Return the directives that changed last."""
    given = {"statuses": list(get_args(DirectiveStatus)), "limit": limit}
    return list(connection.execute(_NEWEST, given).scalars())


def without_long_chains(
    connection: sa.Connection, ids: Collection[UUID], longest: int
) -> set[UUID]:
    """Return those ids whose chains have no more events than `longest`, or none.

    Args:
        connection: an open transaction.
        ids: directives.
        longest: the most events; of no chain are more than that counted.
    """
    given = {"ids": list(ids), "longest": longest}
    return set(connection.execute(_SHORT, given).scalars())


def events_of(connection: sa.Connection, ids: Collection[UUID]) -> list[Event]:
    """Return the chains of some directives whole, by directive and position."""
    statement = (
        sa.select(*readable(events, Event.__slots__))
        .where(events.c.directive_id.in_(ids))
        .order_by(events.c.directive_id, events.c.seq)
    )
    return [Event(*row) for row in connection.execute(statement)]


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
_NEXT = sa.text(
    """
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
    """
)
_SHORT = sa.text(
    """
    SELECT one.id FROM unnest(CAST(:ids AS uuid[])) AS one (id)
    WHERE NOT EXISTS (
        SELECT FROM events WHERE events.directive_id = one.id OFFSET :longest LIMIT 1
    )
    """
)
_NEWEST = sa.text(
    """
    SELECT one.id
    FROM unnest(CAST(:statuses AS text[])) AS word
    CROSS JOIN LATERAL (
        SELECT id, updated_at FROM directives
        WHERE status = word ORDER BY updated_at DESC LIMIT :limit
    ) AS one
    ORDER BY one.updated_at DESC, one.id LIMIT :limit
    """
)
