"""What can be an embedding, and what becomes of it before it is stored."""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from remit.db.evidence_tables import EMBEDDING_DIMENSIONS
from remit.errors import InvalidInputError
from remit.memory.nearest import written
from remit.memory.vector import (
    as_direction,
    check_model,
    semantic_search,
    semantic_search_text,
    store_memory_embedding,
)


@pytest.fixture
def nowhere() -> sa.Engine:
    """Return a database that must not be asked."""
    return sa.create_engine("postgresql+psycopg://127.0.0.1:1/none")


def vector(*first: float) -> list[float]:
    """Return a vector that begins so and is zero otherwise."""
    return [*first, *[0.0] * (EMBEDDING_DIMENSIONS - len(first))]


@pytest.mark.parametrize(
    ("embedding", "fault"),
    [
        (vector(math.nan), "holds a number that is not finite"),
        (vector(0.5, math.inf), "holds a number that is not finite"),
        (vector(-math.inf, 1.0), "holds a number that is not finite"),
        (vector(), "is zero in every place, so it has no direction to compare"),
        (vector(-0.0), "is zero in every place, so it has no direction to compare"),
        ([1.0] * 1535, "has 1535 numbers instead of 1536"),
        ([1.0] * 1537, "has 1537 numbers instead of 1536"),
        ([], "has 0 numbers instead of 1536"),
        (["x"] * 1536, "holds what is no number"),
        ([None] * 1536, "holds what is no number"),
        (None, "holds what is no number"),
        ([10**400] * 1536, "holds what is no number"),
        (np.full(1536, np.nan, dtype=np.float32), "holds a number that is not finite"),
    ],
)
def test_what_is_no_embedding_is_refused_before_the_database_is_asked(
    nowhere: sa.Engine, embedding: Any, fault: str
) -> None:
    calls = (
        lambda: as_direction(embedding),
        lambda: store_memory_embedding(nowhere, UUID(int=1), embedding, model="m"),
        lambda: semantic_search(nowhere, embedding, 1, model="m"),
    )
    for call in calls:
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert str(caught.value) == f"embedding: {fault}"


@pytest.mark.parametrize(
    ("embedding", "first"),
    [
        (vector(3, 4), (0.6, 0.8)),
        (vector(1e300, 0), (1.0, 0.0)),
        (vector(5e-324, 0), (1.0, 0.0)),
        (vector(1e308, 1e308), (math.sqrt(0.5), math.sqrt(0.5))),
        (vector(1e-200, -1e-200), (math.sqrt(0.5), -math.sqrt(0.5))),
        (np.asarray(vector(3, 4), dtype=np.float32), (0.6, 0.8)),
        (np.asarray(vector(3, 4), dtype=np.float64), (0.6, 0.8)),
        (np.asarray(vector(3, 4), dtype=np.float16), (0.6, 0.8)),
        (np.asarray(vector(3, 4), dtype=np.int64), (0.6, 0.8)),
    ],
)
def test_a_vector_keeps_its_direction_and_gets_length_one(
    embedding: Any, first: tuple[float, ...]
) -> None:
    direction = as_direction(embedding)
    assert direction[:2] == pytest.approx(first)
    assert all(type(number) is float for number in direction)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_finite_vector_with_a_direction_is_taken(first: list[float]) -> None:
    if not any(first):
        return
    direction = as_direction(vector(*first))
    assert math.hypot(*direction) == pytest.approx(1)
    # Half precision, which the index holds, keeps at least the largest number of any direction.
    assert np.asarray(direction, dtype=np.float16).any()
    # What is written keeps all that single precision holds, but for the last bit.
    read = np.asarray(written(direction).strip("[]").split(","), dtype=np.float32)
    np.testing.assert_array_max_ulp(read, np.asarray(direction, dtype=np.float32), 1)


@pytest.mark.parametrize("limit", [0, 51, True, 1.0, None])
def test_a_search_is_bounded(nowhere: sa.Engine, limit: Any) -> None:
    message = "limit: must be a whole number from 1 to 50"
    with pytest.raises(InvalidInputError, match=message):
        semantic_search(nowhere, vector(1), limit, model="m")
    provider: Any = None
    with pytest.raises(InvalidInputError, match=message):
        semantic_search_text(nowhere, provider, "words", limit)
    with pytest.raises(InvalidInputError, match="query: must be a text of 1 to 8192 characters"):
        semantic_search_text(nowhere, provider, "", 1)


@pytest.mark.parametrize("model", ["", " ", "m" * 201, "a\0b", None])
def test_a_model_has_a_name(nowhere: sa.Engine, model: Any) -> None:
    for call in (
        lambda: check_model(model),
        lambda: store_memory_embedding(nowhere, UUID(int=1), vector(1), model=model),
        lambda: semantic_search(nowhere, vector(1), 1, model=model),
    ):
        with pytest.raises(InvalidInputError, match=r"^model: "):
            call()
