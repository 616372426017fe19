"""Values of the ledger, and the pure steps from limits to reservations.

An amount is reserved under every limit that applies, in the transaction that issues the grant, and
closed once: settled with what was spent, or released when nothing was.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, Context, Decimal
from functools import reduce
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.policy.limits import BudgetLimit, fits

NOT_PROMISED = "not promised"
"""The account of what runs cost that nothing was promised to, one for each month. No limit has its
name, which holds a space."""

LARGEST_AMOUNT = Decimal("999999999999.99")
"""The largest amount of an entry, in US dollars; no budget is larger."""


@dataclass(frozen=True, slots=True)
class Committed:
    """US dollars on a limit's account in this period: promised and not closed, or spent."""

    account: str
    period_start: datetime
    amount: Decimal


def check_spent(spent: Decimal) -> Decimal:
    """Return an amount in US dollars that can have been spent.

    Raises:
        ValueError: it is negative, no number, or over the largest amount.
    """
    if not (spent.is_finite() and 0 <= spent <= LARGEST_AMOUNT):
        raise ValueError(f"{spent} is no amount that can have been spent")
    return spent


def in_cents(spent: Decimal) -> Decimal:
    """Return an amount with two decimals, never less than it was."""
    return spent.quantize(Decimal("0.01"), ROUND_CEILING, Context())


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return what amounts come to, whatever precision a module has set for its thread."""
    return reduce(Context(prec=60).add, amounts, Decimal(0))


def obstacles(
    amount: Decimal,
    limits: Iterable[BudgetLimit],
    held: Mapping[str, Committed],
    agreed: Collection[str] = (),
) -> list[str]:
    """Return why an amount cannot be reserved now; nothing when it can."""
    return [
        limit.passed
        for limit in limits
        if not (_allowed_to_pass(limit, agreed) or fits(limit, held[limit.name].amount, amount))
    ]


def reservations(
    amount: Decimal,
    limits: Iterable[BudgetLimit],
    held: Mapping[str, Committed],
    agreed: Collection[str] = (),
    *,
    directive_id: UUID,
    grant_id: UUID,
) -> list[JsonObject]:
    """Return the ledger's rows of what a grant promises, one for every limit that applies.

    The ceiling of a row is what the database enforces; None where a person let it pass. See
    :func:`obstacles` for the arguments.
    """
    return [
        {
            "account": held[limit.name].account,
            "period_start": held[limit.name].period_start.isoformat(),
            "directive_id": str(directive_id),
            "grant_id": str(grant_id),
            "amount": str(amount),
            "ceiling": None if _allowed_to_pass(limit, agreed) else str(limit.ceiling),
        }
        for limit in limits
    ]


def settlement(grant_id: UUID, known: Decimal, *, unknown: bool = False) -> JsonObject:
    """Return the ledger's row of what a grant's run spent of what it was promised.

    Args:
        known: US dollars; a part of a cent counts as a whole one. More than was promised is
            recorded as it is.
        unknown: whether nobody knows what else: all that was promised, or `known` when that is
            more.

    Raises:
        ValueError: the amount is negative, no number, or over the largest amount.
    """
    amount = str(in_cents(check_spent(known)))
    return {
        "grant_id": str(grant_id),
        "spent": None if unknown else amount,
        "at_least": amount if unknown else "0.00",
    }


def held_after(
    held: Mapping[str, Committed], reserved: Sequence[JsonObject]
) -> dict[str, Committed]:
    """Return what stands on the accounts once these rows are written.

    So the second directive of a batch is judged with what the first one was promised.
    """
    return {
        name: replace(
            one,
            amount=exact_sum(
                [one.amount]
                + [Decimal(str(r["amount"])) for r in reserved if r["account"] == one.account]
            ),
        )
        for name, one in held.items()
    }


def _allowed_to_pass(limit: BudgetLimit, agreed: Collection[str]) -> bool:
    return limit.at_cap == "ask" and limit.passed in agreed
