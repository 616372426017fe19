"""What the database itself refuses of the ledger, whoever writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from remit.budget.ledger import lock_accounts, releases
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.errors import MisconfiguredError, RuleViolationError
from tests.integration.budget.spending import (
    amounts,
    grants,
    limit,
    promise,
    raw_entry,
    reservations,
    spent,
    sums,
    write,
)

LAST_MONTH = datetime(2025, 2, 1, tzinfo=UTC)
NO_NUMBER = (
    'new row for relation "budget_entries" violates check constraint '
    '"ck_budget_entries_{}_readable"'
)
NO_GRANT = "a reservation is not the budget of its grant"
TOO_MUCH = "a reservation would pass the ceiling of its account"
CLOSES_NONE = "an entry closes no reservation"


@contextmanager
def refused(engine: sa.Engine, why: str) -> Iterator[sa.Connection]:
    """Open a transaction that the database must refuse in these words."""
    try:
        with transaction(engine) as connection:
            yield connection
    except (sa.exc.DatabaseError, RuleViolationError, MisconfiguredError) as error:
        # A rule's refusal, or a right that a role lacks, is told with the database's own words.
        cause: Any = error if isinstance(error, sa.exc.DatabaseError) else error.__cause__
        assert cause.orig.diag.message_primary == why
        return
    pytest.fail("nothing was refused")


def test_two_of_one_batch_are_held_against_the_ceiling_together(engine: sa.Engine) -> None:
    held = limit("batch", "10")
    with refused(engine, TOO_MUCH) as connection:
        locked = lock_accounts(connection, [held])
        two = [promise(connection, "6"), promise(connection, "6")]
        write(connection, [r for p in two for r in reservations(p, [held], locked)])
    assert sums(engine, "batch") == amounts(0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "reserve", "amount": "9"}, NO_GRANT),
        ({"kind": "reserve", "amount": "NaN"}, NO_NUMBER.format("amount")),
        ({"kind": "reserve", "ceiling": "NaN"}, NO_NUMBER.format("ceiling")),
        ({"kind": "reserve", "ceiling": "9.99"}, TOO_MUCH),
        ({"kind": "settle"}, CLOSES_NONE),
        ({"kind": "settle", "amount": "NaN"}, NO_NUMBER.format("amount")),
        ({"kind": "release"}, CLOSES_NONE),
    ],
    ids=str,
)
def test_an_entry_that_does_not_add_up_is_refused(
    engine: sa.Engine, changes: dict[str, str], message: str
) -> None:
    with refused(engine, message) as connection:
        held = lock_accounts(connection, [limit("strict")])["strict"]
        wanted = promise(connection, "10")
        execute_batch(connection, [grants([wanted])])
        entry: dict[str, Any] = {
            "account": held.account,
            "period_start": held.period_start,
            "directive_id": wanted.directive_id,
            "grant_id": wanted.grant_id,
            "amount": "10",
            "ceiling": "10",
        }
        raw_entry(connection, **entry | changes)


def test_a_reservation_is_made_for_the_directive_of_its_grant(engine: sa.Engine) -> None:
    with refused(engine, NO_GRANT) as connection:
        held = lock_accounts(connection, [limit("mixed")])["mixed"]
        one, other = promise(connection, "10"), promise(connection, "10")
        execute_batch(connection, [grants([one, other])])
        raw_entry(
            connection,
            account=held.account,
            period_start=held.period_start,
            directive_id=one.directive_id,
            grant_id=other.grant_id,
            kind="reserve",
            amount="10",
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "release", "amount": "9.99"},
        {"kind": "settle", "period_start": LAST_MONTH},
        {"kind": "settle", "directive_id": "another"},
    ],
    ids=str,
)
def test_a_closing_must_be_that_of_its_reservation(
    superuser: sa.Engine, changes: dict[str, Any]
) -> None:
    held = limit("closing")
    with refused(superuser, CLOSES_NONE) as connection:
        connection.execute(
            sa.text("INSERT INTO budget_accounts VALUES ('closing', :start)"),
            {"start": LAST_MONTH},
        )
        wanted, another = promise(connection, "10"), promise(connection, "10")
        locked = lock_accounts(connection, [held])
        write(connection, reservations(wanted, [held], locked))
        entry: dict[str, Any] = {
            "account": "closing",
            "period_start": locked["closing"].period_start,
            "directive_id": wanted.directive_id,
            "grant_id": wanted.grant_id,
            "amount": "10",
        }
        if changes.get("directive_id"):
            changes = changes | {"directive_id": another.directive_id}
        raw_entry(connection, **entry | changes)


def test_a_second_reservation_of_a_grant_on_an_account_is_refused(engine: sa.Engine) -> None:
    held = limit("twice")
    broken = 'duplicate key value violates unique constraint "uq_budget_entries_reserved"'
    with refused(engine, broken) as connection:
        locked = lock_accounts(connection, [held])
        wanted = promise(connection, "10")
        write(connection, reservations(wanted, [held, held], locked))
    assert sums(engine, "twice") == amounts(0, 0)


def test_replication_mode_does_not_switch_the_ceiling_off(superuser: sa.Engine) -> None:
    held = limit("replica", "10")
    with refused(superuser, TOO_MUCH) as connection:
        locked = lock_accounts(connection, [held])
        wanted = promise(connection, "11")
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        write(connection, reservations(wanted, [held], locked))


@pytest.mark.parametrize("role", ["remit_app", "remit_reader", "remit_module"])
@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE budget_accounts SET reserved = 0, settled = 0", "table budget_accounts"),
        ("INSERT INTO budget_accounts VALUES ('new', now(), 5, 5)", "table budget_accounts"),
        ("DELETE FROM budget_accounts", "table budget_accounts"),
        ("UPDATE budget_entries SET amount = 0", "table budget_entries"),
        ("DELETE FROM budget_entries", "table budget_entries"),
    ],
)
def test_no_service_changes_a_sum_past_the_entries(
    superuser: sa.Engine, role: str, statement: str, place: str
) -> None:
    with refused(superuser, f"permission denied for {place}") as connection:
        connection.execute(sa.text(f"SET LOCAL ROLE {role}"))
        connection.execute(sa.text(statement))


def test_no_module_borrows_the_trigger_for_a_table_of_its_own(superuser: sa.Engine) -> None:
    with refused(
        superuser, "permission denied for function public.remit_keep_budget"
    ) as connection:
        connection.execute(sa.text("SET LOCAL ROLE remit_module"))
        connection.execute(sa.text("CREATE TABLE module_data.bait (account text)"))
        connection.execute(sa.text(_BORROW))


@pytest.mark.parametrize("role", ["remit_reader", "remit_module"])
def test_only_a_service_may_lock_accounts(superuser: sa.Engine, role: str) -> None:
    with refused(superuser, "permission denied for function remit_lock_budgets") as connection:
        connection.execute(sa.text(f"SET LOCAL ROLE {role}"))
        lock_accounts(connection, [limit("shut")])


def test_a_service_reserves_and_closes_with_no_right_to_the_sums(superuser: sa.Engine) -> None:
    held = limit("served")
    with transaction(superuser) as connection:
        connection.execute(sa.text("SET LOCAL ROLE remit_app"))
        locked = lock_accounts(connection, [held])
        wanted = promise(connection, "10")
        write(connection, reservations(wanted, [held], locked))
        execute_batch(connection, [releases([wanted.grant_id])])
    assert sums(superuser, "served") == amounts(0, 0)
    spent(superuser, [held], "100")


_BORROW = """
    CREATE TRIGGER borrowed AFTER INSERT ON module_data.bait
    FOR EACH ROW EXECUTE FUNCTION public.remit_keep_budget()
"""
