"""A worker's lease: renewed by itself, known without asking, and never good again once ended."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from remit.db.engine import create_database_engine
from remit.errors import UnavailableError
from remit.execution.workers import Terms
from remit.operations.runs.workers import announce, end_worker
from remit.workflows.client import WorkflowClient
from remit.workflows.lease import Lease
from tests.support.keys import KEYS
from tests.support.workers import eventually, working

LONG = Terms(length=timedelta(seconds=60), renewed_after=timedelta(seconds=30))
QUICK = Terms(length=timedelta(seconds=60), renewed_after=timedelta(milliseconds=10))


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def lease_of(engine: sa.Engine) -> Callable[..., Lease]:
    """Return what announces a worker, and returns its lease."""

    def make(terms: Terms = LONG, clock: Clock | None = None) -> Lease:
        worker = announce(engine, [], KEYS, terms)
        return Lease(engine, worker, terms, clock or Clock())

    return make


def _column(engine: sa.Engine, lease: Lease, column: str) -> object:
    statement = sa.text(f"SELECT {column} FROM workers WHERE id = :id")  # noqa: S608
    with engine.connect() as connection:
        return connection.execute(statement, {"id": lease.worker.id}).scalar_one()


def test_a_lease_is_good_from_the_first_renewal_on_and_for_its_length(
    lease_of: Callable[..., Lease],
) -> None:
    clock = Clock()
    lease = lease_of(clock=clock)
    assert not lease.is_current()
    assert lease.renew()
    assert lease.good_until == 1060
    clock.now = 1059.9
    assert lease.is_current()
    clock.now = 1060
    assert not lease.is_current()


def test_a_worker_that_was_away_renews_its_lease_before_it_goes_on(
    engine: sa.Engine, lease_of: Callable[..., Lease]
) -> None:
    clock = Clock()
    lease = lease_of(clock=clock)
    lease.renew()
    before = _column(engine, lease, "lease_until")
    lease.require()
    assert _column(engine, lease, "lease_until") == before, "a good one asks nobody"
    clock.now += 3600
    lease.require()
    assert lease.is_current()
    assert _column(engine, lease, "lease_until > clock_timestamp() + interval '55 seconds'")


def test_a_worker_whose_row_has_ended_begins_nothing_any_more(
    engine: sa.Engine, lease_of: Callable[..., Lease]
) -> None:
    clock = Clock()
    lease = lease_of(clock=clock)
    lease.renew()
    end_worker(engine, lease.worker.id)
    clock.now += 3600
    with pytest.raises(UnavailableError, match="this worker has ended"):
        lease.require()
    assert lease.is_ended
    assert not lease.is_current()


def test_a_worker_that_cannot_reach_the_database_begins_nothing_once_its_lease_is_over(
    engine: sa.Engine,
) -> None:
    clock = Clock()
    worker = announce(engine, [], KEYS, LONG)
    away = create_database_engine("postgresql://nobody@127.0.0.1:1/none")
    lease = Lease(away, worker, LONG, clock)
    with pytest.raises(UnavailableError):
        lease.require()
    assert not lease.is_current()


def test_the_thread_renews_it_and_tells_of_an_end_that_somebody_else_made(
    engine: sa.Engine, lease_of: Callable[..., Lease], caplog: pytest.LogCaptureFixture
) -> None:
    lease, told = lease_of(QUICK), Event()
    lease.begin(told.set)
    assert not told.is_set()
    end_worker(engine, lease.worker.id)
    assert told.wait(20)
    assert lease.is_ended
    assert "worker_ended" in caplog.messages
    lease.end()


def test_a_lease_that_was_lost_and_regained_is_told_of_once(
    lease_of: Callable[..., Lease], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    lease = lease_of(QUICK, clock)
    regained = Event()
    caplog.set_level("WARNING")
    lease.begin()
    clock.now += 3600
    while not regained.wait(0.01):
        if "lease_regained" in caplog.messages:
            regained.set()
    lease.end()
    assert caplog.messages.count("lease_lost") == 1
    assert caplog.messages.count("lease_regained") == 1


def test_the_end_of_a_lease_is_on_record_and_final(
    engine: sa.Engine, lease_of: Callable[..., Lease]
) -> None:
    lease = lease_of()
    lease.begin()
    lease.end()
    ended = _column(engine, lease, "ended_at")
    assert ended is not None
    with pytest.raises(UnavailableError, match="this worker has ended"):
        lease.require()
    lease.end()
    assert _column(engine, lease, "ended_at") == ended


async def test_a_worker_whose_row_somebody_ends_stops_and_says_so(
    client: Client, engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def noticed() -> bool:
        return "worker_ended" in caplog.messages

    async def ended_under_way() -> None:
        async with working(client, engine, terms=QUICK):
            with engine.begin() as connection:
                connection.exec_driver_sql(_END_ALL)
            await eventually(noticed)

    with pytest.raises(UnavailableError, match=r"somebody ended the worker .* start it again"):
        await ended_under_way()


_END_ALL = "UPDATE workers SET ended_at = now() WHERE ended_at IS NULL"


async def test_a_worker_that_cannot_serve_ends_its_row(
    client: Client, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: object, interval_seconds: float) -> None:
        del self, interval_seconds
        message = "Temporal could not be told"
        raise UnavailableError(message)

    monkeypatch.setattr(WorkflowClient, "sweep", fails)
    with engine.begin() as connection:
        connection.exec_driver_sql(_END_ALL)
    with pytest.raises(UnavailableError, match="could not be told"):
        async with working(client, engine):
            pass
    left = "SELECT count(*) FROM workers WHERE ended_at IS NULL"
    with engine.connect() as connection:
        assert connection.exec_driver_sql(left).scalar_one() == 0
