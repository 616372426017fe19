"""The hash chain over a directive's events, computed again outside the database. Pure.

The database computes each hash as it inserts the row (migration 0002); this module computes the
same one, so that a reader need not trust the database that hands it the rows.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pydantic import JsonValue

from remit.base.canonical import canonical_json
from remit.base.json_types import MAX_NUMBER, JsonObject
from remit.errors import InvalidInputError

INSTALLATION = UUID(int=0)
"""Stands for a directive in the installation's own chain: who was let in, and by whom."""

GENESIS = "genesis"
"""What the first event of a directive has in place of a previous hash."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log.

    Attributes:
        seq: position in its directive's chain, from 1, without gaps.
        type: what happened, as `subject.verb`.
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
    about = str(event.directive_id)
    covered = [event.prev_hash, about, event.seq, event.type, event.actor, stamp]
    text = json.dumps(covered, ensure_ascii=False)[:-1] + f", {event.data}]"
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def first_broken(events: Sequence[Event]) -> Event | None:
    """Return the first event of one chain that does not follow from the one before; None: all do.

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


def parsed_data(text: str) -> JsonObject:
    """Return the object that the data of an event is; another one when it is none."""
    try:
        return carried(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def carried(value: object) -> JsonObject:
    """Return a JSON object as evidence carries it.

    What a forger wrote may be no object, or have no canonical form. It is carried as its text, and
    does not give its digest.
    """
    try:
        text = json.dumps(value)
        plain: JsonValue = json.loads(text, parse_int=read_number)
    except RecursionError:
        return {"unreadable": "nested too deeply"}
    if isinstance(plain, dict):
        with suppress(InvalidInputError):
            canonical_json(plain)
            return plain
    return {"unreadable": text}


def read_number(digits: str) -> float:
    """Return a whole number; canonical JSON also writes fractional ones below 1e21 so."""
    number = float(digits)
    return int(digits) if abs(number) <= MAX_NUMBER else number
