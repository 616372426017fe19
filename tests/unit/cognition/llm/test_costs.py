"""What nobody counted rightly is never cheap, and no model is priced as a cheaper one."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from remit.cognition.llm.answers import Answer, respond
from tests.unit.cognition.llm.test_endings import LISTED, by_anthropic, by_openai


def cost(answer: Answer, vendor: str, asked: str | None = None) -> Decimal | None:
    """Return what an answer costs."""
    model = asked or answer.model or ""
    return respond(answer, vendor=vendor, asked_model=model, latency_ms=1).usage.estimated_cost_usd


def used(put_in: int, given_out: int, **more: Any) -> dict[str, Any]:
    """Return the usage of a chat completion."""
    return {"prompt_tokens": put_in, "completion_tokens": given_out, **more}


def thoughts(count: int) -> Mapping[str, Any]:
    """Return how many tokens were thoughts."""
    return {"completion_tokens_details": {"reasoning_tokens": count}}


def details(of: str, **counts: Any) -> Mapping[str, Any]:
    """Return what the tokens of a prompt or of a completion were, of those that make it up."""
    return {f"{of}_tokens_details": counts}


def cached(**counts: int) -> Mapping[str, Any]:
    """Return how many tokens came from a cache, or were written to it."""
    return {"prompt_tokens_details": counts}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (used(11, 5, total_tokens=16), "0.000072"),
        (used(11, 5, total_tokens=3), "0.000072"),
        (used(11, 5, total_tokens=1016), "0.010072"),
        (used(11, 5, total_tokens=16, **thoughts(5)), "0.000072"),
        (used(11, 5, total_tokens=16, **thoughts(1000)), "0.010072"),
        (used(11, 5, total_tokens=1016, **thoughts(1000)), "0.010072"),
        (used(11, 1000, **cached(cached_tokens=11)), "0.010022"),
        (used(11, 5, **cached(cached_tokens=1000)), "0.002072"),
        (used(1000, 5, **cached(cache_write_tokens=1000)), "0.00405"),
        (used(11, 5, total_tokens=272_017), None),
        (used(11, 5, **cached(cached_tokens=272_000)), None),
        (
            used(11, 5, **details("completion", audio_tokens=0, accepted_prediction_tokens=5)),
            "0.000072",
        ),
        (used(11, 5, **details("completion", audio_tokens=1)), None),
        (used(11, 5, **details("prompt", audio_tokens=1)), None),
        (used(11, 5, **details("completion", accepted_prediction_tokens=6)), None),
        (used(11, 5, **details("completion", of_tomorrow={"parts": [1, 6]})), None),
        (used(11, 5, **details("prompt", image_tokens=12)), None),
        (used(11, 5, tool_tokens=17), None),
        (used(11, 5, tool_tokens=16, cost=0.00001), "0.000072"),
        (used(11, 5, more=[{"of_tomorrow": 17}]), None),
        (used(11, 5, tool_tokens=float("nan")), None),
        (used(0, 0, total_tokens=0), None),
        (used(0, 5), None),
        (used(11, 0), None),
        ({}, None),
        ({"total_tokens": 16}, None),
        (None, None),
    ],
    ids=str,
)
def test_a_chat_completion_is_never_priced_at_the_smaller_number(
    usage: dict[str, Any] | None, expected: str | None
) -> None:
    expected_cost = None if expected is None else Decimal(expected)
    assert cost(by_openai(usage=usage), "openai") == expected_cost


@pytest.mark.parametrize("value", [-1, 1.5, "11", True, 10**13, [], {}], ids=str)
@pytest.mark.parametrize(
    "field", ["prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens"]
)
def test_a_count_that_is_none_is_no_answer(field: str, value: object) -> None:
    usage = used(11, 5, **{field: value})
    if field == "reasoning_tokens":
        usage = used(11, 5, completion_tokens_details={field: value})
    with pytest.raises(ValueError, match="not a chat completion in JSON"):
        by_openai(usage=usage)


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        *((tier, LISTED) for tier in (None, "default", "standard", "flex", "batch")),
        *((tier, None) for tier in ("priority", "fast", "scale", "auto", "of_tomorrow", "")),
    ],
)
def test_a_tier_that_may_cost_more_has_no_price(tier: str | None, expected: Decimal | None) -> None:
    assert cost(by_openai(service_tier=tier), "openai") == expected


COUNTED = {"input_tokens": 11, "output_tokens": 5}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (COUNTED, "0.000072"),
        ({**COUNTED, "cache_read_input_tokens": 1000}, "0.002072"),
        ({**COUNTED, "cache_creation_input_tokens": 1000}, "0.004072"),
        ({**COUNTED, "output_tokens_details": {"thinking_tokens": 4}}, "0.000072"),
        ({**COUNTED, "output_tokens_details": {"thinking_tokens": 1000}}, "0.010072"),
        ({**COUNTED, "service_tier": "standard", "speed": "standard"}, "0.000072"),
        ({**COUNTED, "inference_geo": "global"}, "0.000072"),
        ({**COUNTED, "server_tool_use": {"web_search_requests": 0}}, "0.000072"),
        ({**COUNTED, "server_tool_use": {"web_search_requests": 1}}, None),
        ({**COUNTED, "server_tool_use": {"of_tomorrow_requests": 1}}, None),
        ({**COUNTED, "cache_creation": {"ephemeral_5m_input_tokens": 1000}}, "0.004072"),
        (
            {
                **COUNTED,
                "cache_creation_input_tokens": 1000,
                "cache_creation": {"of_an_hour": 400, "of_a_day": 600},
            },
            "0.004072",
        ),
        ({**COUNTED, "iterations": [COUNTED]}, "0.000072"),
        ({**COUNTED, "iterations": [COUNTED, {"input_tokens": 1, "output_tokens": 0}]}, None),
        ({**COUNTED, "output_tokens_details": {"of_tomorrow": 6}}, None),
        ({**COUNTED, "of_tomorrow": {"tokens": [17]}}, None),
        ({**COUNTED, "service_tier": "priority"}, None),
        ({**COUNTED, "speed": "fast"}, None),
        ({**COUNTED, "inference_geo": "us"}, None),
        ({"input_tokens": 0, "output_tokens": 5}, None),
        ({"input_tokens": 11, "output_tokens": 0}, None),
    ],
    ids=str,
)
def test_a_message_is_never_priced_at_the_smaller_number(
    usage: dict[str, Any], expected: str | None
) -> None:
    expected_cost = None if expected is None else Decimal(expected)
    assert cost(by_anthropic(usage=usage), "anthropic") == expected_cost


@pytest.mark.parametrize(
    ("asked", "answered", "expected"),
    [
        ("gpt-6-luna", "gpt-6-luna", "0.0000036"),
        ("gpt-6-luna", "gpt-6-luna-2026-11-18", "0.0000036"),
        ("gpt-6-luna", "openai/gpt-6-luna", "0.0000036"),
        ("gpt-6-luna", "gpt-6.2-sol", "0.000072"),
        ("gpt-6.2-sol", "gpt-6-luna", "0.000072"),
        ("my-alias", "gpt-6.2-sol", "0.000072"),
        ("gpt-6-luna", "a-model-of-tomorrow", None),
        ("gpt-6-luna", "gpt-6-luna-20261118", "0.0000036"),
        ("gpt-6-luna", "gpt-6-luna@20261118", "0.0000036"),
        ("gpt-6-luna", "gpt-6-luna@2026-11-18", "0.0000036"),
        *(
            ("gpt-6-luna", name, None)
            for name in (
                *("gpt-6-luna-pro", "gpt-6-luna-audio-preview", "gpt-6-luna-2026-11-18-pro"),
                *("gpt-6-luna-2026-13-18", "gpt-6-luna-2026-1118", "gpt-6-luna2026-11-18"),
                *("gpt-6-luna-1118", "gpt-6-luna:free", "eu/gpt-6-luna", "my-gpt-6-luna"),
                *("gpt-6-lunatic", "gpt 6 luna pro", "m" * 200),
            )
        ),
        ("gpt-6-luna-2026-11-18", "gpt-6-luna-2026-11-18", None),
        ("gpt-6-luna", "ft:gpt-6-luna:us:x:1", None),
        ("ft:gpt-6-luna:us:x:1", "gpt-6-luna", None),
    ],
)
def test_no_model_is_priced_as_a_cheaper_one(
    asked: str, answered: str, expected: str | None
) -> None:
    expected_cost = None if expected is None else Decimal(expected)
    assert cost(by_openai(model=answered), "openai", asked) == expected_cost
