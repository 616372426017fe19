"""What makes the answer of a service a response, and what makes it a failure; pure.

Providers hand over what `anthropic_answers` or `openai_answers` read.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from remit.cognition.addresses import is_model_name
from remit.cognition.llm.provider import final
from remit.cognition.llm.types import LLMResponse
from remit.cognition.llm.usage import TokenCounts, normalize_usage

MAX_COUNT = 10**12
"""Most tokens that a service is believed to have counted."""

Count = Annotated[int | None, Field(ge=0, le=MAX_COUNT)]
"""What a service counted; None when it did not."""

Ending = Literal["whole", "cut", "refused"]
"""How an answer ended: by itself, for want of tokens, or because it may not be given."""


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


def respond(answer: Answer, *, vendor: str, asked_model: str, latency_ms: float) -> LLMResponse:
    """Return the response that an answer is.

    Args:
        answer: what the service answered.
        vendor: whose prices apply.
        asked_model: the model that was asked.
        latency_ms: milliseconds until the answer was there.

    Raises:
        LLMProviderError: the model refused, or said nothing; `usage` tells what that took.
    """
    # A server may call its model by a path; what could not be asked for is not repeated.
    named = answer.model if answer.model and is_model_name(answer.model) else asked_model
    usage = normalize_usage(answer.counts, vendor=vendor, models=(asked_model, named))
    if answer.ending == "refused":
        raise final(
            "invalid_request",
            "the model refused to answer these messages: ask for something else",
            usage=usage,
        )
    if not answer.content.strip() and answer.ending == "cut":
        raise final(
            "invalid_request",
            "the model used up all tokens before it said a word: allow it more with max_tokens",
            usage=usage,
        )
    if not answer.content.strip():
        raise final(
            "provider_error",
            "the model answered without a word: ask in other words, or ask another model",
            usage=usage,
        )
    return LLMResponse(answer.content, named, usage, latency_ms, truncated=answer.ending == "cut")
