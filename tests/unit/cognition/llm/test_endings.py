"""Only an answer known to be whole is one, and what nobody counted rightly is never cheap."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from remit.cognition.llm import anthropic_answers, openai_answers
from remit.cognition.llm.answers import Answer, respond
from remit.cognition.llm.provider import LLMProviderError
from tests.support.llm_server import anthropic_answer, openai_answer

OPENAI = {"model": "gpt-6.2-sol", "messages": [{"content": "text"}]}
ANTHROPIC = {"model": "claude-sonnet-5-5", "messages": [{"content": "text"}]}
LISTED = Decimal("0.000072")
"""What the answers cost as they are: 11 tokens put in, and 5 given out."""


def by_openai(**changes: Any) -> Answer:
    """Return what is read of a chat completion with fields changed."""
    return openai_answers.read_answer(json.dumps(openai_answer(OPENAI, **changes)).encode())


def by_anthropic(**changes: Any) -> Answer:
    """Return what is read of a message with fields changed."""
    return anthropic_answers.read_answer(
        json.dumps(anthropic_answer(ANTHROPIC, **changes)).encode()
    )


CUT = ("length", "model_length", "MAX_TOKENS", "max_output_tokens", "context_length_exceeded")
REFUSED = ("content_filter", "content_filtered", "SAFETY", "sensitive", "guardrail_intervened")
FAILED = (
    *("error", "abort", "aborted", "cancelled", "canceled", "network_error", "server_error"),
    *("insufficient_system_resource", "timeout", "failed", "overloaded", "malformed_error"),
)
UNKNOWN = ("", "a_reason_of_tomorrow", "other", "unknown", "STOP", " stop", "stop2", "compaction")


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        *((each, "whole") for each in ("stop", "tool_calls", "function_call", "eos", "eos_token")),
        *((each, "cut") for each in (*CUT, "model_context_window_exceeded", "max_tokens", None)),
        *((each, "refused") for each in (*REFUSED, "refusal")),
        *((each, "failed") for each in FAILED),
        *((each, "unknown") for each in (*UNKNOWN, "end_turn")),
    ],
)
def test_a_chat_completion_is_whole_only_where_it_says_so(reason: str | None, ending: str) -> None:
    assert by_openai(finish_reason=reason).ending == ending


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        *((each, "whole") for each in ("end_turn", "stop_sequence", "tool_use")),
        *((each, "cut") for each in (*CUT, "model_context_window_exceeded", "pause_turn")),
        *((each, "refused") for each in (*REFUSED, "refusal")),
        *((each, "failed") for each in FAILED),
        *((each, "unknown") for each in (*UNKNOWN, None, "stop")),
    ],
)
def test_a_message_is_whole_only_where_it_says_so(reason: str | None, ending: str) -> None:
    assert by_anthropic(stop_reason=reason).ending == ending


FAULT = {"code": 502, "message": "upstream said"}


@pytest.mark.parametrize(
    ("answer", "reason", "retryable"),
    [
        (by_openai(finish_reason="error"), "provider_error", True),
        (by_openai(finish_reason="of_tomorrow"), "provider_error", False),
        (by_openai(error=FAULT), "provider_error", True),
        (by_openai(error=FAULT, choices=[]), "provider_error", True),
        (by_openai(message={"content": None}, finish_reason=None), "provider_error", False),
        (by_openai(message={"content": "I can not", "refusal": "no"}), "invalid_request", False),
        (
            by_openai(message={"content": None, "reasoning_content": "hm"}),
            "provider_error",
            False,
        ),
        (
            by_openai(message={"content": None, "tool_calls": []}, finish_reason="tool_calls"),
            "provider_error",
            False,
        ),
        (by_anthropic(stop_reason="server_error"), "provider_error", True),
        (by_anthropic(stop_reason=None), "provider_error", False),
        (by_anthropic(error=FAULT), "provider_error", True),
        (by_anthropic(content=[{"type": "thinking", "thinking": "hm"}]), "provider_error", False),
    ],
)
def test_what_is_not_known_to_be_whole_is_a_failure_that_tells_what_it_took(
    answer: Answer, reason: str, *, retryable: bool
) -> None:
    vendor = "openai" if answer.model == OPENAI["model"] else "anthropic"
    model = answer.model or ""
    with pytest.raises(LLMProviderError) as refusal:
        respond(answer, vendor=vendor, asked_model=model, latency_ms=1)
    assert (refusal.value.reason, refusal.value.retryable) == (reason, retryable)
    assert refusal.value.usage is not None
    assert refusal.value.usage.estimated_cost_usd == LISTED


def test_text_whose_end_is_not_told_is_handed_on_as_cut() -> None:
    response = respond(
        by_openai(finish_reason=None), vendor="openai", asked_model="m", latency_ms=1
    )
    assert response.truncated


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": [openai_answer(OPENAI)["choices"][0]] * 2},
        {"message": {"role": "user", "content": "text"}},
        {"message": {"role": "tool", "content": "text"}},
        {"message": None},
        {"error": "Unexpected endpoint or method"},
        {"error": "Unexpected endpoint or method", "choices": None},
        {"service_tier": 1},
    ],
    ids=str,
)
def test_a_chat_completion_of_another_shape_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the answer"):
        by_openai(**changes)


@pytest.mark.parametrize(
    "changes", [{"role": "user"}, {"content": None}, {"error": "text"}, {"stop_reason": 1}], ids=str
)
def test_a_message_of_another_shape_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the answer"):
        by_anthropic(**changes)


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
