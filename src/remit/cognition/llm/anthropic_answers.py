"""Reads the answer of a messages service without trusting it; pure.

`anthropic` hands the bytes over. Only blocks of text are part of the answer: thoughts are not.
"""

from collections.abc import Mapping

from remit.cognition.bodies import Body, read_body
from remit.cognition.llm.answers import Answer, Count, Ending
from remit.cognition.llm.usage import TokenCounts

_ENDINGS: Mapping[str, Ending] = {
    "max_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "pause_turn": "cut",
    "refusal": "refused",
}
"""By the protocol's `stop_reason`; any other is a whole answer."""


class _Block(Body):
    type: str
    text: str | None = None


class _Usage(Body):
    input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_read_input_tokens: Count = None
    output_tokens: Count = None


class _Message(Body):
    model: str | None = None
    content: list[_Block]
    stop_reason: str | None = None
    usage: _Usage | None = None


def read_answer(content: bytes) -> Answer:
    """Return what a body holds.

    Raises:
        ValueError: it is no answer; the message quotes nothing of it.
    """
    body = read_body(_Message, content, what="a message")
    texts = (block.text or "" for block in body.content if block.type == "text")
    return Answer(
        content="".join(texts),
        ending=_ENDINGS.get(body.stop_reason or "", "whole"),
        model=body.model,
        counts=_counts(body.usage or _Usage()),
    )


def _counts(usage: _Usage) -> TokenCounts:
    """Return the counts; the vendor counts text that was or will be cached beside the rest."""
    if usage.input_tokens is None:
        return TokenCounts(None, usage.output_tokens)
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return TokenCounts(usage.input_tokens + cached, usage.output_tokens)
