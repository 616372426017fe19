"""Tokens and cost in one form, whichever service counted them. Providers ask it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from remit.cognition.llm.types import LLMUsage
from remit.cognition.pricing import completion_cost

_DATE = re.compile(r"([-@]20\d\d(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01]))?", re.ASCII)

NOTHING_USED = LLMUsage(0, 0, 0, Decimal(0))
"""What a request used up that was never sent, or refused."""

UNKNOWN_USED = LLMUsage(None, None, None, None)
"""What a request used up that gave no answer, though it may have been billed."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What a service counted; None where it did not.

    Attributes:
        input: tokens put in, from a cache or not.
        output: tokens given out, thoughts included.
        total: both, in the service's own sum.
        cache_written: how many of `input` were written to a cache, which costs more.
        is_listed: whether the request ran in a way that costs no more than the price list says.
    """

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cache_written: int = 0
    is_listed: bool = True


def normalize_usage(counts: TokenCounts, *, vendor: str, models: Iterable[str]) -> LLMUsage:
    """Return the usage of one answer.

    Args:
        counts: what the service counted.
        vendor: whose prices apply.
        models: the names of the model that was asked and of the one that answered, in this order.
    """
    total = counts.total
    if total is None and counts.input is not None and counts.output is not None:
        total = counts.input + counts.output
    return LLMUsage(counts.input, counts.output, total, _cost(counts, vendor, list(models)))


def _cost(counts: TokenCounts, vendor: str, models: list[str]) -> Decimal | None:
    """Return the cost by the dearest of the models; None when it may be more."""
    # A model that was trained further costs more than the one that its name ends on or holds.
    if not counts.is_listed or any(model.startswith("ft:") for model in models):
        return None
    costs = {model: _cost_of(counts, vendor, model) for model in models}
    # Another model may have answered than was asked, and a dearer one may hold its name.
    if models and costs[models[-1]] is None and not _is_dated(models[-1], models[0], vendor):
        return None
    return max((cost for cost in costs.values() if cost is not None), default=None)


def _is_dated(name: str, model: str, vendor: str) -> bool:
    """Return whether a name is that of a model, with a date, or the vendor's name before it."""
    bare = name.removeprefix(f"{vendor}/")
    return bare.startswith(model) and _DATE.fullmatch(bare, len(model)) is not None


def _cost_of(counts: TokenCounts, vendor: str, model: str) -> Decimal | None:
    if counts.input is None or counts.output is None:
        return None
    # What is written to a cache costs up to twice its price.
    put_in = counts.input + counts.cache_written
    # Nobody knows what a sum has beyond its parts: it is priced as either, and the dearer counts.
    beyond = max(0, (counts.total or 0) - counts.input - counts.output)
    as_output = completion_cost(vendor, model, put_in, counts.output + beyond)
    as_input = completion_cost(vendor, model, put_in + beyond, counts.output)
    if as_output is None or as_input is None:
        return None
    return max(as_output, as_input)
