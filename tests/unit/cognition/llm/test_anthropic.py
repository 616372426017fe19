"""What is sent to a messages service, and what is made of its answers; over real HTTP."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from remit.cognition.llm.anthropic import AnthropicLLMProvider
from remit.cognition.llm.types import NOTHING_USED, LLMMessage, LLMRequest
from tests.support.embedding_server import Reply
from tests.support.llm_asking import CANARY, REQUEST, TEXT, anthropic_provider, failure
from tests.support.llm_server import LLMServer, anthropic_answer

SAID: Mapping[str, Any] = {"model": "claude-sonnet-5-5", "messages": [{"content": TEXT}]}


def answering(server: LLMServer, **changes: Any) -> AnthropicLLMProvider:
    """Return a provider whose next answer has fields changed."""
    server.replies.append(Reply(body=json.dumps(anthropic_answer(SAID, **changes)).encode()))
    return anthropic_provider(server)


def test_what_is_sent_is_what_the_protocol_asks_for(server: LLMServer) -> None:
    request = LLMRequest(
        (LLMMessage("system", "First."), LLMMessage("system", "Second."), *REQUEST.messages[1:]),
        max_tokens=77,
        temperature=0.5,
    )
    anthropic_provider(server).complete(request)
    [asked] = server.asked
    assert asked.path == "/v1/messages"
    assert asked.headers["Authorization"] == f"Bearer {CANARY}"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["anthropic-version"]
    assert asked.body == {
        "model": "claude-sonnet-5-5",
        "system": "First.\n\nSecond.",
        "messages": [
            {"role": "user", "content": f"{TEXT}, the question"},
            {"role": "assistant", "content": f"{TEXT}, the answer"},
            {"role": "user", "content": TEXT},
        ],
        "max_tokens": 77,
        "temperature": 0.5,
    }


def test_what_was_not_named_is_not_sent(server: LLMServer) -> None:
    anthropic_provider(server).complete(LLMRequest((LLMMessage("user", "hello"),)))
    assert set(server.asked[0].body) == {"model", "messages", "max_tokens"}


def test_a_temperature_that_the_protocol_does_not_know_is_not_sent(server: LLMServer) -> None:
    request = LLMRequest((LLMMessage("user", "hello"),), temperature=1.1)
    refusal = failure(anthropic_provider(server), request)
    assert (refusal.error.error_type, refusal.error.retryable) == ("invalid_request", False)
    assert "temperature is above 1" in refusal.error.error_message
    assert refusal.usage == NOTHING_USED
    assert not server.asked


def test_the_sdk_writes_no_spans_of_its_own(
    server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content")
    asked: list[object] = []
    monkeypatch.setattr("opentelemetry.trace.get_tracer", lambda *args, **_: asked.append(args))
    anthropic_provider(server).complete(REQUEST)
    assert asked == []
    assert "traceparent" not in server.asked[0].headers


def test_thoughts_are_no_part_of_the_answer(server: LLMServer) -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "text": "hm"},
        {"type": "text", "text": "Hello, "},
        {"type": "tool_use", "id": "x", "name": "x", "input": {}},
        {"type": "text", "text": "world"},
    ]
    assert answering(server, content=blocks).complete(REQUEST).content == "Hello, world"


def test_text_from_a_cache_is_counted_as_put_in(server: LLMServer) -> None:
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 300,
        "output_tokens": 5,
    }
    told = answering(server, usage=usage).complete(REQUEST).usage
    assert (told.input_tokens, told.output_tokens, told.total_tokens) == (321, 5, 326)


@pytest.mark.parametrize("usage", [None, {}, {"output_tokens": 5}, {"input_tokens": None}])
def test_usage_that_was_not_told_is_unknown(
    server: LLMServer, usage: dict[str, Any] | None
) -> None:
    told = answering(server, usage=usage).complete(REQUEST).usage
    assert (told.input_tokens, told.total_tokens, told.estimated_cost_usd) == (None, None, None)


@pytest.mark.parametrize(
    ("reason", "truncated"),
    [
        ("end_turn", False),
        ("stop_sequence", False),
        ("tool_use", False),
        ("max_tokens", True),
        ("model_context_window_exceeded", True),
        ("pause_turn", True),
    ],
)
def test_an_answer_that_was_cut_short_says_so(
    server: LLMServer, reason: str | None, *, truncated: bool
) -> None:
    response = answering(server, stop_reason=reason).complete(REQUEST)
    assert (response.content, response.truncated) == (TEXT[::-1], truncated)


@pytest.mark.parametrize(
    ("changes", "error_type", "told"),
    [
        ({"stop_reason": "refusal"}, "invalid_request", "refused"),
        ({"content": [], "stop_reason": "refusal"}, "invalid_request", "refused"),
        ({"content": [], "stop_reason": "max_tokens"}, "invalid_request", "max_tokens"),
        ({"content": []}, "provider_error", "without a word"),
        ({"content": [{"type": "text", "text": ""}]}, "provider_error", "without a word"),
        (
            {"content": [{"type": "text", "text": " \n"}], "stop_reason": "max_tokens"},
            "invalid_request",
            "max_tokens",
        ),
    ],
)
def test_what_is_no_answer_is_a_failure_that_was_paid_for(
    server: LLMServer, changes: dict[str, Any], error_type: str, told: str
) -> None:
    refusal = failure(answering(server, **changes))
    assert (refusal.error.error_type, refusal.error.retryable) == (error_type, False)
    assert told in refusal.error.error_message
    assert refusal.usage is not None
    assert refusal.usage.estimated_cost_usd == Decimal("0.000072")


@pytest.mark.parametrize(
    "changes",
    [
        {"content": None},
        {"content": TEXT},
        {"content": [TEXT]},
        {"content": [{"text": TEXT}]},
        {"content": [{"type": "text", "text": 7}]},
        {"stop_reason": 7},
        {"usage": {"input_tokens": -1}},
        {"usage": {"input_tokens": "11"}},
        {"usage": {"output_tokens": True}},
    ],
    ids=str,
)
def test_nonsense_is_never_taken_for_an_answer(server: LLMServer, changes: dict[str, Any]) -> None:
    refusal = failure(answering(server, **changes))
    assert (refusal.error.error_type, refusal.error.retryable) == ("provider_error", False)
    assert "answered, but" in refusal.error.error_message
