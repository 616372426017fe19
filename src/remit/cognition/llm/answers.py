"""What makes the answer of a service a response, and what makes it a failure; pure.

Providers hand over what `anthropic_answers` or `openai_answers` read.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from remit.cognition.addresses import is_model_name
from remit.cognition.bodies import Body
from remit.cognition.llm.provider import LLMProviderError, final
from remit.cognition.llm.types import LLMError, LLMResponse, LLMUsage
from remit.cognition.llm.usage import TokenCounts, normalize_usage

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered.

    Attributes:
        content: the text; empty when there is none.
        ending: how it ended.
        model: which model gave it, as the service says; None when it does not.
        counts: the tokens that the service counted.
    """

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

    Args:
        reason: what the service says of it; None when it says nothing.
        whole: the protocol's words for an answer that ended by itself. No other is one.
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

    Args:
        answer: what the service answered.
        vendor: whose prices apply.
        asked_model: the model that was asked.
        latency_ms: milliseconds until the answer was there.

    Raises:
        LLMProviderError: the model refused, failed or said nothing, or nobody knows whether it said
            all; `usage` tells what that took.
    """
    # A server may call its model by a path; what could not be asked for is not repeated.
    named = answer.model if answer.model and is_model_name(answer.model) else asked_model
    priced = (asked_model, answer.model or asked_model)
    usage = normalize_usage(_counted(answer), vendor=vendor, models=priced)
    failure = _failure(answer, usage)
    if failure is not None:
        raise failure
    return LLMResponse(answer.content, named, usage, latency_ms, truncated=answer.ending == "cut")


def _counted(answer: Answer) -> TokenCounts:
    """Return the counts; text takes tokens, so a count of none was never made."""
    counts = answer.counts
    given_out = (counts.output or None) if answer.content else counts.output
    return replace(counts, input=counts.input or None, output=given_out)


def _failure(answer: Answer, usage: LLMUsage) -> LLMProviderError | None:
    """Return why an answer is none; None when it is one."""
    if answer.ending == "refused":
        return final(
            "invalid_request",
            "the model refused to answer these messages: ask for something else",
            usage=usage,
        )
    if answer.ending == "failed":
        told = "the model failed before its answer was whole: try again"
        return LLMProviderError(LLMError("provider_error", told, retryable=True), usage=usage)
    if answer.ending == "unknown":
        return final(
            "provider_error",
            "the answer ended for a reason that is not known, so it may not be whole: ask another "
            "model",
            usage=usage,
        )
    if answer.content.strip():
        return None
    if answer.ending == "cut":
        return final(
            "invalid_request",
            "the model used up all tokens before it said a word: allow it more with max_tokens",
            usage=usage,
        )
    return final(
        "provider_error",
        "the model answered without a word: ask in other words, or ask another model",
        usage=usage,
    )
