"""Reads the answer of a chat completions service without trusting it; pure.

`openai` hands the bytes over. Services that only resemble OpenAI's leave out what they please, so
nothing is required but one choice with a message, or an error in its place.
"""

from typing import Literal

from remit.cognition.bodies import Body, read_body
from remit.cognition.llm.answers import Answer, Count, Counted, Ending, Fault, ending_of, with_parts
from remit.cognition.llm.usage import TokenCounts

_WHOLE = ("stop", "tool_calls", "function_call", "eos", "eos_token")
"""Values of `finish_reason`: the protocol's, and what Together and older servers say for `stop`."""

_LISTED_TIERS = (None, "default", "standard", "flex", "batch")
"""Values of `service_tier` that cost what the price list says, or less."""


class _Message(Body):
    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None


class _Choice(Body):
    message: _Message
    finish_reason: str | None = None
    error: Fault | None = None

    @property
    def ending(self) -> Ending:
        if self.error is not None:
            return "failed"
        if self.message.refusal:
            return "refused"
        # Old servers do not say how it ended. Whoever asked gets the text, and is told that it may
        # break off.
        if self.finish_reason is None and self.message.content:
            return "cut"
        return ending_of(self.finish_reason, whole=_WHOLE)


class _InputDetails(Counted):
    audio_tokens: Count = None
    cached_tokens: Count = None
    cache_write_tokens: Count = None


class _OutputDetails(Counted):
    audio_tokens: Count = None
    reasoning_tokens: Count = None
    rejected_prediction_tokens: Count = None


class _Usage(Counted):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _Completion(Body):
    object: Literal["chat.completion"] | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    service_tier: str | None = None
    error: Fault | None = None


def read_answer(content: bytes) -> Answer:
    """Return what a body holds.

    Raises:
        ValueError: it is no answer; the message quotes nothing of it.
    """
    body = read_body(_Completion, content, what="a chat completion")
    counts = _counts(body)
    if body.error is not None:
        return Answer(content="", ending="failed", model=body.model, counts=counts)
    choices = body.choices or []
    if len(choices) != 1:
        raise ValueError(f"the answer holds {len(choices)} choices in place of one")
    [choice] = choices
    return Answer(choice.message.content or "", choice.ending, body.model, counts)


def _counts(body: _Completion) -> TokenCounts:
    usage = body.usage or _Usage()
    put_in = usage.prompt_tokens_details or _InputDetails()
    given_out = usage.completion_tokens_details or _OutputDetails()
    written = put_in.cache_write_tokens
    asked = with_parts(usage.prompt_tokens, put_in.cached_tokens, written)
    answered = with_parts(
        usage.completion_tokens,
        given_out.reasoning_tokens,
        given_out.rejected_prediction_tokens,
    )
    return TokenCounts(
        asked,
        answered,
        usage.total_tokens,
        cache_written=written or 0,
        is_listed=body.service_tier in _LISTED_TIERS
        # The price list is that of text.
        and not (put_in.audio_tokens or given_out.audio_tokens)
        and put_in.is_within(asked)
        and given_out.is_within(answered)
        and usage.is_within(max((asked or 0) + (answered or 0), usage.total_tokens or 0)),
    )
