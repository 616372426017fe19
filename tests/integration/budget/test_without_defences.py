"""The same race with the trigger and the lock taken out: the ceiling falls."""

from decimal import Decimal
from threading import Barrier

import sqlalchemy as sa

from remit.budget.types import Committed
from remit.db.session import transaction
from remit.errors import RuleViolationError
from remit.policy.limits import fits
from tests.integration.budget.spending import limit, promise, reservations, write
from tests.support.races import at_once

RACERS = 20


def race(engine: sa.Engine, name: str) -> Decimal:
    """Let spenders read what the entries add up to, and all reserve after that; return the sum."""
    held = limit(name, "10.00")
    with transaction(engine) as connection:
        start = connection.execute(_OPEN, {"account": name}).scalar_one()
    barrier = Barrier(RACERS, timeout=20)

    def live(_: int) -> None:
        try:
            with transaction(engine) as connection:
                wanted = promise(connection, "3.00")
                seen = connection.execute(_READ, {"account": name}).scalar_one()
                barrier.wait()
                if fits(held, seen, wanted.amount):
                    told = {name: Committed(name, start, seen)}
                    write(connection, reservations(wanted, [held], told))
        except RuleViolationError as error:
            if "pass the ceiling" not in error.message:
                raise

    at_once(live, RACERS)
    with engine.connect() as connection:
        total: Decimal = connection.execute(_READ, {"account": name}).scalar_one()
    return total


def test_the_trigger_alone_holds_a_ceiling_and_without_it_the_same_race_passes_it(
    superuser: sa.Engine,
) -> None:
    assert race(superuser, "with") == 9
    with transaction(superuser) as connection:
        connection.execute(sa.text("DROP TRIGGER remit_keep_budget ON budget_entries"))
    assert race(superuser, "without") == 3 * RACERS


_OPEN = sa.text("""
    INSERT INTO budget_accounts (account, period_start)
    VALUES (:account, date_trunc('month', now(), 'UTC')) RETURNING period_start
""")
_READ = sa.text("""
    SELECT coalesce(sum(amount), 0.00) FROM budget_entries WHERE account = :account
""")
