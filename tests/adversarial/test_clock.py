"""The process' clock moved by a day or a year: time is judged by the database's clock alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine

from remit.approval.types import Grant
from remit.db.session import wall_clock
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, RuleViolationError, UnauthenticatedError
from remit.execution.grants import void_reason
from remit.operations.evidence.records import read_record
from remit.operations.gate import approvals, proposals
from remit.operations.gate.approvals import settle
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import create_token
from remit.operations.runs import starts
from remit.vocabulary import VoidReason
from tests.adversarial.attacking import Hands, ended, proposed_many, without, worker
from tests.support.contents import AUTHORITY, cast, directive, regrant, waiting, write
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, OPERATOR

DAY, YEAR = timedelta(days=1), timedelta(days=365)
MOVES = {"a day back": -DAY, "a day on": DAY, "a year back": -YEAR, "a year on": YEAR}

moved_clocks = pytest.mark.parametrize("move", MOVES)


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine) as made:
        yield made


@pytest.fixture
def moved(move: str) -> Iterator[timedelta]:
    """Move this process' clock for the length of the test; it goes on ticking."""
    true = datetime.now(UTC)
    with time_machine.travel(true + MOVES[move], tick=True):
        away = datetime.now(UTC) - true - MOVES[move]
        assert timedelta(0) <= away < timedelta(minutes=1)
        yield MOVES[move]


def run_out(engine: sa.Engine, directive_id: UUID) -> None:
    """Let the time of a directive's request be over, by the database's clock."""
    write(
        engine,
        "UPDATE approval_requests SET expires_at = now() - interval '1 second'"
        " WHERE directive_id = :id",
        id=directive_id,
    )


def database_now(engine: sa.Engine) -> datetime:
    with engine.connect() as connection:
        return wall_clock(connection)


@moved_clocks
def test_a_request_that_is_open_by_the_database_stays_open(
    engine: sa.Engine, hands: Hands, moved: timedelta
) -> None:
    victim = waiting(engine, type="test")
    request = read_record(engine, victim.id).request
    assert request is not None
    valid_for = AUTHORITY.policy.approval.expires_after
    assert request.expires_at - request.requested_at == valid_for
    assert abs(database_now(engine) - request.requested_at) < timedelta(minutes=1)
    waits = settle(engine, victim.id).waits_seconds
    assert waits is not None
    assert abs(waits - valid_for.total_seconds()) < 60
    cast(engine, victim)
    hands.work(victim.id)
    assert hands.struck == {victim.id}


@moved_clocks
def test_a_request_that_expired_by_the_database_stays_expired(
    engine: sa.Engine, hands: Hands, moved: timedelta
) -> None:
    voted, settled = waiting(engine, type="test"), waiting(engine, type="test")
    for victim in (voted, settled):
        run_out(engine, victim.id)
    with pytest.raises(ConflictError, match="expired"):
        cast(engine, voted)
    settle(engine, settled.id)
    for victim in (voted, settled):
        hands.work(victim.id)
        assert ended(engine, victim.id) == ("blocked", "expired")
    assert hands.effects == []


@moved_clocks
def test_a_grant_is_good_for_as_long_as_the_database_says(
    engine: sa.Engine, hands: Hands, moved: timedelta
) -> None:
    good, over = (one.id for one in proposed_many(engine, [{}, {}]))
    grant = read_record(engine, good).grant
    assert grant is not None
    assert grant.expires_at - grant.issued_at == AUTHORITY.policy.grant_valid_for
    assert abs(database_now(engine) - grant.issued_at) < timedelta(minutes=1)
    regrant(engine, over, expires_at=database_now(engine) - timedelta(seconds=1))
    hands.work(good)
    hands.work(over)
    assert hands.struck == {good}
    assert ended(engine, over) == ("blocked", "approval_expired")


@moved_clocks
def test_a_token_is_good_for_as_long_as_the_database_says(
    engine: sa.Engine, moved: timedelta
) -> None:
    made = create_token(engine, OPERATOR, valid_for=timedelta(hours=1), by=ADMIN, keys=KEYS)
    assert authenticate(engine, str(made.token), KEYS).name == "operator"
    at_once = timedelta(microseconds=1)
    over = create_token(engine, OPERATOR, valid_for=at_once, by=ADMIN, keys=KEYS)
    with pytest.raises(UnauthenticatedError, match="has expired"):
        authenticate(engine, str(over.token), KEYS)


@moved_clocks
def test_what_was_stored_before_the_clock_moved_is_stamped_by_the_database(
    engine: sa.Engine, moved: timedelta
) -> None:
    [outcome] = proposals.propose(engine, [directive()], AUTHORITY, by=AGENT)
    record = read_record(engine, outcome.directive.id)
    times = [record.directive.created_at, *(event.occurred_at for event in record.events)]
    now = database_now(engine)
    assert all(abs(now - each) < timedelta(minutes=1) for each in times)


def by_the_process(*_: object) -> datetime:
    """Tell the time by the process' clock: the defence taken out."""
    return datetime.now(UTC)


def test_by_the_process_clock_half_an_hour_back_an_expired_request_would_be_executed(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "wall_clock", by_the_process)
    victim = waiting(scratch, type="test")
    run_out(scratch, victim.id)
    # Not by a day: its grant, issued by the same clock, would be over by the database's.
    earlier = datetime.now(UTC) - timedelta(minutes=30)
    with worker(scratch) as hands, time_machine.travel(earlier, tick=True):
        # The database refuses the vote all the same: a second defence.
        with pytest.raises(RuleViolationError, match="a vote "):
            cast(scratch, victim)
        without(scratch, "approval_votes.*")
        without(scratch, "grants.remit_grant_begins")
        cast(scratch, victim)
        hands.work(victim.id)
    assert hands.struck == {victim.id}


def test_by_the_process_clock_a_day_on_an_open_request_would_expire(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "wall_clock", by_the_process)
    victim = waiting(scratch, type="test")
    with time_machine.travel(datetime.now(UTC) + DAY, tick=True):
        settle(scratch, victim.id)
    assert ended(scratch, victim.id) == ("blocked", "expired")


def test_by_the_process_clock_a_day_back_an_expired_grant_would_be_executed(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(grant: Grant | None, about: DirectiveRead, **found: Any) -> VoidReason | None:
        return void_reason(grant, about, **found | {"now": by_the_process()})

    monkeypatch.setattr(starts, "void_reason", judge)
    with worker(scratch) as hands, time_machine.travel(datetime.now(UTC) - DAY, tick=True):
        first, second = (one.id for one in proposed_many(scratch, [{}, {}]))
        for victim in (first, second):
            regrant(scratch, victim, expires_at=database_now(scratch) - timedelta(seconds=1))
        # The database refuses the run all the same: a second defence.
        with pytest.raises(RuleViolationError, match="a run needs a live grant"):
            hands.work(first)
        without(scratch, "execution_runs.remit_run_granted")
        hands.work(second)
    assert hands.struck == {second}
