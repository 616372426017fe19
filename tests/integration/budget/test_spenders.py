"""Two hundred who spend at the same moment never pass a ceiling by a cent."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.budget.ledger import lock_accounts, releases, settlements
from remit.budget.types import Committed, settlement
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.errors import RuleViolationError, UnavailableError
from remit.policy.limits import BudgetLimit, fits
from tests.integration.budget.spending import (
    amounts,
    limit,
    mismatches,
    promise,
    reservations,
    spend,
    spent,
    sums,
    write,
)
from tests.support.races import at_once

SPENDERS = 200
CEILING = Decimal("500.00")

Spend = Callable[[sa.Engine, Sequence[BudgetLimit], Decimal], UUID | None]


def cents(random: Random, least: int = 1, most: int = 2_000) -> Decimal:
    """Return a random amount of dollars."""
    return Decimal(random.randint(least, most)) / 100


def spend_unlocked(
    engine: sa.Engine, limits: Sequence[BudgetLimit], amount: Decimal
) -> UUID | None:
    """Reserve without having looked at the account; the database alone says no."""
    try:
        with transaction(engine) as connection:
            wanted = promise(connection, amount)
            blind = {
                one.name: Committed(one.account, month(connection), Decimal(0)) for one in limits
            }
            write(connection, reservations(wanted, limits, blind))
            return wanted.grant_id
    except RuleViolationError as error:
        if "pass the ceiling" not in error.message:
            raise
        return None


def month(connection: sa.Connection) -> datetime:
    """Return when this month began, by the database's clock."""
    query = sa.text("SELECT date_trunc('month', now(), 'UTC')")
    start: datetime = connection.execute(query).scalar_one()
    return start


@pytest.mark.parametrize(("name", "way"), [("locked", spend), ("unlocked", spend_unlocked)])
def test_spenders_fill_a_ceiling_as_far_as_any_of_them_fits_and_never_pass_it(
    engine: sa.Engine, name: str, way: Spend
) -> None:
    held = limit(f"race-{name}", str(CEILING))
    with transaction(engine) as connection:
        lock_accounts(connection, [held])
    random = Random(7)
    wanted = [cents(random) for _ in range(SPENDERS)]
    granted = at_once(lambda n: way(engine, [held], wanted[n]), SPENDERS)
    reserved, settled = sums(engine, held.account)
    told = [amount for amount, grant in zip(wanted, granted, strict=True) if grant]
    left = [amount for amount, grant in zip(wanted, granted, strict=True) if not grant]
    assert (reserved, settled) == (sum(told, Decimal(0)), Decimal(0))
    assert reserved <= CEILING
    assert left, "the ceiling must have stopped somebody"
    assert [amount for amount in left if fits(held, reserved, amount)] == []


def test_spenders_who_close_as_they_go_never_pass_a_ceiling(engine: sa.Engine) -> None:
    held = limit("busy", "60.00")
    highest: list[Decimal] = []

    def live(number: int) -> None:
        random = Random(number)
        grant_id = spend(engine, [held], cents(random))
        with transaction(engine) as connection:
            highest.append(lock_accounts(connection, [held])["busy"].amount)
            if grant_id and random.random() < 0.5:
                execute_batch(connection, [releases([grant_id])])
            elif grant_id:
                row = settlement(grant_id, cents(random, 0, 1))
                execute_batch(connection, [settlements([row])])

    at_once(live, SPENDERS)
    assert max(highest) <= held.ceiling
    assert max(highest) > held.ceiling / 2, "the account must have been busy"
    reserved, settled = sums(engine, "busy")
    assert reserved == 0
    assert settled > 0
    with engine.connect() as connection:
        assert mismatches(connection) == []


def test_two_limits_at_once_in_any_order_never_wait_for_each_other(engine: sa.Engine) -> None:
    both = [limit("left", "99999"), limit("right", "99999", period="day")]

    def live(number: int) -> None:
        order = both if number % 2 else both[::-1]
        mine = [spent(engine, order, "1.00") for _ in range(3)]
        with transaction(engine) as connection:
            rows = [
                settlement(one, Decimal(0), unknown=True)
                for one in (mine if number % 2 else mine[::-1])
            ]
            execute_batch(connection, [settlements(rows)])

    at_once(live, 40)
    assert sums(engine, "left") == sums(engine, "right") == amounts(0, 120)


def test_control_accounts_that_are_locked_one_by_one_wait_for_each_other(
    engine: sa.Engine,
) -> None:
    one, other = limit("first"), limit("second")
    with transaction(engine) as connection:
        lock_accounts(connection, [one, other])
    barrier = Barrier(2, timeout=20)

    def live(number: int) -> bool:
        order = [one, other] if number else [other, one]
        try:
            with transaction(engine) as connection:
                lock_accounts(connection, order[:1])
                barrier.wait()
                lock_accounts(connection, order[1:])
        except UnavailableError:
            return False
        return True

    assert sorted(at_once(live, 2)) == [False, True]


def test_the_first_spenders_of_a_period_open_its_account_once(engine: sa.Engine) -> None:
    held = limit("opened", "20.00")
    granted = at_once(lambda _: spend(engine, [held], "1.00"), 40)
    assert len([grant for grant in granted if grant]) == 20
    assert sums(engine, "opened") == amounts(20, 0)


def test_of_many_who_close_one_grant_one_does(engine: sa.Engine) -> None:
    held = limit("closers")
    grant_id = spent(engine, [held], "10")

    def close(number: int) -> None:
        cost = settlement(grant_id, Decimal(number))
        with transaction(engine) as connection:
            part = settlements([cost]) if number % 2 else releases([grant_id])
            execute_batch(connection, [part])

    at_once(close, 40)
    reserved, settled = sums(engine, "closers")
    assert reserved == 0
    assert settled == 0 or settled % 2 == 1
    with engine.connect() as connection:
        assert mismatches(connection) == []
