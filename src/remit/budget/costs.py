"""What a run spent: what its module tells, and what the language models cost that it had asked.

Pure. Operations close promises by it, and whoever checks a bundle comes to the same closings.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from remit.budget.types import LARGEST_AMOUNT, Closing, exact_sum


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """What language models cost a run.

    Attributes:
        known: US dollars of all calls whose cost is known.
        unknown: whether there was a call whose cost is not.
    """

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


def closing_of(
    grant_id: UUID, told: Decimal | None, models: ModelCosts, *, completed: bool
) -> Closing | None:
    """Return how the promise to a run is closed; None when nothing was spent of it.

    What nobody knows counts as the whole promise: the cost of a module that succeeded and does not
    tell it, and that of a call without a price.

    Args:
        grant_id: the grant that the run consumed.
        told: what its module says that it spent, in US dollars; None when it does not say.
        models: what models cost it.
        completed: whether it succeeded.
    """
    known = min(exact_sum([told or Decimal(0), models.known]), LARGEST_AMOUNT)
    if models.unknown or (told is None and completed):
        return Closing(grant_id, at_least=known)
    if told is None and not known:
        return None
    return Closing(grant_id, known)
