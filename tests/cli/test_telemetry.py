"""What a process tells of its work keeps nobody waiting."""

import socket
import threading
from contextlib import suppress
from threading import Event
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.cli.base.telemetry import TELLING_SECONDS, evaluated, gauges, in_background
from remit.errors import UnavailableError
from remit.evaluation.interface import EvaluationInput, NoOpEvaluationProvider
from remit.execution.models import EndedRun
from remit.operations.gate.policies import PolicySource
from remit.settings import Settings
from remit.telemetry.state import STATE
from remit.workflows.client import Observed, connect
from tests.support.workers import until

PATIENCE_SECONDS = 20.0


def test_work_in_the_background_is_not_waited_for_and_is_done_one_at_a_time() -> None:
    began: list[Event] = []
    let_go, again = Event(), Event()

    def work() -> None:
        began.append(Event())
        assert let_go.wait(PATIENCE_SECONDS)
        if len(began) > 1:
            again.set()

    begin = in_background(work)
    for _ in range(5):
        begin()
    assert len(began) <= 1
    let_go.set()
    # Whether the first is over yet cannot be seen from here: ask until another begins.
    while not again.wait(0.01):
        begin()


def test_work_that_fails_in_the_background_is_done_again() -> None:
    tries: list[int] = []
    twice = Event()

    def work() -> None:
        tries.append(1)
        if len(tries) > 1:
            twice.set()
        raise RuntimeError("it fails")

    begin = in_background(work)
    while not twice.wait(0.01):
        begin()


def test_where_no_thread_can_be_had_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Event()
    begin = in_background(done.set)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        begin()
    assert not done.is_set()
    begin()
    assert done.wait(PATIENCE_SECONDS)


class Observing(NoOpEvaluationProvider):
    """Notes what it is asked, in its order."""

    name = "observing"

    def __init__(self) -> None:
        self.asked: list[object] = []

    def observe(self, told: EvaluationInput) -> None:
        self.asked.append(told.run_id)

    def close(self, seconds: float) -> None:
        self.asked.append(seconds)


@pytest.mark.parametrize("failure", [None, KeyboardInterrupt(), RuntimeError("it fails")], ids=repr)
def test_what_was_told_of_runs_is_sent_before_a_worker_ends_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException | None
) -> None:
    provider = Observing()
    monkeypatch.setattr("remit.evaluation.config.get_evaluation_provider", lambda _: provider)
    run = EndedRun(UUID(int=1), "echo", "ops", "complete", UUID(int=2), "echo", "completed", 1)
    with suppress(KeyboardInterrupt, RuntimeError), evaluated(Settings()) as tell:
        tell(run)
        if failure is not None:
            raise failure
    assert provider.asked == [run.run_id, TELLING_SECONDS]


async def test_a_database_that_is_away_keeps_no_sweep_from_its_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert STATE.meter is None
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    gauges(nowhere, PolicySource(None))()
    said = {"chains_not_watched", "gauges_not_set"}
    await until(lambda: said <= {record.getMessage() for record in caplog.records})


async def test_a_port_for_temporals_metrics_that_was_taken_meanwhile_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match="was just taken: start again"):
            await connect("127.0.0.1:1", "default", Observed(core_metrics_port=port))
