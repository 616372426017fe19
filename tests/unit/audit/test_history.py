"""A log goes the way of a directive, or the first event that leaves it is named."""

from collections.abc import Sequence
from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest

from remit.audit.chain import INSTALLATION, Event
from remit.audit.event_rules import (
    EVENT_SCHEMAS,
    INSTALLATION_EVENTS,
    MOST,
    SIDE_EVENTS,
    TRANSITIONS,
    LogCheck,
)
from remit.vocabulary import EventType
from tests.unit.audit.chains import NOON, linked

ALLOWED: Sequence[tuple[str, str]] = (
    ("directive.proposed", "{}"),
    ("policy.evaluated", '{"verdict": "allow"}'),
    ("grant.issued", "{}"),
    ("directive.approved", "{}"),
    ("grant.consumed", "{}"),
    ("directive.executing", "{}"),
    ("run.attempted", "{}"),
    ("run.ended", '{"outcome": "success"}'),
    ("directive.completed", "{}"),
)
"""The log of a directive that was allowed and executed."""


ONE = UUID(int=1)


def told(*said: tuple[str, str], about: UUID = ONE) -> list[Event]:
    return linked(
        Event(about, 0, kind, "remit", NOON + timedelta(seconds=second), data, "", "")
        for second, (kind, data) in enumerate(said)
    )


def found(*logs: list[Event]) -> list[tuple[UUID | None, int | None, str]]:
    history = LogCheck()
    events = [event for log in logs for event in log]
    assert [*history.through(events)] == events
    return [(one.directive_id, one.seq, one.fault) for one in history.findings]


def test_the_log_of_a_directive_that_was_allowed_goes_its_way() -> None:
    assert found(told(*ALLOWED), told(*ALLOWED, about=UUID(int=2))) == []


# Not its attempt: a run can end unbegun, as one does that is canceled.
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, 7])
def test_no_step_can_be_left_out(at: int) -> None:
    [(about, seq, fault)] = found(told(*ALLOWED[:at], *ALLOWED[at + 1 :]))
    assert (about, fault) == (ONE, "out_of_order")
    assert seq in {at + 1, at + 2}


def test_a_second_completion_is_out_of_order() -> None:
    assert found(told(*ALLOWED, ALLOWED[-1])) == [(ONE, 10, "out_of_order")]


def test_an_event_that_no_log_of_a_directive_holds_is_unknown() -> None:
    for kind in ("directive.crowned", "principal.created"):
        assert found(told(*ALLOWED, (kind, "{}"))) == [(ONE, 10, "event_unknown")]


def test_a_log_that_ends_in_the_middle_of_a_step_is_named() -> None:
    assert found(told(*ALLOWED[:2])) == [(ONE, None, "out_of_order")]


def test_only_the_first_that_is_wrong_with_a_log_is_named() -> None:
    assert found(told(*ALLOWED[1:], *ALLOWED)) == [(ONE, 1, "out_of_order")]


def test_the_installation_tells_of_its_own_matters_alone() -> None:
    own = [(kind, "{}") for kind in sorted(INSTALLATION_EVENTS)]
    log = told(*own, ("directive.proposed", "{}"), about=INSTALLATION)
    assert found(log) == [(INSTALLATION, len(own) + 1, "event_unknown")]


def test_no_more_than_a_thousand_are_kept() -> None:
    assert len(found(told(*[("x", "{}")] * (MOST + 5), about=INSTALLATION))) == MOST


def test_every_event_that_can_be_recorded_is_known_to_those_who_read_it() -> None:
    """One that only the writer knows would make an honest log look forged."""
    assert EVENT_SCHEMAS.keys() | INSTALLATION_EVENTS == set(get_args(EventType))


def test_every_event_that_a_directive_can_tell_has_its_place_on_the_way() -> None:
    on_the_way = {step.partition(" ")[0] for steps in TRANSITIONS.values() for step in steps}
    assert on_the_way | SIDE_EVENTS.keys() == EVENT_SCHEMAS.keys()
    assert on_the_way & SIDE_EVENTS.keys() == set()
