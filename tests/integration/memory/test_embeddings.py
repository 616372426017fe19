"""Embeddings in the database: stored once, searched within one model, and never without sense."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from remit.cognition.embeddings.provider import EmbeddingProviderError, NoOpEmbeddingProvider, final
from remit.cognition.embeddings.types import EmbeddingRequest, EmbeddingResponse
from remit.db.session import snapshot
from remit.errors import NotFoundError
from remit.memory import repository
from remit.memory.vector import (
    embed_and_store,
    semantic_search,
    store_memory_embedding,
)
from tests.integration.memory.conftest import WordEmbedder, indexes, remembered, rows, vector

NOBODY = UUID(int=404)


def written(numbers: Sequence[Any]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def test_an_embedding_is_stored_and_found(empty_engine: sa.Engine) -> None:
    [memory] = remembered(empty_engine, "words").values()
    assert store_memory_embedding(empty_engine, memory, vector(3, 4), model="m")
    [(found, similarity)] = semantic_search(empty_engine, vector(4, 3), 1, model="m")
    assert found == memory
    assert similarity == pytest.approx(24 / 25, abs=1e-6)
    [(_, opposite)] = semantic_search(empty_engine, vector(-3, -4), 1, model="m")
    assert opposite == pytest.approx(-1, abs=1e-6)
    assert opposite >= -1


def test_a_memory_keeps_its_first_embedding_of_a_model(empty_engine: sa.Engine) -> None:
    [memory] = remembered(empty_engine, "words").values()
    assert store_memory_embedding(empty_engine, memory, vector(1, 0), model="m")
    assert not store_memory_embedding(empty_engine, memory, vector(0, 1), model="m")
    [(_, similarity)] = semantic_search(empty_engine, vector(1, 0), 1, model="m")
    assert similarity == pytest.approx(1, abs=1e-6)


def test_a_memory_that_does_not_exist_has_no_embedding(empty_engine: sa.Engine) -> None:
    message = f"there is no memory {NOBODY}; `remit memory recent` shows them"
    with pytest.raises(NotFoundError, match=message):
        store_memory_embedding(empty_engine, NOBODY, vector(1), model="m")
    embedder = WordEmbedder()
    [known] = remembered(empty_engine, "words").values()
    with pytest.raises(NotFoundError, match=message):
        embed_and_store(empty_engine, embedder, [known, NOBODY])
    assert embedder.asked == []
    assert rows(empty_engine) == set()
    assert indexes(empty_engine) == []


def test_memories_are_embedded_in_batches_and_only_once(empty_engine: sa.Engine) -> None:
    memories = remembered(empty_engine, *(f"words {n}" for n in range(100)))
    memories |= remembered(empty_engine, *(f"words {n}" for n in range(100, 150)))
    ids = list(memories.values())
    embedder = WordEmbedder()
    first = embed_and_store(empty_engine, embedder, [*ids[:30], *ids[:30]])
    assert (first.count, first.model, first.cost_usd) == (30, "words", Decimal("0.25"))
    rest = embed_and_store(empty_engine, embedder, ids)
    assert (rest.count, rest.cost_usd) == (120, Decimal("0.50"))
    again = embed_and_store(empty_engine, embedder, ids)
    assert (again.count, again.cost_usd) == (0, Decimal(0))
    assert sorted(embedder.asked) == sorted(memories)
    assert embed_and_store(empty_engine, embedder, []).count == 0


def test_what_it_cost_is_not_known_when_one_price_is_not(empty_engine: sa.Engine) -> None:
    ids = list(remembered(empty_engine, "words").values())
    assert embed_and_store(empty_engine, WordEmbedder(cost=None), ids).cost_usd is None


def test_what_it_cost_is_not_known_when_the_first_of_two_batches_has_no_price(
    empty_engine: sa.Engine,
) -> None:
    ids = list(remembered(empty_engine, *(f"words {n}" for n in range(100))).values())
    ids += remembered(empty_engine, *(f"words {n}" for n in range(100, 120))).values()

    class PricedLater(WordEmbedder):
        def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
            self.cost = Decimal("0.25") if self.asked else None
            return super().embed(request)

    assert embed_and_store(empty_engine, PricedLater(), ids).cost_usd is None


class Failing(WordEmbedder):
    """Fails at its second request."""

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        if self.asked:
            raise final("provider_error", "it went away")
        return super().embed(request)


def test_what_was_embedded_before_a_failure_stays_and_the_rest_follows(
    empty_engine: sa.Engine,
) -> None:
    ids = list(remembered(empty_engine, *(f"words {n}" for n in range(100))).values())
    ids += remembered(empty_engine, *(f"words {n}" for n in range(100, 120))).values()
    with pytest.raises(EmbeddingProviderError, match="it went away"):
        embed_and_store(empty_engine, Failing(), ids)
    with snapshot(empty_engine) as connection:
        left = repository.unembedded(connection, "words", 1000)
        assert repository.unembedded(connection, "words", 3) == left[:3]
        assert len(repository.unembedded(connection, "other", 1000)) == 120
    assert set(left) == set(ids[100:])
    assert embed_and_store(empty_engine, WordEmbedder(), left).count == 20


def test_a_provider_that_is_switched_off_leaves_nothing_behind(empty_engine: sa.Engine) -> None:
    ids = list(remembered(empty_engine, "words").values())
    with pytest.raises(EmbeddingProviderError):
        embed_and_store(empty_engine, NoOpEmbeddingProvider(), ids)
    assert rows(empty_engine) == set()
    assert indexes(empty_engine) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (written(vector(math.nan)), "NaN not allowed in vector"),
        (written(vector(math.inf)), "infinite value not allowed in vector"),
        (written([1.0] * 1535), "expected 1536 dimensions, not 1535"),
        (written([1.0] * 1537), "expected 1536 dimensions, not 1537"),
        (written(vector()), "ck_memory_embeddings_embedding_has_direction"),
        (written(vector(1e300)), "out of range for type vector"),
        (None, "null value in column"),
    ],
)
def test_the_database_refuses_what_is_no_embedding_too(
    engine: sa.Engine, text: str | None, problem: str
) -> None:
    [memory] = remembered(engine, f"words for {problem}").values()
    statement = sa.text(
        "INSERT INTO memory_embeddings (memory_id, model, embedding)"
        " VALUES (:memory, 'm', CAST(:text AS vector))"
    )
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.execute(statement, {"memory": memory, "text": text})
    # The error's own text quotes no value, and so not this either.
    refusal = caught.value.orig
    assert isinstance(refusal, psycopg.Error)
    assert problem in str(refusal.diag.message_primary)
