"""What a run spent: what its attempts cost, and what the language models cost that it had asked.

Pure. Operations close promises by it, and whoever checks a bundle comes to the same closings.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from remit.base.json_types import JsonObject
from remit.budget.types import LARGEST_AMOUNT, check_spent, exact_sum

_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?", re.ASCII)


def parse_cost(written: object) -> Decimal | None:
    """Return the cost of a call as its evidence has it; None when it is not known.

    What is no amount was not written by Remit, and tells nothing.
    """
    if not isinstance(written, str) or not _AMOUNT.fullmatch(written):
        return None
    return Decimal(written)


def add_costs(costs: Iterable[Decimal | None]) -> tuple[Decimal, bool]:
    """Return the sum of the known costs, and whether one is not known, which is None."""
    known = list(costs)
    return exact_sum(cost for cost in known if cost is not None), None in known


def attempt_cost(output: JsonObject) -> Decimal | None:
    """Return what an attempt cost, by its stored output; None: nobody knows.

    What its module tells counts. One that foresaw its failure and tells nothing spent nothing, and
    neither did one that was not called, or refused its input. One that raised, ran out of time, or
    succeeded without a word may have spent anything.
    """
    told = output.get("cost")
    if isinstance(told, str):
        return parse_cost(told)
    error = output.get("error")
    kind = error.get("error_type") if isinstance(error, dict) else None
    return Decimal("0.00") if kind in _NOTHING_SPENT else None


def attempt_costs(ended: Sequence[Decimal | None], begun: int) -> list[Decimal | None]:
    """Return what each attempt of a run cost; None for those that were begun and never ended."""
    return [*ended, *([None] * (begun - len(ended)))]


def closing_of(costs: Iterable[Decimal | None], *, completed: bool) -> tuple[Decimal, bool] | None:
    """Return how the promise to a run is closed; None when nothing was spent of it.

    That is the US dollars that it is known to have spent, and whether nobody knows what else, which
    counts as the whole promise: see :func:`attempt_cost`; an attempt that never ended; a call of a
    model without a price.

    Args:
        costs: what its attempts and the models that it asked cost; None: nobody knows.

    Raises:
        ValueError: the costs come to no amount that can have been spent.
    """
    total, unknown = add_costs(costs)
    known = check_spent(min(total, LARGEST_AMOUNT))
    return (known, unknown) if unknown or known or completed else None


_NOTHING_SPENT = frozenset({"module_failed", "module_not_found", "invalid_input"})
