"""What is asked of an embedding model, what it answers, and the bounds of both. No I/O here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from remit.base.json_types import text_problem
from remit.cognition.failures import Failure
from remit.errors import InvalidInputError
from remit.vocabulary import EmbeddingErrorType

EMBEDDING_DIMENSIONS = 1536
"""Length of every vector, as the database stores them."""

MAX_BATCH_SIZE = 100
"""Most texts in one request."""

MAX_TEXT_LENGTH = 8192
"""Longest text, in characters."""


EmbeddingError = Failure[EmbeddingErrorType]
"""Why a provider failed."""


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """1 to 100 texts of 1 to 8,192 characters each.

    Raises:
        InvalidInputError: a bound is passed, or a text holds what no database can store; `field`
            names the text.
    """

    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        """Hold the bounds."""
        if not 1 <= len(self.texts) <= MAX_BATCH_SIZE:
            raise InvalidInputError(
                f"{len(self.texts)} texts at once: give between 1 and {MAX_BATCH_SIZE}",
                field="texts",
            )
        for place, text in enumerate(self.texts):
            if (fault := _text_fault(text)) is not None:
                raise InvalidInputError(fault, field=f"texts[{place}]")


@dataclass(frozen=True, slots=True)
class EmbeddingUsage:
    """What a request used up; None where the provider did not count or the price is not known.

    `latency_ms` are milliseconds until the answer was there, repeated attempts not counted.
    """

    total_tokens: int | None
    estimated_cost_usd: Decimal | None
    latency_ms: float


@dataclass(frozen=True, slots=True)
class EmbeddingResponse:
    """The vectors of a request, in the order of its texts; :func:`respond` makes it.

    Attributes:
        embeddings: one vector of 1,536 finite numbers, not all zero, for each text.
        model: :attr:`EmbeddingProvider.model`; vectors of two models must never be compared.

    Raises:
        ValueError: a vector is not one.
    """

    embeddings: tuple[tuple[float, ...], ...]
    model: str
    usage: EmbeddingUsage

    def __post_init__(self) -> None:
        """Let no vector pass that could not be compared."""
        for place, vector in enumerate(self.embeddings):
            if (fault := vector_fault(vector)) is not None:
                raise ValueError(f"vector {place} {fault}")


def respond(
    request: EmbeddingRequest,
    embeddings: tuple[tuple[float, ...], ...],
    *,
    model: str,
    usage: EmbeddingUsage,
) -> EmbeddingResponse:
    """Return the response to a request.

    Raises:
        ValueError: there is not one vector for each text, or a vector is not one.
    """
    if len(embeddings) != len(request.texts):
        raise ValueError(f"{len(embeddings)} vectors for {len(request.texts)} texts")
    return EmbeddingResponse(embeddings, model, usage)


def vector_fault(vector: Sequence[float]) -> str | None:
    """Return what is wrong with a vector, to follow its name in a message; None for nothing."""
    if len(vector) != EMBEDDING_DIMENSIONS:
        return f"has {len(vector)} numbers instead of {EMBEDDING_DIMENSIONS}"
    if not all(map(math.isfinite, vector)):
        return "holds a number that is not finite"
    if not any(vector):
        return "is zero in every place, so it has no direction to compare"
    return None


def _text_fault(text: object) -> str | None:
    if not isinstance(text, str):
        return "must be text"
    if not 1 <= len(text) <= MAX_TEXT_LENGTH:
        return f"{len(text)} characters: give between 1 and {MAX_TEXT_LENGTH}"
    return text_problem(text)
