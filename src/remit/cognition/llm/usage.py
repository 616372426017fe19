"""Tokens and cost in one form, whichever service counted them. Providers ask it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from remit.cognition.llm.types import LLMUsage
from remit.cognition.pricing import completion_cost

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
    """

    input: int | None = None
    output: int | None = None
    total: int | None = None


def normalize_usage(counts: TokenCounts, *, vendor: str, models: Iterable[str]) -> LLMUsage:
    """Return the usage of one answer.

    Args:
        counts: what the service counted.
        vendor: whose prices apply.
        models: the names of the model that answered, the one to look up first in front.
    """
    total = counts.total
    if total is None and counts.input is not None and counts.output is not None:
        total = counts.input + counts.output
    costs = (completion_cost(vendor, model, counts.input, counts.output) for model in models)
    cost = next((cost for cost in costs if cost is not None), None)
    return LLMUsage(counts.input, counts.output, total, cost)
