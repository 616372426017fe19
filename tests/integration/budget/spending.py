"""Grants that are promised amounts, and what the accounts then say."""

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.budget import types
from remit.budget.ledger import lock_accounts, reserve
from remit.budget.types import Committed, obstacles
from remit.db.batch import BatchStatement, execute_batch
from remit.db.session import transaction
from remit.policy.limits import BudgetLimit


class Promise(NamedTuple):
    """What a grant promises to its directive."""

    directive_id: UUID
    grant_id: UUID
    amount: Decimal


def reservations(
    promise: Promise,
    limits: Sequence[BudgetLimit],
    held: Mapping[str, Committed],
    agreed: Collection[str] = (),
) -> list[JsonObject]:
    """Return the ledger's rows of a promise."""
    directive_id, grant_id, amount = promise
    return types.reservations(
        amount, limits, held, agreed, directive_id=directive_id, grant_id=grant_id
    )


def limit(name: str, ceiling: str = "100.00", **changes: Any) -> BudgetLimit:
    """Return a limit for all roles, of a month so that no test crosses its end by chance."""
    fields: dict[str, Any] = {"name": name, "ceiling": Decimal(ceiling), "period": "month"}
    return BudgetLimit(**fields | changes)


def promise(connection: sa.Connection, amount: str | Decimal) -> Promise:
    """Store a directive, and return a promise to it by a grant that is not stored yet."""
    directive_id = uuid4()
    connection.execute(_PROPOSE, {"id": directive_id})
    connection.execute(_SAY, {"id": directive_id})
    return Promise(directive_id, uuid4(), Decimal(amount))


def grants(promises: Sequence[Promise]) -> BatchStatement:
    """Return the write that issues the grants of promises."""
    rows = [
        {"id": str(p.grant_id), "directive_id": str(p.directive_id), "budget": str(p.amount)}
        for p in promises
    ]
    return BatchStatement("granted", _GRANT, rows, "a grant was not issued")


def write(connection: sa.Connection, reserved: Sequence[JsonObject]) -> None:
    """Issue the grants of reservations and reserve, in one statement."""
    promises = {
        str(row["grant_id"]): Promise(
            UUID(str(row["directive_id"])), UUID(str(row["grant_id"])), Decimal(str(row["amount"]))
        )
        for row in reserved
    }
    execute_batch(connection, [grants(list(promises.values())), reserve(reserved)])


def spend(engine: sa.Engine, limits: Sequence[BudgetLimit], amount: str | Decimal) -> UUID | None:
    """Reserve as operations do, and return the grant; None when a limit stands against it."""
    with transaction(engine) as connection:
        wanted = promise(connection, amount)
        held = lock_accounts(connection, limits)
        if obstacles(wanted.amount, limits, held):
            return None
        write(connection, reservations(wanted, limits, held))
        return wanted.grant_id


def spent(engine: sa.Engine, limits: Sequence[BudgetLimit], amount: str | Decimal) -> UUID:
    """Reserve what is known to fit, and return the grant."""
    grant_id = spend(engine, limits, amount)
    assert grant_id is not None
    return grant_id


def amounts(reserved: str | int, settled: str | int) -> tuple[Decimal, Decimal]:
    """Return what the sums of an account should be."""
    return Decimal(reserved), Decimal(settled)


def sums(engine: sa.Engine, account: str) -> tuple[Decimal, Decimal]:
    """Return what an account says is reserved and settled, over all periods."""
    with engine.connect() as connection:
        row = connection.execute(_SUMS, {"account": account}).one()
    return row.reserved, row.settled


def entries(engine: sa.Engine, grant_id: UUID) -> list[tuple[str, str, str]]:
    """Return a grant's entries as account, kind and amount, in their order."""
    with engine.connect() as connection:
        rows = connection.execute(_ENTRIES, {"grant_id": grant_id})
        return [(row.account, row.kind, str(row.amount)) for row in rows]


def mismatches(connection: sa.Connection) -> list[Any]:
    """Return every account whose sums are not those of its entries."""
    return list(connection.execute(_MISMATCHES))


def raw_entry(connection: sa.Connection, **values: Any) -> None:
    """Insert an entry as a service could, past the ledger."""
    connection.execute(_RAW, {"entry": json.dumps(values, default=str)})


_PROPOSE = sa.text("""
    INSERT INTO directives (
        id, role, type, payload, issued_by, objective, scope, status, action_digest
    )
    VALUES (
        :id, 'operations', 'echo', '{}', 'agent-1', 'Spend.', 'test', 'proposed', 'sha256:0'
    )
""")
_SAY = sa.text("""
    INSERT INTO events (directive_id, type, actor, data)
    VALUES (:id, 'directive.proposed', 'agent-1', '{}')
""")
_GRANT = """
    INSERT INTO grants (
        id, directive_id, action_digest, policy_version, policy_digest, module, votes, budget,
        expires_at
    )
    SELECT
        id, directive_id, 'sha256:0', '1', 'sha256:0', 'echo', '[]', budget,
        now() + interval '1 hour'
    FROM jsonb_to_recordset(%(granted)s::jsonb) AS new (
        id uuid, directive_id uuid, budget numeric
    )
    RETURNING id
"""
_RAW = sa.text("""
    INSERT INTO budget_entries (
        account, period_start, directive_id, grant_id, kind, amount, ceiling
    )
    SELECT account, period_start, directive_id, grant_id, kind, amount, ceiling
    FROM jsonb_populate_record(NULL::budget_entries, CAST(:entry AS jsonb))
""")
_SUMS = sa.text("""
    SELECT coalesce(sum(reserved), 0) AS reserved, coalesce(sum(settled), 0) AS settled
    FROM budget_accounts WHERE account = :account
""")
_ENTRIES = sa.text("""
    SELECT account, kind, amount FROM budget_entries WHERE grant_id = :grant_id
    ORDER BY id
""")
_MISMATCHES = sa.text("""
    SELECT held.*, told.*
    FROM budget_accounts AS held
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(amount) FILTER (WHERE kind = 'settle'), 0) AS spent,
            coalesce(sum(amount) FILTER (WHERE kind = 'reserve' AND NOT EXISTS (
                SELECT FROM budget_entries AS closing WHERE closing.kind <> 'reserve'
                    AND (closing.grant_id, closing.account) = (one.grant_id, one.account)
            )), 0) AS promised
        FROM budget_entries AS one
        WHERE (one.account, one.period_start) = (held.account, held.period_start)
    ) AS told
    WHERE (held.reserved, held.settled) IS DISTINCT FROM (told.promised, told.spent)
""")
