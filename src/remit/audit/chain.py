"""The hash chain over a directive's events, computed again outside the database.

The database computes each hash as it inserts the row (migration 0002); this module computes the
same one, so that a reader need not trust the database that hands it the rows. Pure.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

INSTALLATION = UUID(int=0)
"""Stands for a directive in the installation's own chain: who was let in, and by whom."""

GENESIS = "genesis"
"""What the first event of a directive has in place of a previous hash."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log.

    Attributes:
        directive_id: the directive this happened to.
        seq: position in that directive's chain, from 1, without gaps.
        type: what happened, as `subject.verb`.
        actor: who made it happen: a person, an agent, or `remit` itself.
        occurred_at: when, by the database's clock.
        data: particulars, as the exact text Postgres gives for the `jsonb` value.
        prev_hash: hash of the event before, or :data:`GENESIS`.
        hash: hash over all of the above.
    """

    directive_id: UUID
    seq: int
    type: str
    actor: str
    occurred_at: datetime
    data: str
    prev_hash: str
    hash: str


def event_hash(event: Event) -> str:
    """Return the hash that `event` must carry: SHA-256 over Postgres' text of a `jsonb` array."""
    stamp = event.occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    covered = [
        event.prev_hash,
        str(event.directive_id),
        event.seq,
        event.type,
        event.actor,
        stamp,
    ]
    text = json.dumps(covered, ensure_ascii=False)[:-1] + f", {event.data}]"
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def first_broken(events: Sequence[Event]) -> Event | None:
    """Return the first event that does not follow from the one before; None when all do.

    Args:
        events: one directive's events, in the order of `seq`.
    """
    previous, position = GENESIS, 1
    for event in events:
        intact = event.prev_hash == previous and event.seq == position
        if not intact or event.hash != event_hash(event):
            return event
        previous, position = event.hash, position + 1
    return None
