"""Reads the answer of a messages service without trusting it; pure.

`anthropic` hands the bytes over. Only blocks of text are part of the answer: thoughts are not.
"""

from typing import Literal

from remit.cognition.bodies import Body, read_body
from remit.cognition.llm.answers import Answer, Count, Fault, ending_of, with_parts
from remit.cognition.llm.usage import TokenCounts

_WHOLE = ("end_turn", "stop_sequence", "tool_use")
"""Values of the protocol's `stop_reason`."""

_LISTED_TIERS = (None, "standard", "batch")
_LISTED_SPEEDS = (None, "standard")
_LISTED_PLACES = (None, "global", "not_available")
"""How and where a request may have run that costs what the price list says, or less."""


class _Block(Body):
    type: str
    text: str | None = None


class _OutputDetails(Body):
    thinking_tokens: Count = None


class _ServerTools(Body):
    web_search_requests: Count = None


class _Usage(Body):
    input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_read_input_tokens: Count = None
    output_tokens: Count = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None

    @property
    def is_listed(self) -> bool:
        tools = self.server_tool_use or _ServerTools()
        return (
            self.service_tier in _LISTED_TIERS
            and self.speed in _LISTED_SPEEDS
            and self.inference_geo in _LISTED_PLACES
            and not tools.web_search_requests
        )


class _Message(Body):
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
    if body.error is not None:
        return Answer(content="", ending="failed", model=body.model, counts=counts)
    if body.content is None:
        raise ValueError("the answer is a message without content")
    return Answer(
        content="".join(block.text or "" for block in body.content if block.type == "text"),
        ending=ending_of(body.stop_reason, whole=_WHOLE),
        model=body.model,
        counts=counts,
    )


def _counts(usage: _Usage) -> TokenCounts:
    """Return the counts; the vendor counts text that was or will be cached beside the rest."""
    written = usage.cache_creation_input_tokens or 0
    put_in = usage.input_tokens
    if put_in is not None:
        put_in += written + (usage.cache_read_input_tokens or 0)
    details = usage.output_tokens_details or _OutputDetails()
    return TokenCounts(
        put_in,
        with_parts(usage.output_tokens, details.thinking_tokens),
        cache_written=written,
        is_listed=usage.is_listed,
    )
