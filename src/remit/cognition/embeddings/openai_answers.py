"""Reads the answer of an embedding service without trusting it; pure.

`openai` hands the bytes over. Numbers come as text or, as asked for, as base64 of little-endian
32-bit floats; services that only resemble OpenAI's send the former.
"""

import base64
import struct
from dataclasses import dataclass

from pydantic import Field

from remit.cognition.bodies import Body, read_body
from remit.cognition.embeddings.types import EMBEDDING_DIMENSIONS

_PACKED = struct.Struct(f"<{EMBEDDING_DIMENSIONS}f")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered.

    Attributes:
        vectors: one for each text, in the order of the texts.
        total_tokens: how many the service counted; None when it did not say.
    """

    vectors: tuple[tuple[float, ...], ...]
    total_tokens: int | None


class _Vector(Body):
    index: int
    embedding: str | list[float]


class _Usage(Body):
    total_tokens: int | None = Field(default=None, ge=0)


class _Vectors(Body):
    data: list[_Vector]
    usage: _Usage | None = None


def read_answer(content: bytes, *, asked: int) -> Answer:
    """Return what a body holds.

    Args:
        content: the body of the answer.
        asked: how many texts were sent.

    Raises:
        ValueError: it is no answer to them; the message quotes nothing of it.
    """
    body = read_body(_Vectors, content, what="a list of vectors")
    by_index = {vector.index: vector for vector in body.data}
    if len(body.data) != asked or set(by_index) != set(range(asked)):
        raise ValueError(f"the answer does not hold one vector for each of {asked} texts")
    return Answer(
        # A service may answer in another order; the index says which text a vector is of.
        vectors=tuple(_numbers(by_index[place].embedding) for place in range(asked)),
        # Every text takes tokens: a count of none was never made.
        total_tokens=(body.usage.total_tokens or None) if body.usage else None,
    )


def _numbers(embedding: str | list[float]) -> tuple[float, ...]:
    """Return the numbers of a vector; `types` judges them.

    Raises:
        ValueError: it is base64 of something else.
    """
    if not isinstance(embedding, str):
        return tuple(embedding)
    try:
        packed = base64.b64decode(embedding, validate=True)
    except ValueError:
        packed = b""
    if len(packed) != _PACKED.size:
        raise ValueError(f"a vector is not {EMBEDDING_DIMENSIONS} numbers in base64")
    return _PACKED.unpack(packed)
