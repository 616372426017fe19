"""All SQL of the event log. Operations append in the transaction whose deed they record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from remit.artifacts.repository import NewArtifact, as_row
from remit.audit.chain import Event
from remit.db.tables import events
from remit.json_types import JsonObject

EventType = Literal[
    "directive.drafted",
    "directive.proposed",
    "directive.retried",
    "directive.blocked",
    "directive.approved",
    "directive.executing",
    "directive.completed",
    "directive.aborted",
    "policy.evaluated",
    "approval.requested",
    "approval.voted",
    "approval.resolved",
    "grant.issued",
    "grant.consumed",
    "grant.voided",
    "run.attempted",
    "run.ended",
    "run.refused",
]
"""Everything the log can say."""

REMIT = "remit"
"""The actor of what no person or agent did: a policy, a timer, a worker."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to append; the database adds its position, time and hashes."""

    directive_id: UUID
    type: EventType
    actor: str = REMIT
    data: JsonObject = field(default_factory=dict)


def record(
    connection: sa.Connection, entries: Sequence[Entry], artifacts: Sequence[NewArtifact] = ()
) -> None:
    """Append events, and store the artifacts they speak of, in one statement.

    Args:
        connection: the operation's transaction; it holds the lock of each directive's row, which
            orders the chain.
        entries: what happened, in order.
        artifacts: the evidence, in any order.
    """
    connection.execute(
        _RECORD,
        {
            "events": [
                {
                    "directive_id": str(entry.directive_id),
                    "type": entry.type,
                    "actor": entry.actor,
                    "data": entry.data,
                }
                for entry in entries
            ],
            "artifacts": [as_row(artifact) for artifact in artifacts],
        },
    )


def list_events(connection: sa.Connection, directive_id: UUID) -> list[Event]:
    """Return one directive's events, oldest first."""
    statement = (
        sa.select(*(c for c in events.c if c.name not in {"id", "data"}))
        .add_columns(sa.cast(events.c.data, sa.Text).label("data"))
        .where(events.c.directive_id == directive_id)
        .order_by(events.c.seq)
    )
    return [Event(**row._mapping) for row in connection.execute(statement)]


# One statement, since each costs more than the rows it carries. The events are inserted in the
# order of the list, and the trigger that chains them sees each one before the next.
_RECORD = sa.text("""
    WITH stored AS (
        INSERT INTO artifacts
            (id, type, uri, directive_id, run_id, metadata, digest, size_bytes)
        SELECT id, type, uri, directive_id, run_id, metadata, digest, size_bytes
        FROM jsonb_to_recordset(:artifacts) AS made (
            id uuid, type text, uri text, directive_id uuid, run_id uuid,
            metadata jsonb, digest text, size_bytes integer
        )
    )
    INSERT INTO events (directive_id, type, actor, data)
    SELECT directive_id, type, actor, data
    FROM ROWS FROM (
        jsonb_to_recordset(:events) AS (directive_id uuid, type text, actor text, data jsonb)
    ) WITH ORDINALITY AS said (directive_id, type, actor, data, position)
    ORDER BY position
""").bindparams(sa.bindparam("artifacts", type_=JSONB), sa.bindparam("events", type_=JSONB))


def event_data(event: Event) -> JsonObject:
    """Return the particulars of an event as an object."""
    data: JsonObject = json.loads(event.data)
    return data
