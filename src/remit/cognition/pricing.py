"""What a model's tokens cost, from `prices.toml`, the one place that holds prices.

An estimate: a discount, a tax or a newer price is not known here.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cache
from importlib.resources import files
from typing import Any

_TOKENS_OF_A_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class CompletionPrice:
    """US dollars for one million tokens put in and given out, for prompts of `up_to` tokens.

    None: prompts of any length.
    """

    up_to: int | None
    input: Decimal
    output: Decimal


@cache
def embedding_prices() -> Mapping[str, Decimal]:
    """Return US dollars for one million tokens, by the name of the embedding model."""
    return {model: Decimal(price) for model, price in _read()["openai"]["embeddings"].items()}


@cache
def completion_prices() -> Mapping[str, Mapping[str, tuple[CompletionPrice, ...]]]:
    """Return prices by the vendor and the name of the language model, short prompts' first."""
    return {
        vendor: {model: _prices(lines) for model, lines in listed["completions"].items()}
        for vendor, listed in _read().items()
    }


def embedding_cost(model: str, total_tokens: int | None) -> Decimal | None:
    """Return an estimate in US dollars; None when the price or the count is not known."""
    price = embedding_prices().get(model)
    if price is None or total_tokens is None:
        return None
    with localcontext(Context()):  # not the thread's own, which anybody may have changed
        return price * total_tokens / _TOKENS_OF_A_PRICE


def completion_cost(
    vendor: str, model: str, input_tokens: int | None, output_tokens: int | None
) -> Decimal | None:
    """Return an estimate in US dollars; None when the price or a count is not known."""
    if input_tokens is None or output_tokens is None:
        return None
    for price in completion_prices().get(vendor, {}).get(model, ()):
        if price.up_to is None or input_tokens <= price.up_to:
            with localcontext(Context()):
                whole = price.input * input_tokens + price.output * output_tokens
                return whole / _TOKENS_OF_A_PRICE
    return None


def _read() -> dict[str, Any]:
    text = files("remit.cognition").joinpath("prices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _prices(lines: list[dict[str, Any]]) -> tuple[CompletionPrice, ...]:
    return tuple(
        CompletionPrice(line.get("up_to"), Decimal(line["input"]), Decimal(line["output"]))
        for line in lines
    )
