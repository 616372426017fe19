"""Only an answer known to be whole is one, and what nobody counted rightly is never cheap."""

import json
from decimal import Decimal
from typing import Any

import pytest

from remit.cognition.llm.answers import Answer, respond
from remit.cognition.llm.anthropic import AnthropicLLMProvider
from remit.cognition.llm.openai import OpenAILLMProvider
from remit.cognition.llm.provider import LLMProviderError
from tests.support.llm_server import anthropic_answer, openai_answer

OPENAI = {"model": "gpt-6.2-sol", "messages": [{"content": "text"}]}
ANTHROPIC = {"model": "claude-sonnet-5-5", "messages": [{"content": "text"}]}
LISTED = Decimal("0.000072")
"""What the answers cost as they are: 11 tokens put in, and 5 given out."""


def by_openai(**changes: Any) -> Answer:
    """Return what is read of a chat completion with fields changed."""
    return OpenAILLMProvider.read(json.dumps(openai_answer(OPENAI, **changes)).encode())


def by_anthropic(**changes: Any) -> Answer:
    """Return what is read of a message with fields changed."""
    return AnthropicLLMProvider.read(json.dumps(anthropic_answer(ANTHROPIC, **changes)).encode())


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
        (by_anthropic(type="error"), "provider_error", True),
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
        {"object": "text_completion"},
    ],
    ids=str,
)
def test_a_chat_completion_of_another_shape_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the answer"):
        by_openai(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        *({"role": "user"}, {"content": None}, {"error": "text"}, {"stop_reason": 1}),
        {"type": "completion"},
    ],
    ids=str,
)
def test_a_message_of_another_shape_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the answer"):
        by_anthropic(**changes)


@pytest.mark.parametrize(
    "place", ['"finish_reason": ', '"usage": ', '"completion_tokens": ', '"role": ', '"model": ']
)
def test_a_body_that_says_a_thing_twice_is_no_answer(place: str) -> None:
    once = json.dumps(openai_answer(OPENAI))
    assert OpenAILLMProvider.read(once.encode()).ending == "whole"
    with pytest.raises(ValueError, match="the answer holds a key twice"):
        OpenAILLMProvider.read(once.replace(place, f"{place}null, {place}").encode())


@pytest.mark.parametrize(
    ("beside", "ending"),
    [
        *((each, "whole") for each in ("text", "thinking", "redacted_thinking", "tool_use")),
        *((each, "unknown") for each in ("web_search_tool_result", "compaction", "of_tomorrow")),
    ],
)
def test_a_message_with_blocks_that_nobody_knows_is_not_whole(beside: str, ending: str) -> None:
    text = {"type": "text", "text": "text"}
    assert by_anthropic(content=[text, {"type": beside, "text": ""}]).ending == ending
    refused = by_anthropic(content=[text, {"type": beside}], stop_reason="refusal")
    assert refused.ending == "refused"


def test_a_block_of_text_without_any_is_not_whole() -> None:
    assert (
        by_anthropic(content=[{"type": "text", "text": "t"}, {"type": "text"}]).ending == "unknown"
    )
