"""Time that runs out while a transaction waits for a lock has run out for it, too."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa

from remit.db.session import database_time
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError
from remit.operations.gate import approvals
from tests.adversarial.attacking import Hands, ended, proposed_many, without, worker
from tests.support.contents import cast, regrant, waiting, write

SOON = "clock_timestamp() + interval '300 milliseconds'"


def behind_a_lock(engine: sa.Engine, found: DirectiveRead, act: Callable[[], object]) -> object:
    """Carry out `act` while the directive is locked, and unlock it once its time is over."""
    lock = sa.text("SELECT FROM directives WHERE id = :id FOR UPDATE")
    waits = sa.text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN"
        " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
    )
    over = sa.text(
        "SELECT coalesce((SELECT expires_at FROM approval_requests WHERE directive_id = :id),"
        " (SELECT expires_at FROM grants WHERE directive_id = :id)) <= clock_timestamp()"
    )
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as holder:
            holder.execute(lock, {"id": found.id})
            acting = threads.submit(act)
            while not holder.execute(waits).scalar_one() and not acting.done():
                time.sleep(0.01)
            while not holder.execute(over, {"id": found.id}).scalar_one():
                time.sleep(0.01)
        return acting.result()


def ends_soon(engine: sa.Engine, table: str, found: DirectiveRead) -> datetime:
    """Let a request be open for a moment more, by the clock on the wall."""
    write(engine, f"UPDATE {table} SET expires_at = {SOON} WHERE directive_id = :id", id=found.id)  # noqa: S608
    read = sa.text(f"SELECT expires_at FROM {table} WHERE directive_id = :id")  # noqa: S608
    with engine.connect() as connection:
        moment: datetime = connection.execute(read, {"id": found.id}).scalar_one()
        return moment


def test_a_vote_that_waited_until_its_request_was_over_is_refused(scratch: sa.Engine) -> None:
    found = waiting(scratch)
    ends_soon(scratch, "approval_requests", found)
    with pytest.raises(ConflictError, match="the approval request expired"):
        behind_a_lock(scratch, found, lambda: cast(scratch, found))
    assert ended(scratch, found.id) == ("blocked", "expired")


def test_control_by_the_time_at_which_it_began_to_wait_the_vote_counts(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "wall_clock", database_time)
    without(scratch, "approval_votes.remit_vote_open")
    found = waiting(scratch)
    ends_soon(scratch, "approval_requests", found)
    behind_a_lock(scratch, found, lambda: cast(scratch, found))
    assert ended(scratch, found.id) == ("approved", None)


def expiring(engine: sa.Engine, hands: Hands) -> DirectiveRead:
    """Return an approved directive whose grant is good for a moment more."""
    [found] = proposed_many(engine, [{}])
    with engine.connect() as connection:
        moment = connection.execute(sa.text(f"SELECT {SOON}")).scalar_one()
    regrant(engine, found.id, expires_at=moment)
    assert not hands.struck
    return found


def test_a_grant_that_ran_out_while_its_start_waited_starts_nothing(scratch: sa.Engine) -> None:
    with worker(scratch) as hands:
        found = expiring(scratch, hands)
        behind_a_lock(scratch, found, lambda: hands.work(found.id))
        assert hands.struck == set()
    assert ended(scratch, found.id) == ("blocked", "approval_expired")


def test_control_by_the_time_at_which_it_began_to_wait_the_grant_starts_its_run(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.directives.mutator._JUDGED", "now() AS judged_at")
    without(scratch, "execution_runs.remit_run_granted")
    with worker(scratch) as hands:
        found = expiring(scratch, hands)
        behind_a_lock(scratch, found, lambda: hands.work(found.id))
        assert hands.struck == {found.id}
