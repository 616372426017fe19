"""What makes the answer of a service a response or a failure, and what it cost; pure."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from remit.cognition.addresses import is_model_name
from remit.cognition.bodies import Body
from remit.cognition.llm.provider import LLMProviderError
from remit.cognition.llm.types import LLMError, LLMResponse, LLMUsage
from remit.cognition.pricing import completion_cost
from remit.vocabulary import LLMErrorType

_DATE = re.compile(r"([-@]20\d\d(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01]))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What a service counted; None where it did not.

    `input` is from a cache or not, and `cache_written` of it were written to one, which costs more;
    `output` includes thoughts; `total` is the service's own sum. A request that is listed ran in a
    way that costs no more than the price list says.
    """

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cache_written: int = 0
    is_listed: bool = True


def normalize_usage(counts: TokenCounts, *, vendor: str, models: Iterable[str]) -> LLMUsage:
    """Return the usage of one answer.

    `models` are the names of the model that was asked and of the one that answered, in this order.
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


MAX_COUNT = 10**12
"""Most tokens that a service is believed to have counted."""

Count = Annotated[int | None, Field(ge=0, le=MAX_COUNT)]
"""What a service counted; None when it did not."""

Ending = Literal["whole", "cut", "refused", "failed", "unknown"]
"""How an answer ended: by itself, for want of tokens, because it may not be given, by a failure of
the service, or for a reason that nobody here knows."""

_ENDINGS: tuple[tuple[re.Pattern[str], Ending], ...] = (
    (
        re.compile("filter|refus|safety|sensitive|prohibit|block|guardrail|moderat|recitation"),
        "refused",
    ),
    (re.compile("length|max_(output_|completion_)?tokens|context|pause"), "cut"),
    (
        re.compile("error|abort|cancel|fail|time_?out|interrupt|overload|unavailable|resource"),
        "failed",
    ),
)
"""By what services call such an ending, in their protocols' words or their own."""


_NO_ANSWER: Mapping[Ending, tuple[LLMErrorType, str]] = {
    "refused": (
        "invalid_request",
        "the model refused to answer these messages: ask for something else",
    ),
    "failed": ("provider_error", "the model failed before its answer was whole: try again"),
    "unknown": (
        "provider_error",
        (
            "the answer ended for a reason that is not known, so it may not be whole: ask another "
            "model"
        ),
    ),
    "cut": (
        "invalid_request",
        "the model used up all tokens before it said a word: allow it more with max_tokens",
    ),
    "whole": (
        "provider_error",
        "the model answered without a word: ask in other words, or ask another model",
    ),
}
"""Why an answer is none: by its ending, and for the last two where it holds no word."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; `model` gave it, as the service says, and None when it does not."""

    content: str = field(repr=False)
    ending: Ending
    model: str | None
    counts: TokenCounts


class Fault(Body):
    """What stands in place of an answer, under a good status, when the model broke on the way."""


class Counted(Body):
    """Counts, whatever they are called: those that nobody here knows are kept, to be compared."""

    model_config = ConfigDict(strict=True, extra="allow")

    def is_within(self, whole: int | None) -> bool:
        """Return whether no number in it, at any depth, is more than `whole`."""
        # What is no number at all, which JSON's readers let through, is within nothing.
        return all(number <= (whole or 0) for number in _numbers(self.model_dump()))


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def ending_of(reason: str | None, *, whole: Container[str]) -> Ending:
    """Return how an answer ended.

    `whole` are the protocol's words for an answer that ended by itself: no other is one.
    """
    if reason in whole:
        return "whole"
    said = (reason or "").lower()
    return next((ending for known, ending in _ENDINGS if known.search(said)), "unknown")


def with_parts(whole: int | None, *parts: int | None) -> int | None:
    """Return a count with its parts where they are more than it, and so were counted beside it."""
    together = sum(part or 0 for part in parts)
    return whole if whole is None or together <= whole else whole + together


def respond(answer: Answer, *, vendor: str, asked_model: str, latency_ms: float) -> LLMResponse:
    """Return the response that an answer is.

    Raises:
        LLMProviderError: the model refused, failed or said nothing, or nobody knows whether it said
            all; `usage` tells what that took.
    """
    # A server may call its model by a path; what could not be asked for is not repeated.
    named = answer.model if answer.model and is_model_name(answer.model) else asked_model
    priced = (asked_model, answer.model or asked_model)
    # Text takes tokens, so a count of none was never made.
    counts = answer.counts
    given_out = (counts.output or None) if answer.content else counts.output
    counts = replace(counts, input=counts.input or None, output=given_out)
    usage = normalize_usage(counts, vendor=vendor, models=priced)
    if answer.ending not in {"whole", "cut"} or not answer.content.strip():
        error_type, told = _NO_ANSWER[answer.ending]
        error = LLMError(error_type, told, retryable=answer.ending == "failed")
        raise LLMProviderError(error, usage=usage)
    return LLMResponse(answer.content, named, usage, latency_ms, truncated=answer.ending == "cut")
