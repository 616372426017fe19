"""All SQL of the event log. Operations append in the transaction whose deed they record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, store_artifacts
from remit.audit.chain import INSTALLATION, Event
from remit.base.json_types import JsonObject
from remit.db.batch import BatchStatement, execute_batch
from remit.db.evidence_tables import events
from remit.db.reading import read_json, readable
from remit.vocabulary import EventType

REMIT = "remit"
"""The actor of what no person or agent did: a policy, a timer, a worker."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to append; the database adds its position, time and hashes."""

    directive_id: UUID
    type: EventType
    actor: str = REMIT
    data: JsonObject = field(default_factory=dict)


def evidence(
    entries: Sequence[Entry], artifacts: Sequence[NewArtifact] = ()
) -> list[BatchStatement]:
    """Return the writes that append events and store the artifacts they speak of.

    A directive's last event names each of its artifacts with its digest, so that the chain covers
    them too; an artifact of no directive belongs to the installation.

    Args:
        entries: what happened, in order. The statement's transaction holds the lock of each
            directive's row, or made the row; that orders the chain.
        artifacts: the evidence, in any order.
    """
    said: list[JsonObject] = [
        {
            "directive_id": str(entry.directive_id),
            "type": entry.type,
            "actor": entry.actor,
            "data": data,
        }
        for entry, data in zip(entries, _naming(entries, artifacts), strict=True)
    ]
    return [
        store_artifacts(artifacts),
        BatchStatement("said", _APPEND, said, "an event was not written"),
    ]


def _naming(entries: Sequence[Entry], artifacts: Sequence[NewArtifact]) -> list[JsonObject]:
    """Return the particulars of each entry, those of the last of a directive with its evidence."""
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


def record(
    connection: sa.Connection, entries: Sequence[Entry], artifacts: Sequence[NewArtifact] = ()
) -> None:
    """Append events and store artifacts as a statement of their own."""
    execute_batch(connection, evidence(entries, artifacts))


def list_events(connection: sa.Connection, directive_id: UUID) -> list[Event]:
    """Return one directive's events, oldest first."""
    statement = (
        sa.select(*readable(events, Event.__slots__))
        .where(events.c.directive_id == directive_id)
        .order_by(events.c.seq)
    )
    return [Event(*row) for row in connection.execute(statement)]


# In the order of the list: the trigger that chains the events sees each one before the next.
_APPEND = """
    INSERT INTO events (directive_id, type, actor, data)
    SELECT directive_id, type, actor, data
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
