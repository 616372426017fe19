"""What is wrong with the log is found at its first row; what a chain cannot show is known."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from remit.audit.chain import INSTALLATION, Event
from remit.audit.verification import STATUS_OF, Finding, verify_chains
from remit.directives.lifecycle import TRANSITIONS
from remit.vocabulary import EventType
from tests.unit.audit.chains import (
    LIFE,
    NOON,
    Log,
    checkpoint_of,
    life,
    linked,
    rows,
    statuses_of,
    verified,
)

LOG: Log = {UUID(int=number): life(number) for number in (1, 2, 3)}
LOG[INSTALLATION] = life(0, ("principal.created", "token.created", "principal.changed"))
STATUSES = statuses_of(LOG)
CHECKPOINT = checkpoint_of(LOG)
SECOND = UUID(int=2)


def changed(change: Callable[[list[Event]], list[Event]], key: UUID = SECOND) -> Log:
    """Return the log with one chain changed."""
    return LOG | {key: change(list(LOG[key]))}


def forged(event: Event, **changes: Any) -> Event:
    """Return an event with fields changed, and all else as it was."""
    return replace(event, **changes)


def swapped(events: list[Event]) -> list[Event]:
    """Return a chain in which rows 3 and 5 have changed positions."""
    third, fifth = forged(events[4], seq=3), forged(events[2], seq=5)
    return [*events[:2], third, events[3], fifth, *events[5:]]


def test_an_intact_log_has_no_finding() -> None:
    assert verified(LOG, STATUSES) == []
    assert verified(LOG, STATUSES, CHECKPOINT) == []
    assert verified({}, []) == []


def test_a_log_that_has_grown_since_the_checkpoint_has_no_finding() -> None:
    before = {key: chain[:4] for key, chain in LOG.items() if key.int != 3}
    assert verified(LOG, STATUSES, checkpoint_of(before)) == []


ALONE: dict[str, tuple[Callable[[list[Event]], list[Event]], tuple[int, str, str]]] = {
    "an edited row": (
        lambda c: [*c[:3], forged(c[3], actor="nobody"), *c[4:]],
        (4, "edited", "it was edited: its content does not give its hash"),
    ),
    "an edited link": (
        lambda c: [*c[:3], forged(c[3], prev_hash="sha256:0"), *c[4:]],
        (4, "edited", "it was edited: its content does not give its hash"),
    ),
    "a row edited with a hash to match": (
        lambda c: [*c[:3], linked([*c[:3], forged(c[3], actor="nobody")])[3], *c[4:]],
        (5, "replaced", "it does not follow from the row before it: one of the two was replaced"),
    ),
    "a first row from elsewhere": (
        lambda c: [linked([*c[:1], c[0]])[1], *c[1:]],
        (1, "missing", "it is missing"),
    ),
    "a missing row": (
        lambda c: [*c[:3], *c[4:]],
        (4, "missing", "it is missing"),
    ),
    "several missing rows": (
        lambda c: [*c[:3], *c[6:]],
        (4, "missing", "it and all up to row 6 are missing"),
    ),
    "a missing beginning": (lambda c: c[1:], (1, "missing", "it is missing")),
    "a missing row, and the rest renumbered": (
        lambda c: [*c[:3], *(forged(one, seq=one.seq - 1) for one in c[4:])],
        (4, "edited", "it was edited: its content does not give its hash"),
    ),
    "a row that is there twice": (
        lambda c: [*c[:4], c[3], *c[4:]],
        (4, "duplicated", "its position is taken twice"),
    ),
    "rows in another order": (
        lambda c: [*c[:2], c[4], c[3], c[2], *c[5:]],
        (3, "reordered", "it is not the row that belongs here, which stands later"),
    ),
    "rows that have changed positions": (
        swapped,
        (3, "reordered", "it is not the row that belongs here, which stands later"),
    ),
}
"""What a chain shows by itself: a change, and (row, fault, words)."""


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("checkpoint", [None, CHECKPOINT], ids=["alone", "checkpoint"])
def test_a_chain_shows_by_itself(name: str, checkpoint: Any) -> None:
    change, (seq, fault, words) = ALONE[name]
    [finding] = verified(changed(change), STATUSES, checkpoint)
    assert (finding.directive_id, finding.seq) == (SECOND, seq)
    assert (finding.fault, finding.words) == (fault, words)


AFTER: dict[str, tuple[Callable[[list[Event]], list[Event]], tuple[int, str, str]]] = {
    "a row cut off the end": (
        # The status is told by a row further up: nothing else shows it.
        lambda c: c[:-1],
        (3, "truncated", "it and all after it are missing: the checkpoint has 3 rows"),
    ),
    "all but the first row cut off": (
        lambda c: c[:1],
        (2, "truncated", "it and all after it are missing: the checkpoint has 3 rows"),
    ),
    "a chain rewritten from a row on": (
        lambda c: linked([c[0], forged(c[1], actor="nobody"), c[2]]),
        (
            3,
            "rewritten",
            "it had another hash at the checkpoint: it, or rows before it, were rewritten",
        ),
    ),
    "a chain rewritten and prolonged": (
        lambda c: linked([forged(c[0], data="{}"), *c[1:], c[2]]),
        (
            3,
            "rewritten",
            "it had another hash at the checkpoint: it, or rows before it, were rewritten",
        ),
    ),
}
"""What is seen only after a checkpoint; the installation's chain has no status to betray it."""


@pytest.mark.parametrize("name", AFTER)
def test_a_checkpoint_shows_what_a_chain_alone_cannot(name: str) -> None:
    change, (seq, fault, words) = AFTER[name]
    log = changed(change, INSTALLATION)
    assert verified(log, STATUSES) == []
    expected = Finding(INSTALLATION, seq, fault, words)  # type: ignore[arg-type]
    assert verified(log, STATUSES, CHECKPOINT) == [expected]


def test_the_end_of_a_chain_is_missed_without_a_checkpoint_only_if_the_status_fits() -> None:
    cut = changed(lambda c: c[:-1])
    words = 'its status is "complete", and its log says "executing"'
    assert verified(cut, STATUSES) == [Finding(SECOND, None, "status_forged", words)]
    assert verified(cut, statuses_of(cut)) == []
    [finding] = verified(cut, statuses_of(cut), CHECKPOINT)
    assert (finding.seq, finding.fault) == (9, "truncated")


def test_a_chain_that_is_gone_is_missed_by_its_directive_or_by_the_checkpoint() -> None:
    gone = {key: chain for key, chain in LOG.items() if key != SECOND}
    missed = Finding(SECOND, 1, "chain_missing", "the log says nothing of it")
    assert verified(gone, STATUSES) == [missed]
    assert verified(gone, statuses_of(gone)) == []
    noted = Finding(SECOND, 1, "chain_missing", "nothing is left of the chain")
    assert verified(gone, statuses_of(gone), CHECKPOINT) == [noted]
    assert verified(gone, STATUSES, CHECKPOINT) == [noted]


def test_the_whole_log_gone_is_every_chain_gone() -> None:
    found = verified({}, [], CHECKPOINT)
    assert [finding.directive_id for finding in found] == sorted(LOG)
    assert {finding.fault for finding in found} == {"chain_missing"}


def test_a_directive_that_is_gone_is_missed_by_its_log() -> None:
    left = [(key, status) for key, status in STATUSES if key != SECOND]
    words = "it is gone, and its log is there"
    assert verified(LOG, left) == [Finding(SECOND, None, "directive_missing", words)]


@pytest.mark.parametrize("status", [*TRANSITIONS.next_statuses, "nonsense\u202e", ""])
def test_a_status_that_the_log_does_not_tell_is_forged(status: str) -> None:
    statuses = [(key, status if key == SECOND else each) for key, each in STATUSES]
    found = verified(LOG, statuses)
    assert [one.fault for one in found] == ([] if status == "complete" else ["status_forged"])
    assert all(one.words.isprintable() for one in found)


def test_a_status_that_no_event_gave_is_forged() -> None:
    log: Log = {SECOND: life(2, ("policy.evaluated",))}
    words = 'its status is "approved", and its log never gives it a status'
    assert verified(log, [(SECOND, "approved")]) == [Finding(SECOND, None, "status_forged", words)]


@pytest.mark.parametrize(
    ("types", "status"),
    [
        (("directive.drafted",), "draft"),
        (("directive.drafted", "directive.proposed"), "proposed"),
        (("directive.proposed", "directive.blocked", "approval.voted"), "blocked"),
        (("directive.proposed", "directive.blocked", "directive.retried"), "proposed"),
        ((*LIFE[:-1], "directive.aborted", "run.refused"), "aborted"),
    ],
)
def test_the_last_event_that_gives_a_status_tells_it(types: Sequence[str], status: str) -> None:
    assert verified({SECOND: life(2, types)}, [(SECOND, status)]) == []


def test_every_status_is_given_by_an_event_that_there_is() -> None:
    assert set(STATUS_OF.values()) == set(TRANSITIONS.next_statuses)
    assert STATUS_OF.keys() <= set(EventType.__args__)  # type: ignore[attr-defined]
    assert STATUS_OF.keys() == {
        name
        for name in EventType.__args__  # type: ignore[attr-defined]
        if name.startswith("directive.")
    }


def test_each_broken_chain_is_found_and_the_others_are_not_held_against_it() -> None:
    log = {key: chain[:2] + chain[3:] for key, chain in LOG.items()}
    log[UUID(int=3)] = LOG[UUID(int=3)]
    found = verified(log, STATUSES, CHECKPOINT)
    assert [(one.directive_id.int, one.seq) for one in found if one.directive_id] == [
        (0, 3),
        (1, 3),
        (2, 3),
    ]


def test_rows_are_asked_for_one_at_a_time() -> None:
    read: list[Event] = []

    def counted() -> Any:
        for event in rows(LOG):
            read.append(event)
            yield event

    log = changed(lambda c: c[1:])
    found = verify_chains(counted(), iter(STATUSES[1:]), CHECKPOINT)
    assert next(found).directive_id == UUID(int=1)
    assert len(read) <= len(LOG[INSTALLATION]) + len(LOG[UUID(int=1)]) + 1
    assert len(rows(log)) == len(rows(LOG)) - 1


def test_a_forged_time_before_the_first_year_of_four_digits_is_found() -> None:
    log = changed(lambda c: [forged(c[0], occurred_at=NOON.replace(year=1)), *c[1:]])
    assert [one.fault for one in verified(log, STATUSES)] == ["edited"]
