"""What a run spent: what its attempts cost, and what the language models cost that it had asked.

Pure. Operations close promises by it, and whoever checks a bundle comes to the same closings.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.budget.types import LARGEST_AMOUNT, Closing, exact_sum


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """What language models, or its attempts, cost a run: US dollars of all that is known."""

    known: Decimal = Decimal(0)
    unknown: bool = False


NO_MODELS = ModelCosts()
"""What a run cost that asked no model."""

_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?", re.ASCII)


def parse_cost(written: object) -> Decimal | None:
    """Return the cost of a call as its evidence has it; None when it is not known.

    What is no amount was not written by Remit, and tells nothing.
    """
    if not isinstance(written, str) or not _AMOUNT.fullmatch(written):
        return None
    return Decimal(written)


def add_costs(costs: Iterable[Decimal | None]) -> ModelCosts:
    """Return what calls cost together; None stands for one whose cost is not known."""
    told = list(costs)
    return ModelCosts(
        exact_sum(each for each in told if each is not None), unknown=any(c is None for c in told)
    )


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


def attempts_cost(costs: Iterable[Decimal | None], begun: int) -> ModelCosts:
    """Return what the attempts of a run cost together."""
    ended = list(costs)
    return add_costs([*ended, *([None] * (begun - len(ended)))])


def closing_of(
    grant_id: UUID, attempts: ModelCosts, models: ModelCosts, *, completed: bool
) -> Closing | None:
    """Return how the promise to a run is closed; None when nothing was spent of it.

    What nobody knows counts as the whole promise: see :func:`attempt_cost`; an attempt that never
    ended; a call of a model without a price.
    """
    known = min(exact_sum([attempts.known, models.known]), LARGEST_AMOUNT)
    if attempts.unknown or models.unknown:
        return Closing(grant_id, at_least=known)
    return Closing(grant_id, known) if known or completed else None


_NOTHING_SPENT = frozenset({"module_failed", "module_not_found", "invalid_input"})
