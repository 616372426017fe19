"""All SQL of the budget's accounts and entries.

Entries are inserted and never changed. A trigger keeps the sums of the accounts from them, refuses
a reservation that would pass its ceiling and a closing that closes none, and is the only one that
may. Operations lock directives first and accounts after them, never the other way round; rows of
one statement come in the order of accounts, so that two transactions never wait for each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.budget.types import LARGEST_AMOUNT, NOT_PROMISED, Committed, in_cents
from remit.db.batch import BatchStatement, insert_into, limited
from remit.db.tables import budget_entries
from remit.policy.limits import BudgetLimit
from remit.telemetry.rows import read_row


def lock_accounts(connection: sa.Connection, limits: Iterable[BudgetLimit]) -> dict[str, Committed]:
    """Lock the accounts of limits until the transaction ends; return what stands on them, by limit.

    The period is the one that the transaction began in, by the database's clock. Accounts that are
    missing are opened. Call it once in a transaction, for all limits that its directives need.
    """
    return _held(connection, _LOCK, list(limits))


def read_accounts(connection: sa.Connection, limits: Iterable[BudgetLimit]) -> dict[str, Committed]:
    """Return the same and lock nothing; an account that nobody has opened holds nothing."""
    return _held(connection, _READ, list(limits))


def _held(
    connection: sa.Connection, statement: sa.TextClause, limits: Sequence[BudgetLimit]
) -> dict[str, Committed]:
    if not limits:
        return {}
    rows = connection.execute(
        statement,
        {"accounts": [one.account for one in limits], "periods": [one.period for one in limits]},
    )
    held = {
        row.account: read_row(row._mapping, lambda r: Committed(*r.values()), "budget_accounts")
        for row in rows
    }
    return {limit.name: held[limit.account] for limit in limits}


def reserve(rows: Sequence[JsonObject]) -> BatchStatement:
    """Return the write of `remit.budget.types.reservations`; it goes with that of their grants."""
    return BatchStatement("reserved", _RESERVE, rows, "an amount was not reserved")


def settlements(rows: Sequence[JsonObject]) -> BatchStatement:
    """Return the write of each `remit.budget.types.settlement`, which closes reservations.

    A grant without reservations, or whose reservations are closed, is left as it is.
    """
    return BatchStatement("settled", _SETTLE, rows, None)


def releases(grant_ids: Sequence[UUID]) -> BatchStatement:
    """Return the write that closes reservations of which nothing was spent; else likewise."""
    rows: list[JsonObject] = [{"grant_id": str(grant_id)} for grant_id in grant_ids]
    return BatchStatement("released", _RELEASE, rows, None)


def unpromised_entry(directive_id: UUID, grant_id: UUID, spent: Decimal) -> JsonObject:
    """Return the row of what a run spent that nothing was promised to, rounded up to cents."""
    return {
        "directive_id": str(directive_id),
        "grant_id": str(grant_id),
        "amount": str(in_cents(min(spent, LARGEST_AMOUNT))),
    }


def unpromised(rows: Sequence[JsonObject]) -> BatchStatement:
    """Return the write of each :func:`unpromised_entry`, which closes no reservation."""
    return BatchStatement("unpromised", _UNPROMISED, rows, None)


_LOCK = sa.text("""
    SELECT account, period_start, committed
    FROM remit_lock_budgets(CAST(:accounts AS text[]), CAST(:periods AS text[]))
""")
_READ = sa.text("""
    SELECT wanted.account, date_trunc(wanted.period, now(), 'UTC'),
        coalesce(held.reserved + held.settled, 0.00)
    FROM unnest(CAST(:accounts AS text[]), CAST(:periods AS text[])) AS wanted (account, period)
    LEFT JOIN budget_accounts AS held ON held.account = wanted.account
        AND held.period_start = date_trunc(wanted.period, now(), 'UTC')
""")
_GIVEN = ("account", "period_start", "directive_id", "grant_id", "amount", "ceiling")
_RESERVE = f"""
    {insert_into(budget_entries, "reserved", _GIVEN, computed={"kind": "'reserve'"})}
    ORDER BY account, period_start
    RETURNING id
"""
_CLOSE = """
    INSERT INTO budget_entries (account, period_start, directive_id, grant_id, kind, amount)
    SELECT promise.account, promise.period_start, promise.directive_id, promise.grant_id,
"""
_PROMISED = """
    JOIN budget_entries AS promise ON promise.grant_id = new.grant_id AND promise.kind = 'reserve'
    ORDER BY promise.account, promise.period_start
    ON CONFLICT DO NOTHING
    RETURNING id
"""
_SPENT: Mapping[str, str] = {"spent": "numeric", "at_least": "numeric"}
_SETTLE = f"""
    {_CLOSE}
        'settle', coalesce(new.spent, greatest(promise.amount, new.at_least))
    FROM {limited("settled", budget_entries, ["grant_id"], _SPENT)}
    {_PROMISED}
"""
_RELEASE = f"""
    {_CLOSE}
        'release', promise.amount
    FROM {limited("released", budget_entries, ["grant_id"])}
    {_PROMISED}
"""
_OF_NOTHING: Mapping[str, str] = {
    "account": f"'{NOT_PROMISED}'",
    "period_start": "date_trunc('month', now(), 'UTC')",
    "kind": "'settle'",
}
_ENTERED = ("directive_id", "grant_id", "amount")
_UNPROMISED = f"""
    {insert_into(budget_entries, "unpromised", _ENTERED, computed=_OF_NOTHING)}
    ON CONFLICT DO NOTHING
    RETURNING id
"""


def list_entries(connection: sa.Connection, directive_id: UUID) -> list[sa.RowMapping]:
    """Return every entry of a directive, oldest first: its columns but `id` and `directive_id`."""
    names = ("account", "period_start", "grant_id", "kind", "amount", "ceiling", "created_at")
    statement = (
        sa.select(*(budget_entries.c[name] for name in names))
        .where(budget_entries.c.directive_id == directive_id)
        .order_by(budget_entries.c.id)
    )
    return [
        read_row(row._mapping, lambda entry: entry, "budget_entries")
        for row in connection.execute(statement)
    ]
