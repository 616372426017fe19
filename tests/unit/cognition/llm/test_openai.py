"""What is sent to a chat completions service, and what is made of its answers; over real HTTP."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from remit.cognition.llm.openai import OpenAILLMProvider
from remit.cognition.llm.types import UNKNOWN_USED, LLMRequest
from tests.support.embedding_server import Reply
from tests.support.llm_asking import CANARY, REQUEST, TEXT, failure, openai_provider
from tests.support.llm_server import LLMServer, openai_answer

SAID: Mapping[str, Any] = {"model": "gpt-6.2-sol", "messages": [{"content": TEXT}]}


def answering(server: LLMServer, **changes: Any) -> OpenAILLMProvider:
    """Return a provider whose next answer has fields changed."""
    server.replies.append(Reply(body=json.dumps(openai_answer(SAID, **changes)).encode()))
    return openai_provider(server)


def test_what_is_sent_to_a_compatible_service(server: LLMServer) -> None:
    request = LLMRequest(REQUEST.messages, max_tokens=77, temperature=1.5)
    openai_provider(server).complete(request)
    [asked] = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == f"Bearer {CANARY}"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.body == {
        "model": "gpt-6.2-sol",
        "messages": [
            {"role": "system", "content": f"{TEXT}, the task"},
            {"role": "user", "content": f"{TEXT}, the question"},
            {"role": "assistant", "content": f"{TEXT}, the answer"},
            {"role": "user", "content": TEXT},
        ],
        "max_tokens": 77,
        "temperature": 1.5,
    }


def test_a_temperature_that_was_not_named_is_not_sent(server: LLMServer) -> None:
    openai_provider(server).complete(REQUEST)
    assert "temperature" not in server.asked[0].body


@pytest.mark.parametrize(
    ("base_url", "limit"),
    [
        (None, "max_completion_tokens"),
        ("https://api.openai.com/v1/", "max_completion_tokens"),
        ("http://localhost:11434/v1", "max_tokens"),
        ("https://example.org/v1", "max_tokens"),
    ],
)
def test_the_bound_of_an_answer_has_the_name_that_the_service_knows(
    base_url: str | None, limit: str
) -> None:
    provider = OpenAILLMProvider(model="m", api_key=SecretStr("sk-1"), base_url=base_url)
    arguments = provider.arguments("m", REQUEST)
    assert {name for name in arguments if "tokens" in name} == {limit}
    assert arguments[limit] == 1024


@pytest.mark.parametrize(
    "changes",
    [{"usage": None}, {"system_fingerprint": "x"}, {"finish_reason": None}, {"id": None}],
    ids=["no usage", "more", "no reason", "no id"],
)
def test_what_a_compatible_service_leaves_out_is_not_missed(
    server: LLMServer, changes: dict[str, Any]
) -> None:
    response = answering(server, **changes).complete(REQUEST)
    assert response.content == TEXT[::-1]
    assert (response.usage.input_tokens is None) == ("usage" in changes)
    assert (response.usage.estimated_cost_usd is None) == ("usage" in changes)


def test_an_answer_that_was_cut_short_says_so(server: LLMServer) -> None:
    response = answering(server, finish_reason="length").complete(REQUEST)
    assert (response.content, response.truncated) == (TEXT[::-1], True)


@pytest.mark.parametrize("name", ["../weights/secret.gguf", "", None, "m" * 200])
def test_a_name_that_no_model_can_have_is_not_repeated(server: LLMServer, name: str | None) -> None:
    assert answering(server, model=name).complete(REQUEST).model == "gpt-6.2-sol"


def test_the_model_that_answered_is_named_and_the_one_that_was_asked_is_priced(
    server: LLMServer,
) -> None:
    response = answering(server, model="gpt-6.2-sol-2026-11-18").complete(REQUEST)
    assert response.model == "gpt-6.2-sol-2026-11-18"
    assert response.usage.estimated_cost_usd == Decimal("0.000072")


@pytest.mark.parametrize(
    ("changes", "error_type", "told"),
    [
        (
            {"message": {"role": "assistant", "content": None, "refusal": TEXT}},
            "invalid_request",
            "refused",
        ),
        ({"finish_reason": "content_filter"}, "invalid_request", "refused"),
        (
            {"message": {"role": "assistant", "content": ""}, "finish_reason": "length"},
            "invalid_request",
            "max_tokens",
        ),
        ({"message": {"role": "assistant", "content": None}}, "provider_error", "without a word"),
        ({"message": {"role": "assistant", "content": " \n"}}, "provider_error", "without a word"),
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
        {"choices": []},
        {"choices": [{"text": TEXT}]},
        {"choices": None},
        {"message": {"content": [TEXT]}},
        {"message": {"content": 7}},
        {"usage": {"prompt_tokens": -1}},
        {"usage": {"prompt_tokens": "11"}},
        {"usage": {"completion_tokens": 10**13}},
        {"usage": {"total_tokens": 1.5}},
        {"usage": {"total_tokens": True}},
    ],
    ids=str,
)
def test_nonsense_is_never_taken_for_an_answer(server: LLMServer, changes: dict[str, Any]) -> None:
    refusal = failure(answering(server, **changes))
    assert (refusal.error.error_type, refusal.error.retryable) == ("provider_error", False)
    assert "answered, but" in refusal.error.error_message
    assert refusal.usage == UNKNOWN_USED
