"""A search looks at one model, through its index, and tells the same each time."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa

from remit.db.session import transaction
from remit.memory import repository
from remit.memory.nearest import nearest
from remit.memory.vector import (
    as_direction,
    embed_and_store,
    semantic_search,
    semantic_search_text,
    semantic_search_with_content,
    store_memory_embedding,
)
from tests.integration.memory.conftest import WordEmbedder, indexes, remembered, rows, vector
from tests.support.races import at_once
from tests.support.servers import as_login, execute


def test_two_models_are_never_mixed(empty_engine: sa.Engine) -> None:
    both = remembered(empty_engine, "the backup", "the deploy")
    one, other = WordEmbedder("one"), WordEmbedder("other")
    embed_and_store(empty_engine, one, list(both.values()))
    embed_and_store(empty_engine, other, [both["the deploy"]])
    found = semantic_search_with_content(
        empty_engine, other, "the backup", 50, believes=lambda _: True
    )
    assert [(each.content, each.model) for each in found] == [("the deploy", "other")]
    found = semantic_search_with_content(
        empty_engine, one, "the backup", 50, believes=lambda _: True
    )
    assert [(each.content, each.model) for each in found] == [
        ("the backup", "one"),
        ("the deploy", "one"),
    ]
    assert semantic_search_text(empty_engine, WordEmbedder("third"), "the backup", 50) == []
    # The very same vector under another name is not found either.
    asked = one.embed_single("the backup")
    assert semantic_search(empty_engine, asked, 1, model="one")[0][1] == pytest.approx(1, abs=1e-6)
    assert semantic_search(empty_engine, asked, 50, model="third") == []


def test_each_model_has_an_index_of_its_own(empty_engine: sa.Engine) -> None:
    [memory] = remembered(empty_engine, "words").values()
    for model in ("m", "it's", "m", '"; DROP TABLE memories; --'):
        store_memory_embedding(empty_engine, memory, vector(1), model=model)
    found = indexes(empty_engine)
    assert len(found) == 3
    assert any("(model = 'm'::text)" in text for text in found)
    assert any("(model = 'it''s'::text)" in text for text in found)
    assert semantic_search(empty_engine, vector(1), 5, model="it's") == [(memory, 1.0)]


def test_many_who_store_the_first_embedding_of_a_model_make_one_index(
    empty_engine: sa.Engine,
) -> None:
    memories = list(remembered(empty_engine, *(f"words {n}" for n in range(8))).values())
    stored = at_once(
        lambda n: store_memory_embedding(empty_engine, memories[n], vector(1, n), model="m"), 8
    )
    assert stored == [True] * 8
    assert len(indexes(empty_engine)) == 1
    assert rows(empty_engine) == {(memory, "m") for memory in memories}


def test_whoever_waits_for_the_index_of_a_model_finds_it_made(empty_engine: sa.Engine) -> None:
    def make() -> None:
        with transaction(empty_engine) as connection:
            repository.index_model(connection, "m")

    waits = sa.text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with ThreadPoolExecutor(1) as threads:
        with transaction(empty_engine) as connection:
            repository.index_model(connection, "m")
            waiting = threads.submit(make)
            while not connection.execute(waits).scalar_one():
                time.sleep(0.01)
        waiting.result()
    assert len(indexes(empty_engine)) == 1


@pytest.mark.parametrize(
    "numbers",
    [
        vector(1e38, 1e-38),
        vector(1e300),
        vector(5e-324),
        vector(70_000.0, 1.0),
        [1.0] * 1536,
        np.full(1536, 1e-7, dtype=np.float32),
    ],
    ids=["float4", "over float4", "under float4", "over half", "ones", "numpy"],
)
def test_every_direction_can_be_stored_and_found_through_the_index(
    empty_engine: sa.Engine, numbers: Any
) -> None:
    [memory] = remembered(empty_engine, "words").values()
    assert store_memory_embedding(empty_engine, memory, numbers, model="m")
    with empty_engine.begin() as connection:
        found = nearest(connection, "m", as_direction(numbers), 1)
    assert [each for each, _ in found] == [memory]
    assert found[0][1] == pytest.approx(1, abs=1e-6)


def test_equals_are_told_in_the_order_of_their_ids(empty_engine: sa.Engine) -> None:
    ids = list(remembered(empty_engine, *(f"words {n}" for n in range(12))).values())
    random.Random(5).shuffle(ids)
    for memory in ids:
        store_memory_embedding(empty_engine, memory, vector(1, 1), model="m")
    found = semantic_search(empty_engine, vector(1), 5, model="m")
    assert [memory for memory, _ in found] == sorted(ids)[:5]
    assert all(semantic_search(empty_engine, vector(1), 5, model="m") == found for _ in range(5))


def test_a_search_leaves_no_setting_behind(empty_engine: sa.Engine) -> None:
    [memory] = remembered(empty_engine, "words").values()
    store_memory_embedding(empty_engine, memory, vector(1), model="m")
    with empty_engine.connect() as connection:
        show = sa.text("SELECT current_setting('plan_cache_mode')")
        before = connection.execute(show).scalar_one()
        connection.rollback()
        with connection.begin():
            nearest(connection, "m", as_direction(vector(1)), 1)
        assert connection.execute(show).scalar_one() == before


def made_up(engine: sa.Engine, model: str, count: int) -> tuple[list[UUID], Any]:
    """Store random directions, a hundred at a time; return their memories and the directions."""
    made = np.random.default_rng(5).normal(size=(count, 1536))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    with transaction(engine) as connection:
        repository.index_model(connection, model)
    ids: list[UUID] = []
    for start in range(0, count, 100):
        batch = remembered(engine, *(f"words {n}" for n in range(start, start + 100))).values()
        pairs = list(zip(batch, made[start : start + 100].tolist(), strict=True))
        with transaction(engine) as connection:
            assert repository.insert_embeddings(connection, model, pairs) == 100
        ids += batch
    return ids, made


def test_the_nearest_are_the_nearest(empty_engine: sa.Engine) -> None:
    ids, made = made_up(empty_engine, "m", 300)
    for place in range(0, 300, 30):
        cosines = made @ made[place]
        found = semantic_search(empty_engine, made[place], 10, model="m")
        assert [memory for memory, _ in found] == [ids[n] for n in np.argsort(-cosines)[:10]]
        assert [score for _, score in found] == pytest.approx(np.sort(cosines)[::-1][:10], abs=1e-5)


@pytest.mark.parametrize(("coarse", "least", "most"), [(1000, 1.0, 1.0), (0, 0.1, 0.2)])
def test_what_the_index_does_not_lead_to_is_found_by_the_coarse_embeddings(
    empty_engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    coarse: int,
    least: float,
    most: float,
) -> None:
    ids, made = made_up(empty_engine, "m", 300)
    # As good as a graph most of which is out of reach: each of its probes proposes a single one.
    monkeypatch.setattr("remit.memory.nearest.EF_SEARCH", 1)
    monkeypatch.setattr("remit.memory.nearest.COARSE_CANDIDATES", coarse)
    truth = {ids[n] for n in np.argsort(-(made @ made[0]))[:10]}
    with empty_engine.begin() as connection:
        answer = {memory for memory, _ in nearest(connection, "m", made[0], 10)}
    assert least <= len(answer & truth) / 10 <= most


def test_the_coarse_embeddings_of_other_models_are_not_looked_at(empty_engine: sa.Engine) -> None:
    [memory] = remembered(empty_engine, "words").values()
    store_memory_embedding(empty_engine, memory, vector(1), model="m")
    store_memory_embedding(empty_engine, memory, vector(0, 1), model="other")
    for model, score in (("m", 1.0), ("other", 0.0)):
        [(_, similarity)] = semantic_search(empty_engine, vector(1), 5, model=model)
        assert similarity == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("analyzed", ["", "ANALYZE"])
def test_the_index_of_the_model_serves_the_search(
    empty_engine: sa.Engine, own_database_url: str, analyzed: str
) -> None:
    ids, made = made_up(empty_engine, "m", 300)
    # Autovacuum may have looked at the table by now, and to sort three hundred rows is cheap.
    execute(as_login(own_database_url, "remit_owner"), *filter(None, [analyzed]))
    used = sa.text(
        "SELECT coalesce(sum(pg_stat_get_xact_numscans(indexrelid)), 0) FROM pg_index"
        " WHERE indrelid = 'memory_embeddings'::regclass AND indpred IS NOT NULL"
    )
    with empty_engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        connection.execute(sa.text("SET LOCAL enable_sort = off"))
        before = connection.execute(used).scalar_one()
        found = [nearest(connection, "m", made[n], 10)[0][0] for n in range(0, 300, 30)]
        # Each search probes it twice.
        assert connection.execute(used).scalar_one() - before == 20
    assert found == [ids[n] for n in range(0, 300, 30)]
