"""Attempts are known until they end, and time for which the process was stopped is not theirs."""

from datetime import timedelta
from threading import Event
from uuid import uuid4

import pytest

from remit.errors import UnavailableError
from remit.workflows.activities import underway
from remit.workflows.activities.underway import Underway, WorkingClock
from remit.workflows.messages import ExecutionStep

DONE = ExecutionStep("complete", None)


class Hands:
    """The two clocks of a process, moved by the test."""

    def __init__(self) -> None:
        self.seconds = self.computed = 100.0

    def clock(self) -> WorkingClock:
        return WorkingClock(lambda: self.seconds, lambda: self.computed)

    def pass_(self, seconds: float, computed: float = 0.0) -> None:
        self.seconds += seconds
        self.computed += computed


@pytest.mark.parametrize(
    ("passed", "computed", "counted"),
    [
        (0.25, 0.0, 0.25),
        (1.0, 0.0, 1.0),
        (45.0, 0.0, underway.TICK_SECONDS),
        (45.0, 2.0, 2.0),
        (45.0, 45.0, 45.0),
        (45.0, 90.0, 45.0),
    ],
    ids=["a tick", "a late tick", "stopped", "stopped and busy", "busy", "busy on two cores"],
)
def test_only_time_in_which_the_process_could_work_is_counted(
    passed: float, computed: float, counted: float
) -> None:
    hands = Hands()
    clock = hands.clock()
    began = clock.now()
    hands.pass_(passed, computed)
    assert clock.now() - began == pytest.approx(counted)


def test_an_attempt_is_begun_once_until_it_has_ended() -> None:
    known, about = Underway(), uuid4()
    attempt = known.begin(about)
    assert known.find(about) is attempt
    with pytest.raises(UnavailableError, match="under way here"):
        known.begin(about)
    known.end(attempt, DONE)
    assert known.find(about) is None
    assert attempt.step.result() == DONE
    assert known.begin(about) is not attempt


def test_the_first_word_about_an_attempt_counts() -> None:
    known = Underway()
    attempt = known.begin(uuid4())
    known.end(attempt, DONE)
    known.fail(attempt, ValueError())
    assert attempt.step.result() == DONE
    assert [attempt.take_end(), attempt.take_end()] == [True, False]


def test_a_worker_that_stops_begins_nothing() -> None:
    known = Underway()
    known.close()
    assert not known.pause(60)
    with pytest.raises(UnavailableError, match="stops"):
        known.begin(uuid4())


def test_a_time_limit_is_kept_and_a_stop_does_not_count_against_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(underway, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(underway, "IDLE_TICKS", 5)
    hands, overdue = Hands(), Event()
    known = Underway(hands.clock())
    attempt = known.begin(uuid4())
    is_over = known.limit(attempt, timedelta(seconds=10), overdue.set)
    hands.pass_(45)
    assert not is_over()
    for _ in range(11):
        assert not overdue.is_set()
        hands.pass_(0.99)
        known.clock.now()
    assert is_over()
    assert overdue.wait(20)
    known.end(attempt, DONE)
