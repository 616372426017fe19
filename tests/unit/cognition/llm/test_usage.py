"""Whoever counted the tokens, they are told in one form, and at the listed price or at none."""

from decimal import Decimal

import pytest

from remit.cognition.llm.answers import TokenCounts, normalize_usage
from remit.cognition.llm.types import NOTHING_USED, LLMUsage


@pytest.mark.parametrize(
    ("counts", "models", "expected"),
    [
        (
            TokenCounts(1000, 100, 1100),
            ["gpt-6.2-sol"],
            LLMUsage(1000, 100, 1100, Decimal("0.003")),
        ),
        (TokenCounts(1000, 100), ["gpt-6.2-sol"], LLMUsage(1000, 100, 1100, Decimal("0.003"))),
        (
            TokenCounts(1000, 100, 1500),
            ["gpt-6.2-sol"],
            LLMUsage(1000, 100, 1500, Decimal("0.007")),
        ),
        (
            TokenCounts(272_000, 1, 273_001),
            ["gpt-6-sol"],
            LLMUsage(272_000, 1, 273_001, Decimal("1.092015")),
        ),
        (
            TokenCounts(10, 5, 1_000_015),
            ["gpt-6-luna"],
            LLMUsage(10, 5, 1_000_015, Decimal("0.5000035")),
        ),
        (TokenCounts(1000, None), ["gpt-6.2-sol"], LLMUsage(1000, None, None, None)),
        (TokenCounts(None, 100), ["gpt-6.2-sol"], LLMUsage(None, 100, None, None)),
        (TokenCounts(), ["gpt-6.2-sol"], LLMUsage(None, None, None, None)),
        (TokenCounts(0, 0), ["gpt-6.2-sol"], LLMUsage(0, 0, 0, Decimal(0))),
        (TokenCounts(10, 10), ["llama3.2"], LLMUsage(10, 10, 20, None)),
        (TokenCounts(10, 10), [], LLMUsage(10, 10, 20, None)),
        (
            TokenCounts(1000, 100),
            ["my-alias", "gpt-6.2-sol"],
            LLMUsage(1000, 100, 1100, Decimal("0.003")),
        ),
    ],
)
def test_usage_has_one_form(counts: TokenCounts, models: list[str], expected: LLMUsage) -> None:
    assert normalize_usage(counts, vendor="openai", models=models) == expected


def test_the_prices_of_one_vendor_are_not_those_of_another() -> None:
    usage = normalize_usage(TokenCounts(1000, 100), vendor="anthropic", models=["gpt-6.2-sol"])
    assert usage.estimated_cost_usd is None


def test_what_was_never_sent_costs_nothing() -> None:
    assert NOTHING_USED.to_json() == {
        "input_tokens": 0,
        "output_tokens": 0,
        "total_tokens": 0,
        "estimated_cost_usd": "0",
    }
