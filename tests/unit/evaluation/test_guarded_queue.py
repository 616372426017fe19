"""Runs are told of later, in threads that come and go, and never without a bound."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from remit.evaluation.guarded import Told
from remit.evaluation.interface import NoOpEvaluationProvider
from tests.support.evaluations import Hanging, Misbehaving, ended_run, guarded, wait_until


def test_a_provider_that_hangs_holds_up_nobody(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    guard = guarded(hanging, timeout_seconds=0.05)
    guard.observe(ended_run())
    assert guard.score(ended_run()) == ()
    assert guard.experiment("nightly", [ended_run()]) is None
    guard.close(30)
    assert guard.counts() == Told(failed=3)
    assert {record.message for record in caplog.records} == {"evaluation_failed"}


def test_the_caller_of_observe_waits_for_nothing(hanging: Hanging) -> None:
    guard = guarded(hanging, timeout_seconds=3600)
    for _ in range(5):
        guard.observe(ended_run())
    assert hanging.entered.wait(30)
    assert len(hanging.asked) == 1


def test_what_does_not_fit_the_queue_is_dropped_and_counted(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    guard = guarded(hanging, timeout_seconds=3600, queue_runs=3)
    guard.observe(ended_run())
    assert hanging.entered.wait(30)
    for _ in range(153):
        guard.observe(ended_run())
    assert guard.counts() == Told(dropped=150)
    assert [record.message for record in caplog.records] == ["evaluation_dropped"] * 2
    hanging.let_go.set()
    guard.close(30)
    assert guard.counts() == Told(told=4, dropped=150)


def test_while_too_many_calls_hang_no_more_are_made(hanging: Hanging) -> None:
    before = threading.active_count()
    guard = guarded(hanging, timeout_seconds=0.02, calls_at_once=3)
    for _ in range(20):
        guard.log_trace(ended_run())
    guard.close(30)
    assert guard.counts() == Told(failed=20)
    assert len(hanging.asked) == 3
    wait_until(lambda: threading.active_count() <= before + 3)
    hanging.let_go.set()
    wait_until(lambda: threading.active_count() <= before)
    assert guard.score(ended_run()) == ()
    assert len(hanging.asked) == 4


def test_closing_waits_for_what_is_under_way_no_longer_than_told(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    guard = guarded(hanging, timeout_seconds=3600)
    for _ in range(5):
        guard.observe(ended_run())
    assert hanging.entered.wait(30)
    guard.close(0.01)
    guard.close(0.01)
    guard.observe(ended_run())
    assert guard.counts() == Told(dropped=5)
    assert [record.message for record in caplog.records] == ["evaluation_unsent"]


def test_no_thread_waits_while_there_is_nothing_to_tell() -> None:
    before = threading.active_count()
    guard = guarded(NoOpEvaluationProvider())
    for round_ in range(1, 4):
        guard.observe(ended_run())
        wait_until(lambda expected=round_: guard.counts().told == expected)  # type: ignore[misc]
        wait_until(lambda: threading.active_count() <= before)


def test_every_thread_keeps_no_process_alive(hanging: Hanging) -> None:
    guarded(hanging, timeout_seconds=3600).observe(ended_run())
    assert hanging.entered.wait(30)
    started = [each for each in threading.enumerate() if each.name.startswith("remit-evaluation")]
    assert len(started) == 2
    assert all(thread.daemon for thread in started)


def test_many_may_tell_at_once_and_each_run_is_told_once() -> None:
    provider = Misbehaving(lambda _: ())
    guard = guarded(provider)
    with ThreadPoolExecutor(4) as tellers:
        list(tellers.map(guard.log_trace, [ended_run()] * 100))
    guard.close(60)
    assert guard.counts() == Told(told=100)
    assert len(provider.asked) == 100


def test_where_no_thread_can_be_started_nothing_is_told_and_nothing_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = guarded(NoOpEvaluationProvider(), calls_at_once=1)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    guard.observe(ended_run())
    assert guard.score(ended_run()) == ()
    assert guard.counts() == Told(failed=1, dropped=1)
    monkeypatch.undo()
    guard.observe(ended_run())
    guard.close(30)
    assert guard.counts() == Told(told=1, failed=1, dropped=1)
