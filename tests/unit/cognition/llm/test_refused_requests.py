"""A request that is refused is told by what the service says of it; nothing of that is repeated."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from remit.cognition.llm.types import NOTHING_USED, UNKNOWN_USED
from tests.support.embedding_server import Asked, Reply
from tests.support.llm_asking import REQUEST, TEXT, UPSTREAM, failure, openai_provider
from tests.support.llm_server import LLMServer, serving
from tests.unit.cognition.llm.test_services import SERVICES, Provider

UNSUPPORTED = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    "'max_completion_tokens' instead."
)
NEWER = {
    "message": UNSUPPORTED,
    "type": "invalid_request_error",
    "param": "max_tokens",
    "code": "unsupported_parameter",
}
PLACE = "LLM_MODEL"
SHORTER = "shorten them or lower max_tokens"
LOWER = "refused max_tokens"
OTHER_NAME = "does not take max_tokens"


def told(message: str, **fields: Any) -> dict[str, Any]:
    """Return an error's body."""
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


# Each as the services word it: status, body, the type that it becomes, and a part of the message.
SAID: Mapping[str, tuple[int, Any, str, str]] = {
    "newer model": (400, {"error": NEWER}, "invalid_request", OTHER_NAME),
    "newer model behind a gateway": (
        400,
        told(f"litellm.BadRequestError: OpenAIException - {UNSUPPORTED}", code="400"),
        "invalid_request",
        OTHER_NAME,
    ),
    "name forbidden": (
        422,
        {"detail": "Unrecognized request argument supplied: max_completion_tokens"},
        "invalid_request",
        OTHER_NAME,
    ),
    "OpenAI context": (
        400,
        told("This model's maximum context length is 8192 tokens.", code="context_length_exceeded"),
        "invalid_request",
        SHORTER,
    ),
    "vLLM context": (
        400,
        {
            "object": "error",
            "message": "'max_tokens' or 'max_completion_tokens' is too large: 4000. This model's "
            "maximum context length is 4096 tokens and your request has 1000 input tokens",
            "code": 400,
        },
        "invalid_request",
        SHORTER,
    ),
    "llama.cpp context": (
        400,
        told("the request exceeds the available context size", code=400),
        "invalid_request",
        SHORTER,
    ),
    "Anthropic context": (
        400,
        told("prompt is too long: 208310 tokens > 200000 maximum"),
        "invalid_request",
        SHORTER,
    ),
    "Groq context": (
        400,
        told("Please reduce the length of the messages or completion."),
        "invalid_request",
        SHORTER,
    ),
    "Anthropic max_tokens": (
        400,
        told("max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens"),
        "invalid_request",
        LOWER,
    ),
    "OpenAI max_tokens": (
        400,
        told("max_tokens is too large: 128000. This model supports at most 16384.", code=None),
        "invalid_request",
        LOWER,
    ),
    "temperature": (
        400,
        told("Unsupported value: 'temperature' does not support 0.5 with this model."),
        "invalid_request",
        "refused the temperature: leave it out",
    ),
    "content filter": (
        400,
        told("The prompt was filtered", code="content_filter"),
        "invalid_request",
        "ask for something else",
    ),
    "OpenAI model": (
        400,
        told("The model `x` does not exist", code="model_not_found"),
        "misconfigured",
        PLACE,
    ),
    "DeepSeek model": (400, told("Model Not Exist"), "misconfigured", PLACE),
    "Ollama model": (404, told('model "x" not found, try pulling it'), "misconfigured", PLACE),
    "no such address": (404, {"detail": "Not Found"}, "misconfigured", "_BASE_URL"),
    "Gemini key": (
        400,
        told("API key not valid. Please pass a valid API key."),
        "misconfigured",
        "_API_KEY",
    ),
    "Anthropic credit": (
        400,
        told("Your credit balance is too low to access the Anthropic API."),
        "provider_error",
        "billing",
    ),
    "OpenAI quota": (
        429,
        told("You exceeded your current quota", code="insufficient_quota"),
        "provider_error",
        "billing",
    ),
    "a text for an error": (400, {"error": "model 'x' not found"}, "misconfigured", PLACE),
    "a list": (400, [UPSTREAM], "invalid_request", "shorten them"),
    "no JSON": (400, UPSTREAM, "invalid_request", "shorten them"),
    "nothing known": (400, told(UPSTREAM), "invalid_request", "shorten them"),
    "a fault that quotes the request": (
        422,
        {"detail": [{"loc": ["body"], "input": "temperature"}]},
        "invalid_request",
        "shorten them",
    ),
}


@pytest.fixture(scope="module", params=list(SERVICES))
def asked(request: pytest.FixtureRequest) -> Iterator[tuple[LLMServer, Provider]]:
    """Yield a service, and a provider that asks it."""
    with serving() as running:
        yield running, SERVICES[request.param].asking(running)


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_a_refusal_names_what_is_refused(
    asked: tuple[LLMServer, Provider], said: tuple[int, Any, str, str]
) -> None:
    server, provider = asked
    status, body, error_type, part = said
    server.usual = Reply(status=status, body=json.dumps(body).encode())
    refusal = failure(provider)
    assert (refusal.error.error_type, refusal.error.retryable) == (error_type, False)
    assert part in refusal.error.error_message
    assert f"(HTTP {status})" in refusal.error.error_message
    assert refusal.usage == NOTHING_USED


class Newer(LLMServer):
    """A service in front of a model that does not know `max_tokens`."""

    def reply_to(self, asked: Asked) -> Reply:
        reply = super().reply_to(asked)
        if "max_tokens" in asked.body:
            return Reply(status=400, body=json.dumps({"error": NEWER}).encode())
        return reply


def test_a_model_that_knows_the_bound_by_another_name_is_asked_by_that() -> None:
    server = Newer()
    try:
        response = openai_provider(server).complete(REQUEST)
        assert response.content == TEXT[::-1]
        first, second = (asked.body for asked in server.asked)
        assert (first.pop("max_tokens"), second.pop("max_completion_tokens")) == (1024, 1024)
        assert first == second
    finally:
        server.close()


def test_it_is_asked_no_third_time(server: LLMServer) -> None:
    server.usual = Reply(status=400, body=json.dumps({"error": NEWER}).encode())
    failure(openai_provider(server))
    assert len(server.asked) == 2


def test_what_may_be_billed_is_not_asked_a_second_time(server: LLMServer) -> None:
    server.usual = Reply(status=500, body=json.dumps({"error": NEWER}).encode())
    assert failure(openai_provider(server)).usage == UNKNOWN_USED
    assert len(server.asked) == 1
