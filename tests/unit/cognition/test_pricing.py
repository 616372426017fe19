"""What a model costs is told where the price and the count are known, and nowhere else."""

from decimal import Decimal

import pytest

from remit.cognition.pricing import (
    CompletionPrice,
    completion_cost,
    completion_prices,
    embedding_cost,
    embedding_prices,
)


@pytest.mark.parametrize(
    ("model", "tokens", "expected"),
    [
        ("text-embedding-3-small", 1_000_000, Decimal("0.02")),
        ("text-embedding-3-small", 1, Decimal("0.00000002")),
        ("text-embedding-3-small", 0, Decimal(0)),
        ("text-embedding-3-large", 1_000_000, Decimal("0.13")),
        ("text-embedding-3-small", None, None),
        ("a-model-of-tomorrow", 1_000_000, None),
    ],
)
def test_a_cost_is_the_price_of_the_tokens(
    model: str, tokens: int | None, expected: Decimal | None
) -> None:
    assert embedding_cost(model, tokens) == expected


@pytest.mark.parametrize(
    ("vendor", "model", "tokens", "expected"),
    [
        ("anthropic", "claude-opus-5-5", (1_000_000, 1_000_000), Decimal(24)),
        ("anthropic", "claude-opus-5-5", (1, 0), Decimal("0.000004")),
        ("anthropic", "claude-opus-5-5", (0, 1), Decimal("0.00002")),
        ("anthropic", "claude-opus-5-5", (0, 0), Decimal(0)),
        ("anthropic", "claude-haiku-5-5", (100_000, 1000), Decimal("0.0105")),
        ("anthropic", "claude-haiku-5-5", (100_001, 1000), Decimal("0.0525005")),
        ("openai", "gpt-6-sol", (272_000, 1000), Decimal("0.554")),
        ("openai", "gpt-6-sol", (300_000, 1000), Decimal("1.215")),
        ("openai", "gpt-6-astra", (272_001, 1000), None),
        ("openai", "gpt-6-sol", (None, 1000), None),
        ("openai", "gpt-6-sol", (1000, None), None),
        ("openai", "claude-opus-5-5", (1000, 1000), None),
        ("openai", "a-model-of-tomorrow", (1000, 1000), None),
        ("a-vendor-of-tomorrow", "gpt-6-sol", (1000, 1000), None),
    ],
)
def test_the_cost_of_an_answer_is_the_price_of_its_tokens(
    vendor: str, model: str, tokens: tuple[int | None, int | None], expected: Decimal | None
) -> None:
    assert completion_cost(vendor, model, *tokens) == expected


def test_every_price_is_more_than_nothing() -> None:
    assert all(price > 0 for price in embedding_prices().values())
    assert set(completion_prices()) == {"anthropic", "openai"}
    for prices in _all_completion_prices():
        assert all(price.input > 0 and price.output > 0 for price in prices)


def test_prices_go_from_short_prompts_to_long_ones() -> None:
    for prices in _all_completion_prices():
        bounds = [price.up_to for price in prices]
        assert None not in bounds[:-1]
        known = [bound for bound in bounds if bound is not None]
        assert known == sorted(set(known))


def _all_completion_prices() -> list[tuple[CompletionPrice, ...]]:
    found = [prices for models in completion_prices().values() for prices in models.values()]
    assert found
    return found
