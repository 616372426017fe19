"""All SQL of the event log. Operations append in the transaction whose deed they record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

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


def append_events(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Append `entries` in order. The caller holds the lock of each directive's row."""
    connection.execute(
        sa.insert(events),
        [
            {
                "directive_id": entry.directive_id,
                "type": entry.type,
                "actor": entry.actor,
                "data": entry.data,
            }
            for entry in entries
        ],
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


def event_data(event: Event) -> JsonObject:
    """Return the particulars of an event as an object."""
    data: JsonObject = json.loads(event.data)
    return data
