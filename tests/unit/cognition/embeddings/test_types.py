"""Requests and responses cannot be built outside their bounds."""

import math
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.cognition.embeddings.types import (
    EMBEDDING_DIMENSIONS,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
    vector_fault,
)
from remit.db import evidence_tables
from remit.errors import InvalidInputError

GOOD = (0.5,) * EMBEDDING_DIMENSIONS
USAGE = EmbeddingUsage(total_tokens=3, estimated_cost_usd=Decimal("0.1"), latency_ms=1.5)


def test_the_length_of_a_vector_is_that_of_the_column() -> None:
    assert evidence_tables.EMBEDDING_DIMENSIONS == EMBEDDING_DIMENSIONS


@pytest.mark.parametrize("count", [1, 2, 99, 100])
def test_up_to_a_hundred_texts_make_a_request(count: int) -> None:
    assert len(EmbeddingRequest(("a",) * count).texts) == count


@pytest.mark.parametrize("length", [1, 8191, 8192])
def test_a_text_may_be_of_any_length_within_the_bound(length: int) -> None:
    assert EmbeddingRequest(("é" * length,)).texts == ("é" * length,)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), "texts: 0 texts at once: give between 1 and 100"),
        (("a",) * 101, "texts: 101 texts at once: give between 1 and 100"),
        (("",), "texts[0]: 0 characters: give between 1 and 8192"),
        (("a", "b" * 8193), "texts[1]: 8193 characters: give between 1 and 8192"),
        (("a", 1), "texts[1]: must be text"),
        ((None,), "texts[0]: must be text"),
        (("a\0",), "texts[0]: holds a NUL byte: remove it"),
        (("\udfff",), "texts[0]: holds half of a surrogate pair: send the whole character"),
    ],
)
def test_a_request_outside_the_bounds_is_refused(texts: tuple[str, ...], expected: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        EmbeddingRequest(texts)
    assert str(refusal.value) == expected


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_a_text_is_taken_exactly_when_it_can_be_stored_and_sent(text: str) -> None:
    storable = bool(text) and "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        storable = False
    try:
        EmbeddingRequest((text,))
    except InvalidInputError:
        assert not storable
    else:
        assert storable


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        (GOOD, None),
        ([0.0] * (EMBEDDING_DIMENSIONS - 1) + [5e-324], None),
        (GOOD[1:], "has 1535 numbers instead of 1536"),
        ((*GOOD, 0.5), "has 1537 numbers instead of 1536"),
        ((), "has 0 numbers instead of 1536"),
        ((*GOOD[1:], math.nan), "holds a number that is not finite"),
        ((math.inf, *GOOD[1:]), "holds a number that is not finite"),
        ((*GOOD[1:], -math.inf), "holds a number that is not finite"),
        (
            (0.0,) * EMBEDDING_DIMENSIONS,
            "is zero in every place, so it has no direction to compare",
        ),
        (
            (-0.0,) * EMBEDDING_DIMENSIONS,
            "is zero in every place, so it has no direction to compare",
        ),
    ],
)
def test_a_vector_is_of_the_right_length_finite_and_not_zero(
    vector: Sequence[float], expected: str | None
) -> None:
    assert vector_fault(vector) == expected


def test_a_response_names_the_vector_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"^vector 1 has 1 numbers instead of 1536$"):
        EmbeddingResponse((GOOD, (1.0,)), "m", USAGE)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_response_holds_one_vector_for_each_text(count: int) -> None:
    with pytest.raises(ValueError, match=f"^{count} vectors for 2 texts$"):
        respond(EmbeddingRequest(("a", "b")), (GOOD,) * count, model="m", usage=USAGE)


def test_a_response_keeps_what_the_provider_gave() -> None:
    response = respond(EmbeddingRequest(("a",)), (GOOD,), model="m", usage=USAGE)
    assert response == EmbeddingResponse((GOOD,), "m", USAGE)
