"""The chain of events: whatever is changed, taken out or put in is found."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.audit.chain import GENESIS, Event, event_hash, first_broken

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def chain(length: int) -> list[Event]:
    """Return an intact chain."""
    events: list[Event] = []
    for seq in range(1, length + 1):
        event = Event(
            directive_id=UUID(int=7),
            seq=seq,
            type="directive.proposed",
            actor="agent-1",
            occurred_at=NOON + timedelta(seconds=seq),
            data='{"n": 1}',
            prev_hash=events[-1].hash if events else GENESIS,
            hash="",
        )
        events.append(replace(event, hash=event_hash(event)))
    return events


CHANGES: dict[str, Any] = {
    "directive_id": UUID(int=8),
    "seq": 9,
    "type": "directive.approved",
    "actor": "operator",
    "occurred_at": NOON + timedelta(microseconds=1),
    "data": '{"n": 2}',
    "prev_hash": "sha256:0",
    "hash": "sha256:0",
}


def test_a_hash_covers_the_text_that_postgres_gives_for_the_whole_event() -> None:
    [event] = chain(1)
    text = (
        '["genesis", "00000000-0000-0000-0000-000000000007", 1, "directive.proposed", "agent-1", '
        '"2030-01-01T12:00:01.000000Z", {"n": 1}]'
    )
    assert event.hash == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_an_intact_chain_has_no_broken_event() -> None:
    assert first_broken([]) is None
    assert first_broken(chain(5)) is None


def test_every_field_of_an_event_is_among_the_changes() -> None:
    assert CHANGES.keys() == set(Event.__slots__)


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("position", [0, 2, 4])
def test_a_changed_field_is_found_where_it_stands(field: str, position: int) -> None:
    events = chain(5)
    events[position] = replace(events[position], **{field: CHANGES[field]})
    assert first_broken(events) == events[position]


@pytest.mark.parametrize("field", sorted(CHANGES.keys() - {"hash", "prev_hash", "seq"}))
def test_a_change_with_a_hash_to_match_is_found_at_the_next_event(field: str) -> None:
    events = chain(5)
    forged = replace(events[2], **{field: CHANGES[field]})
    events[2] = replace(forged, hash=event_hash(forged))
    assert first_broken(events) == events[3]


def test_an_event_taken_out_is_found_at_the_next() -> None:
    events = chain(5)
    del events[2]
    assert first_broken(events) == events[2]


def test_an_event_taken_off_the_front_is_found() -> None:
    assert first_broken(chain(3)[1:]) == chain(3)[1]


def test_two_events_in_the_wrong_order_are_found() -> None:
    events = chain(3)
    events[0], events[1] = events[1], events[0]
    assert first_broken(events) == events[0]


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    [event] = chain(1)
    elsewhere = event.occurred_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert event_hash(replace(event, occurred_at=elsewhere)) == event.hash


@given(st.text(), st.text())
def test_texts_that_differ_have_different_hashes(one: str, other: str) -> None:
    [event] = chain(1)
    if "\ud800" <= max(one + other, default="") <= "\udfff":
        return
    hashes = {event_hash(replace(event, actor=text)) for text in (one, other)}
    assert len(hashes) == len({one, other})
