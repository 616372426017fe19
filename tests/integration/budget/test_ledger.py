"""Reserve, settle, release: the sums of the accounts are those of the entries, always."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.budget.ledger import (
    list_entries,
    lock_accounts,
    read_accounts,
    releases,
    reserve,
    settlements,
)
from remit.budget.types import Committed, settlement
from remit.db.batch import BatchStatement, execute_batch
from remit.db.session import transaction
from tests.integration.budget.spending import (
    Promise,
    amounts,
    entries,
    grants,
    limit,
    mismatches,
    promise,
    reservations,
    spend,
    spent,
    sums,
    write,
)

LAST_MONTH = datetime(2025, 2, 1, tzinfo=UTC)


def close(engine: sa.Engine, *parts: BatchStatement) -> None:
    """Write the parts in a transaction of their own."""
    with transaction(engine) as connection:
        execute_batch(connection, parts)


def test_a_reservation_is_written_in_the_statement_that_issues_its_grant(
    engine: sa.Engine,
) -> None:
    grant_id = spent(engine, [limit("once")], "12.34")
    assert entries(engine, grant_id) == [("once", "reserve", "12.34")]
    assert sums(engine, "once") == amounts("12.34", "0")


@pytest.mark.parametrize(
    ("cost", "settled"),
    [
        (None, "10.00"),
        ("4", "4.00"),
        ("0.001", "0.01"),
        ("1E-40000", "0.01"),
        ("0", "0.00"),
        ("250.5", "250.50"),
    ],
)
def test_what_was_spent_is_settled_and_the_rest_is_free_again(
    engine: sa.Engine, cost: str | None, settled: str
) -> None:
    held = limit(f"settled-{cost}".lower())
    grant_id = spent(engine, [held], "10")
    close(engine, settlements([settlement(grant_id, Decimal(cost or 0), unknown=cost is None)]))
    assert entries(engine, grant_id)[1:] == [(held.account, "settle", settled)]
    assert sums(engine, held.account) == amounts("0", settled)


def test_an_overrun_is_on_record_and_leaves_nothing_for_others(engine: sa.Engine) -> None:
    held = limit("overrun", "20")
    close(engine, settlements([settlement(spent(engine, [held], "20"), Decimal(25))]))
    assert spend(engine, [held], "0.01") is None
    assert sums(engine, "overrun") == amounts("0", "25")


def test_a_release_frees_all_of_it(engine: sa.Engine) -> None:
    held = limit("released")
    grant_id = spent(engine, [held], "100")
    close(engine, releases([grant_id]))
    assert entries(engine, grant_id)[1:] == [("released", "release", "100.00")]
    assert spend(engine, [held], "100") is not None


@pytest.mark.parametrize("first", ["settle", "release"])
@pytest.mark.parametrize("second", ["settle", "release"])
def test_a_reservation_is_closed_once(engine: sa.Engine, first: str, second: str) -> None:
    held = limit(f"{first}-{second}")
    grant_id = spent(engine, [held], "10")
    closing = settlement(grant_id, Decimal(3))
    parts = {"settle": settlements([closing]), "release": releases([grant_id])}
    close(engine, parts[first])
    before = sums(engine, held.account)
    close(engine, parts[second])
    assert sums(engine, held.account) == before
    assert len(entries(engine, grant_id)) == 2


def test_one_closing_closes_every_account_of_the_grant(engine: sa.Engine) -> None:
    both = [limit("every-z"), limit("every-a", role="operations")]
    grant_id = spent(engine, both, "10")
    close(engine, settlements([settlement(grant_id, Decimal(7))]))
    assert entries(engine, grant_id)[2:] == [
        ("every-a@operations", "settle", "7.00"),
        ("every-z", "settle", "7.00"),
    ]


def test_a_grant_without_reservations_is_closed_beside_other_writes(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        wanted = promise(connection, "10")
        row = settlement(wanted.grant_id, Decimal(0), unknown=True)
        closings = settlements([row]), releases([uuid4()])
        execute_batch(connection, [grants([wanted]), *closings])
    assert entries(engine, wanted.grant_id) == []


def test_without_limits_the_database_is_not_asked() -> None:
    nobody: Any = None
    assert lock_accounts(nobody, []) == read_accounts(nobody, []) == {}
    execute_batch(nobody, [reserve([]), settlements([]), releases([])])


def test_who_only_reads_opens_no_account_and_waits_for_nobody(engine: sa.Engine) -> None:
    used, unused = limit("read-used"), limit("read-unused", period="day")
    grant_id = spent(engine, [used], "4")
    with transaction(engine) as holding, transaction(engine) as reading:
        held = lock_accounts(holding, [used])
        reading.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        found = read_accounts(reading, [unused, used])
        assert found["read-used"] == held["read-used"]
        assert found["read-unused"].amount == 0
        assert reading.execute(_PERIODS, {"account": "read-unused"}).all() == []
        execute_batch(holding, [releases([grant_id])])


def test_the_entries_of_a_directive_are_told_in_their_order(engine: sa.Engine) -> None:
    held = limit("told")
    with transaction(engine) as connection:
        wanted = promise(connection, "10")
        locked = lock_accounts(connection, [held])
        write(connection, reservations(wanted, [held], locked))
        execute_batch(connection, [settlements([settlement(wanted.grant_id, Decimal(3))])])
        found = list_entries(connection, wanted.directive_id)
    assert [(one["kind"], one["amount"], one["ceiling"]) for one in found] == [
        ("reserve", 10, 100),
        ("settle", 3, None),
    ]


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
def test_a_period_is_the_calendar_s_in_utc_by_the_clock_of_the_database(
    engine: sa.Engine, period: str
) -> None:
    held = limit(f"calendar-{period}", period=period)
    with transaction(engine) as connection:
        connection.execute(sa.text("SET LOCAL timezone = 'Asia/Kathmandu'"))
        now: datetime = connection.execute(sa.select(sa.func.now())).scalar_one()
        found = lock_accounts(connection, [held])[held.name]
    utc = now.astimezone(UTC)
    start = utc.replace(minute=0, second=0, microsecond=0)
    if period != "hour":
        start = start.replace(hour=0)
    start -= timedelta(days={"week": utc.weekday(), "month": utc.day - 1}.get(period, 0))
    assert found == Committed(held.account, start, Decimal("0.00"))


def test_a_new_period_begins_at_zero_and_the_old_one_gets_what_is_settled_late(
    engine: sa.Engine, superuser: sa.Engine
) -> None:
    held = limit("rollover", "10")
    with transaction(superuser) as connection:
        connection.execute(_OPEN, {"account": "rollover", "period_start": LAST_MONTH})
    late = {"rollover": Committed("rollover", LAST_MONTH, Decimal(0))}
    with transaction(engine) as connection:
        wanted = promise(connection, "10")
        write(connection, reservations(wanted, [held], late))
    assert spend(engine, [held], "10") is not None
    close(engine, settlements([settlement(wanted.grant_id, Decimal(0), unknown=True)]))
    with engine.connect() as connection:
        found = connection.execute(_PERIODS, {"account": "rollover"})
        assert [tuple(row) for row in found] == [(0, 10), (10, 0)]


def test_a_reservation_without_ceiling_passes_it_because_a_person_said_so(
    engine: sa.Engine,
) -> None:
    asking = limit("asking", "10", at_cap="ask")
    with transaction(engine) as connection:
        wanted = promise(connection, "99")
        held = lock_accounts(connection, [asking])
        write(connection, reservations(wanted, [asking], held, agreed=[asking.passed]))
    assert sums(engine, "asking") == amounts("99", "0")


STEP = st.tuples(
    st.sampled_from(["reserve", "settle", "release"]), st.integers(0, 5), st.integers(0, 2_000)
)


@settings(max_examples=40)
@given(steps=st.lists(STEP, max_size=12))
def test_whatever_happens_the_sums_are_those_of_the_entries(
    engine: sa.Engine, steps: list[tuple[str, int, int]]
) -> None:
    limits = [limit("kept-a", "9999"), limit("kept-b", "9999", period="day")]
    promised: list[Promise] = []
    with engine.connect() as connection:
        held = lock_accounts(connection, limits)
        for kind, which, cents in steps:
            amount = Decimal(cents) / 100
            if kind == "reserve" or not promised:
                promised.append(promise(connection, amount))
                write(connection, reservations(promised[-1], limits[: 1 + which % 2], held))
                continue
            grant_id = promised[which % len(promised)].grant_id
            closing = {
                "settle": settlements([settlement(grant_id, amount)]),
                "release": releases([grant_id]),
            }
            execute_batch(connection, [closing[kind]])
        assert mismatches(connection) == []
        connection.rollback()


_OPEN = sa.text(
    "INSERT INTO budget_accounts (account, period_start) VALUES (:account, :period_start)"
)
_PERIODS = sa.text(
    "SELECT reserved, settled FROM budget_accounts WHERE account = :account ORDER BY period_start"
)
