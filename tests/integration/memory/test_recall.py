"""The index finds what an exact scan finds, of real texts and of hard clusters alike.

Here it grows as it does in production, row by row; `make bench` measures greater numbers.
"""

import time
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from bench.figures import recall
from bench.recall import apart, embedded
from bench.recall_clusters import Vectors, hard_clusters
from bench.recall_rows import NEAREST, exact
from bench.recall_texts import real_texts
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.memory import repository
from remit.memory.vector import as_direction, semantic_search
from tests.integration.memory.conftest import remembered

pytestmark = pytest.mark.untraced

ROWS, QUESTIONS, BATCH = 2_000, 50, 100


def of_real_texts() -> tuple[Vectors, Vectors]:
    """Return vectors of texts, and of others to ask with."""
    return apart(embedded(real_texts(ROWS + QUESTIONS)), QUESTIONS)


def of_hard_clusters() -> tuple[Vectors, Vectors]:
    """Return vectors in tight clusters, one after the other, and questions in and between them."""
    return hard_clusters(ROWS, QUESTIONS)


def grow(engine: sa.Engine, model: str, memories: list[UUID], vectors: Vectors) -> None:
    """Store vectors as they are stored in production: the index is there first."""
    with transaction(engine) as connection:
        repository.index_model(connection, model)
    rows = [(each, as_direction(row)) for each, row in zip(memories, vectors.tolist(), strict=True)]
    for start in range(0, len(rows), BATCH):
        with transaction(engine) as connection:
            repository.insert_embeddings(connection, model, rows[start : start + BATCH])


def forced_to_the_index(engine: sa.Engine) -> sa.Engine:
    """Return an engine whose searches use the index; so few rows would be scanned otherwise."""
    options = "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off"
    url = engine.url.update_query_dict({"options": options})
    return create_database_engine(url.render_as_string(hide_password=False))


def searches_of_the_index(engine: sa.Engine, expected: int) -> int:
    """Return how often the model's index was searched, as soon as that is as often as expected."""
    counted = sa.text(
        "SELECT idx_scan FROM pg_stat_user_indexes "
        "WHERE indexrelname LIKE 'ix_memory_embeddings_of_%'"
    )
    deadline = time.monotonic() + 10
    while True:  # a session tells what it did now and then, and when it ends
        with engine.connect() as connection:
            found = int(connection.execute(counted).scalar_one())
        if found >= expected or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", [of_real_texts, of_hard_clusters])
def test_a_search_through_the_index_finds_ninety_nine_of_a_hundred_that_are_nearest(
    empty_engine: sa.Engine,
    make: Callable[[], tuple[Vectors, Vectors]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, questions = make()
    memories = remembered(empty_engine, *(f"memory {number}" for number in range(ROWS)))
    grow(empty_engine, "measured", list(memories.values()), vectors)
    nearest = {tuple(each): exact(empty_engine, "measured", each) for each in questions.tolist()}
    forced = forced_to_the_index(empty_engine)

    def share(question: list[float]) -> float:
        found = semantic_search(forced, question, NEAREST, model="measured")
        truth = nearest[tuple(question)]
        return recall([near for _, near in found], [near for _, near in truth])

    try:
        together = sum(map(share, questions.tolist()))
        # So few vectors are half found by the scan: the index must do without it.
        monkeypatch.setattr("remit.memory.nearest.COARSE_CANDIDATES", 0)
        alone = sum(map(share, questions.tolist()))
    finally:
        forced.dispose()
    probes = 2 * 2 * QUESTIONS
    assert searches_of_the_index(empty_engine, probes) == probes
    assert min(together, alone) / QUESTIONS >= 0.99
