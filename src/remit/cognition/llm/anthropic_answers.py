"""Reads the answer of a messages service without trusting it; pure.

`anthropic` hands the bytes over. Only blocks of text are part of the answer: thoughts are not.
"""

from typing import Literal

from remit.cognition.bodies import Body, read_body
from remit.cognition.llm.answers import Answer, Count, Counted, Fault, ending_of, with_parts
from remit.cognition.llm.usage import TokenCounts

_WHOLE = ("end_turn", "stop_sequence", "tool_use")
"""Values of the protocol's `stop_reason`."""

_PLAIN_BLOCKS = ("thinking", "redacted_thinking", "tool_use")
"""Values of a block's `type` beside which the text is all that was said."""

_LISTED_TIERS = (None, "standard", "batch")
_LISTED_SPEEDS = (None, "standard")
_LISTED_PLACES = (None, "global", "not_available")
"""How and where a request may have run that costs what the price list says, or less."""


class _Block(Body):
    type: str
    text: str | None = None

    @property
    def is_known(self) -> bool:
        return self.type in _PLAIN_BLOCKS or (self.type == "text" and self.text is not None)


class _OutputDetails(Counted):
    thinking_tokens: Count = None


class _Counts(Counted):
    input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_creation: dict[str, Count] | None = None
    cache_read_input_tokens: Count = None
    output_tokens: Count = None

    @property
    def written(self) -> int:
        """Tokens written to a cache, told as one number, by how long they stay, or as both."""
        parts = (self.cache_creation or {}).values()
        return max(self.cache_creation_input_tokens or 0, sum(part or 0 for part in parts))

    @property
    def put_in(self) -> int:
        """Tokens put in: the vendor counts text that was or will be cached beside the rest."""
        return (self.input_tokens or 0) + self.written + (self.cache_read_input_tokens or 0)


class _Usage(_Counts):
    output_tokens_details: _OutputDetails | None = None
    iterations: list[_Counts] | None = None
    server_tool_use: Counted | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None

    @property
    def is_listed(self) -> bool:
        return (
            self.service_tier in _LISTED_TIERS
            and self.speed in _LISTED_SPEEDS
            and self.inference_geo in _LISTED_PLACES
            and (self.server_tool_use or Counted()).is_within(0)
        )


class _Message(Body):
    type: Literal["message", "error"] | None = None
    model: str | None = None
    role: Literal["assistant"] | None = None
    content: list[_Block] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    error: Fault | None = None


def read_answer(content: bytes) -> Answer:
    """Return what a body holds.

    Raises:
        ValueError: it is no answer; the message quotes nothing of it.
    """
    body = read_body(_Message, content, what="a message")
    counts = _counts(body.usage or _Usage())
    if body.error is not None or body.type == "error":
        return Answer(content="", ending="failed", model=body.model, counts=counts)
    if body.content is None:
        raise ValueError("the answer is a message without content")
    ending = ending_of(body.stop_reason, whole=_WHOLE)
    if ending == "whole" and not all(block.is_known for block in body.content):
        ending = "unknown"
    return Answer(
        content="".join(block.text or "" for block in body.content if block.type == "text"),
        ending=ending,
        model=body.model,
        counts=counts,
    )


def _counts(usage: _Usage) -> TokenCounts:
    details = usage.output_tokens_details or _OutputDetails()
    answered = with_parts(usage.output_tokens, details.thinking_tokens)
    together = usage.put_in + (answered or 0)
    # Some steps of an answer are billed beside the counts of the last one.
    steps = sum(each.put_in + (each.output_tokens or 0) for each in usage.iterations or ())
    return TokenCounts(
        None if usage.input_tokens is None else usage.put_in,
        answered,
        cache_written=usage.written,
        is_listed=usage.is_listed
        and details.is_within(answered)
        and usage.is_within(together)
        and steps <= together,
    )
