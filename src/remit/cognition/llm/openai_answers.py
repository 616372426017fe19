"""Reads the answer of a chat completions service without trusting it; pure.

`openai` hands the bytes over. Services that only resemble OpenAI's leave out what they please, so
nothing is required but a choice with a message.
"""

from collections.abc import Mapping

from pydantic import Field

from remit.cognition.bodies import Body, read_body
from remit.cognition.llm.answers import Answer, Count, Ending
from remit.cognition.llm.usage import TokenCounts

_ENDINGS: Mapping[str, Ending] = {"length": "cut", "content_filter": "refused"}
"""By the protocol's `finish_reason`; any other is a whole answer."""


class _Message(Body):
    content: str | None = None
    refusal: str | None = None


class _Choice(Body):
    message: _Message
    finish_reason: str | None = None


class _Usage(Body):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None


class _Completion(Body):
    model: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_answer(content: bytes) -> Answer:
    """Return what a body holds.

    Raises:
        ValueError: it is no answer; the message quotes nothing of it.
    """
    body = read_body(_Completion, content, what="a chat completion")
    choice, usage = body.choices[0], body.usage or _Usage()
    ending = _ENDINGS.get(choice.finish_reason or "", "whole")
    return Answer(
        content=choice.message.content or "",
        ending="refused" if choice.message.refusal else ending,
        model=body.model,
        counts=TokenCounts(usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
    )
