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


@dataclass(frozen=True, slots=True)
class Closing:
    """How much a grant's run spent of what it was promised.

    Attributes:
        spent: US dollars; a part of a cent counts as a whole one. More than was promised is
            recorded as it is. None: all that was promised, or `at_least` when that is more.
        at_least: US dollars that are known to be spent where `spent` is None.

    Raises:
        ValueError: an amount is negative, no number, or over the largest amount.
    """

    grant_id: UUID
    spent: Decimal | None = None
    at_least: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Refuse what cannot be an amount."""
        for spent in (self.spent, self.at_least):
            if spent is not None and not (spent.is_finite() and 0 <= spent <= LARGEST_AMOUNT):
                raise ValueError(f"{spent} is no amount that can have been spent")


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
