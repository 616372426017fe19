"""Memories found by meaning: embeddings stored, and searched within one model.

A memory can be found once somebody has asked for its embedding. Providers are called between
transactions, never within one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.budget.costs import add_costs
from remit.cognition.embeddings.provider import EmbeddingProvider
from remit.cognition.embeddings.types import (
    MAX_BATCH_SIZE,
    MAX_TEXT_LENGTH,
    EmbeddingRequest,
    vector_fault,
)
from remit.db.session import snapshot, transaction
from remit.errors import InvalidInputError, NotFoundError
from remit.memory import repository
from remit.memory.nearest import nearest
from remit.memory.queries import MAX_SEMANTIC_TOP_K, check_count, check_words
from remit.memory.results import Memory, SemanticResult

MAX_MODEL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Embedded:
    """How many memories have an embedding of the model now and had none before, at which cost.

    The cost is in US dollars, None when a price is not known.
    """

    count: int
    model: str
    cost_usd: Decimal | None


def store_memory_embedding(
    engine: sa.Engine, memory_id: UUID, embedding: Sequence[float], *, model: str
) -> bool:
    """Store the embedding of one memory; return False when it has one of this model, which stays.

    The embedding is 1,536 finite numbers, not all zero; only its direction is kept. Vectors of two
    models are never compared.
    """
    vector = as_direction(embedding)
    check_model(model)
    with snapshot(engine) as connection:
        _require(memory_id, repository.contents_of(connection, [memory_id]))
    return _store(engine, model, [(memory_id, vector)]) == 1


def semantic_search(
    engine: sa.Engine, query_embedding: Sequence[float], limit: int, *, model: str
) -> list[tuple[UUID, float]]:
    """Return the memories whose embeddings of one model are nearest to a vector of the same model.

    The vector is 1,536 finite numbers, not all zero; the limit is 1 to 50. Each memory comes with
    its cosine similarity (-1 to 1), nearest first.
    """
    vector = as_direction(query_embedding)
    check_model(model)
    check_count("limit", limit, MAX_SEMANTIC_TOP_K)
    with snapshot(engine) as connection:
        return nearest(connection, model, vector, limit)


def embed_and_store(
    engine: sa.Engine, provider: EmbeddingProvider, memory_ids: Sequence[UUID]
) -> Embedded:
    """Embed memories that have no embedding of the provider's model, a hundred at a time.

    Raises:
        EmbeddingProviderError: there are no vectors; those of earlier batches are stored.
    """
    wanted = list(dict.fromkeys(memory_ids))
    with snapshot(engine) as connection:
        contents = repository.contents_of(connection, wanted)
        lacking = repository.lacking(connection, provider.model, wanted)
    for memory_id in wanted:
        _require(memory_id, contents)
    missing = [memory_id for memory_id in wanted if memory_id in lacking]
    count = 0
    costs: list[Decimal | None] = []
    for start in range(0, len(missing), MAX_BATCH_SIZE):
        batch = missing[start : start + MAX_BATCH_SIZE]
        response = provider.embed(EmbeddingRequest(tuple(contents[each] for each in batch)))
        vectors = map(as_direction, response.embeddings)
        count += _store(engine, provider.model, list(zip(batch, vectors, strict=True)))
        costs.append(response.usage.estimated_cost_usd)
    cost, unknown = add_costs(costs)
    return Embedded(count, provider.model, None if unknown else cost)


def semantic_search_text(
    engine: sa.Engine, provider: EmbeddingProvider, query: str, limit: int
) -> list[tuple[UUID, float]]:
    """Return the memories nearest in meaning to a text, as :func:`semantic_search` does."""
    vector = _asked(provider, query, limit)
    with snapshot(engine) as connection:
        return nearest(connection, provider.model, vector, limit)


def semantic_search_with_content(
    engine: sa.Engine,
    provider: EmbeddingProvider,
    query: str,
    limit: int,
    *,
    believes: Callable[[Memory], bool],
) -> list[SemanticResult]:
    """Return what the memories nearest to a text say, nearest first, each with its source.

    Those of the nearest that `believes` does not are left out.
    """
    vector = _asked(provider, query, limit)
    with snapshot(engine) as connection:
        ranked = nearest(connection, provider.model, vector, limit)
        return repository.found_memories(connection, provider.model, ranked, believes)


def as_direction(embedding: Sequence[float]) -> tuple[float, ...]:
    """Return a vector of 1,536 numbers, finite and not all zero, at length 1.

    Only the direction is compared. At length 1 every direction fits the single precision of the
    table and the half precision of its index, where numbers over 65,504 have no place and those
    under a ten-millionth become zero.
    """
    try:
        numbers = tuple(float(each) for each in embedding)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError("holds what is no number", field="embedding") from None
    fault = vector_fault(numbers)
    if fault is not None:
        raise InvalidInputError(fault, field="embedding")
    # Divided twice, since the square of a number may be too large or too small to be one.
    largest = max(map(abs, numbers))
    scaled = [number / largest for number in numbers]
    length = math.hypot(*scaled)
    return tuple(number / length for number in scaled)


def check_model(model: str) -> None:
    """Return quietly when vectors can be recorded under a model's name; else InvalidInputError."""
    check_words("model", model, MAX_MODEL_LENGTH)


def _asked(provider: EmbeddingProvider, query: str, limit: int) -> tuple[float, ...]:
    check_words("query", query, MAX_TEXT_LENGTH)
    check_count("limit", limit, MAX_SEMANTIC_TOP_K)
    return as_direction(provider.embed_single(query))


def _require(memory_id: UUID, known: dict[UUID, str]) -> None:
    if memory_id not in known:
        raise NotFoundError(f"there is no memory {memory_id}; `remit memory recent` shows them")


def _store(
    engine: sa.Engine, model: str, embeddings: Sequence[tuple[UUID, Sequence[float]]]
) -> int:
    """Store embeddings, after making sure that their model has its index; return how many."""
    with transaction(engine) as connection:
        repository.index_model(connection, model)
    with transaction(engine) as connection:
        return repository.insert_embeddings(connection, model, embeddings)
