"""Every refusal of the service becomes one of the bounded types, and gives nothing away."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from time_machine import travel

from remit.cognition.embeddings.openai import WORDS
from remit.cognition.failures import failure_of
from tests.support.embedding_server import EmbeddingServer, Reply
from tests.unit.cognition.embeddings.asking import CANARY, TEXT, failure, provider


def _error(**fields: Any) -> bytes:
    """Return an error's body that quotes the key and the text, as services do."""
    fields = {"message": f"upstream said: key {CANARY} and text {TEXT}", **fields}
    return json.dumps({"error": fields}).encode()


@dataclass(frozen=True)
class Refusal:
    """A status, and what it becomes: the type, whether to retry, a part of the message."""

    status: int
    error_type: str
    retryable: bool
    told: str


REFUSALS = [
    Refusal(302, "misconfigured", retryable=False, told="OPENAI_BASE_URL"),
    Refusal(307, "misconfigured", retryable=False, told="OPENAI_BASE_URL"),
    Refusal(400, "invalid_request", retryable=False, told="shorten it"),
    Refusal(401, "misconfigured", retryable=False, told="OPENAI_API_KEY"),
    Refusal(402, "misconfigured", retryable=False, told="billing"),
    Refusal(403, "misconfigured", retryable=False, told="OPENAI_API_KEY"),
    Refusal(404, "misconfigured", retryable=False, told="EMBEDDING_MODEL"),
    Refusal(405, "misconfigured", retryable=False, told="OPENAI_BASE_URL"),
    Refusal(408, "timeout", retryable=True, told="try again"),
    Refusal(409, "provider_error", retryable=True, told="refused"),
    Refusal(413, "invalid_request", retryable=False, told="shorten it"),
    Refusal(418, "provider_error", retryable=False, told="refused"),
    Refusal(422, "invalid_request", retryable=False, told="shorten it"),
    Refusal(429, "rate_limited", retryable=True, told="later"),
    Refusal(500, "provider_error", retryable=True, told="later"),
    Refusal(503, "provider_error", retryable=True, told="later"),
    Refusal(529, "provider_error", retryable=True, told="later"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=[str(case.status) for case in REFUSALS])
def test_a_refusal_becomes_one_of_the_bounded_types(server: EmbeddingServer, case: Refusal) -> None:
    location = {"Location": f"{server.url}/elsewhere"}
    server.replies.append(Reply(status=case.status, body=_error(), headers=location))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == (case.error_type, case.retryable)
    assert f"(HTTP {case.status})" in error.message
    assert case.told in error.message
    assert len(server.asked) == 1, "no redirect is followed, and the SDK retries nothing"


def test_an_account_without_credit_is_not_asked_again(server: EmbeddingServer) -> None:
    server.replies.append(Reply(status=429, body=_error(code="insufficient_quota")))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("rate_limited", False)
    assert "billing" in error.message


@pytest.mark.parametrize(
    ("status", "said", "error_type", "told"),
    [
        (400, {"code": "model_not_found"}, "misconfigured", "EMBEDDING_MODEL"),
        (400, {"message": "Model Not Exist"}, "misconfigured", "EMBEDDING_MODEL"),
        (400, {"message": "API key not valid."}, "misconfigured", "OPENAI_API_KEY"),
        (429, {"type": "insufficient_quota"}, "rate_limited", "billing"),
        (400, {"message": "maximum context length is 8192"}, "invalid_request", "shorten it"),
    ],
)
def test_a_refusal_is_told_by_what_the_service_says(
    server: EmbeddingServer, status: int, said: dict[str, str], error_type: str, told: str
) -> None:
    server.replies.append(Reply(status=status, body=_error(**said)))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == (error_type, False)
    assert told in error.message


NOW = datetime(2026, 11, 14, 22, 13, 20, tzinfo=UTC)
SOON = format_datetime(NOW + timedelta(seconds=30), usegmt=True)
PAST = format_datetime(NOW - timedelta(days=365), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After-Ms": "250", "Retry-After": "7"}, 0.25),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": SOON}, 30),
        ({"Retry-After": SOON.replace("GMT", "-0000")}, 30),
        ({"Retry-After": PAST}, 0),
    ],
)
def test_how_long_the_service_wants_to_be_left_alone_is_kept(
    server: EmbeddingServer, headers: dict[str, str], expected: float | None
) -> None:
    server.replies.append(Reply(status=429, body=_error(), headers=headers))
    with travel(NOW, tick=False):
        assert failure(provider(server)).retry_after_seconds == expected


def test_what_the_sdk_raises_besides_is_told_without_its_words() -> None:
    import openai  # most of a second, which no other test here takes

    error = failure_of(openai.OpenAIError(CANARY), openai, WORDS, timeout_seconds=1)
    assert (error.error_type, error.retryable) == ("provider_error", False)
    assert CANARY not in error.message
