"""Reads the answer of a chat completions service without trusting it; pure.

`openai` hands the bytes over. Services that only resemble OpenAI's leave out what they please, so
nothing is required but a choice with a message.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from remit.cognition.llm.answers import MAX_COUNT, Answer, Ending
from remit.cognition.llm.usage import TokenCounts

_ENDINGS: Mapping[str, Ending] = {"length": "cut", "content_filter": "refused"}
"""By the protocol's `finish_reason`; any other is a whole answer."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True)

    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(strict=True)

    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    model_config = ConfigDict(strict=True)

    prompt_tokens: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    completion_tokens: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    total_tokens: int | None = Field(default=None, ge=0, le=MAX_COUNT)


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)

    model: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_answer(content: bytes) -> Answer:
    """Return what a body holds.

    Raises:
        ValueError: it is no answer; the message quotes nothing of it.
    """
    try:
        body = _Body.model_validate_json(content)
    except ValidationError:
        body = None
    if body is None:
        raise ValueError("the answer is not a chat completion in JSON")
    choice, usage = body.choices[0], body.usage or _Usage()
    ending = _ENDINGS.get(choice.finish_reason or "", "whole")
    return Answer(
        content=choice.message.content or "",
        ending="refused" if choice.message.refusal else ending,
        model=body.model,
        counts=TokenCounts(usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
    )
