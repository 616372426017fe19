"""Whatever a service does, every provider tells it in bounded words that give nothing away.

`noop` passes the same tests: it asks nobody, so nothing that a service does can reach it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import create_server
from threading import Event, Thread
from typing import Any

import pytest
from pydantic import SecretStr

from remit.cognition.llm.anthropic import AnthropicLLMProvider
from remit.cognition.llm.openai import OpenAILLMProvider
from remit.cognition.llm.provider import LLMProvider
from remit.cognition.llm.types import NOTHING_USED, UNKNOWN_USED
from tests.conformance.llm.cases import Case, answered
from tests.support.embedding_server import Reply
from tests.support.llm_asking import CANARY, REQUEST, TEXT, UPSTREAM, failure
from tests.support.llm_server import LLMServer


def _error(**fields: Any) -> bytes:
    """Return an error's body that quotes the key and the message, as services do."""
    fields = {"message": f"{UPSTREAM}: key {CANARY} and text {TEXT}", "type": "some", **fields}
    return json.dumps({"type": "error", "error": fields}).encode()


@dataclass(frozen=True)
class Refusal:
    """What the service does, and what it becomes: the type, whether to retry, parts of the words.

    The parts are held apart by `|`.
    """

    reply: Reply
    error_type: str
    retryable: bool
    told: str


def _status(
    status: int, error_type: str, *, retryable: bool, told: str, says: bytes | None = None
) -> Refusal:
    body = _error() if says is None else says
    reply = Reply(status=status, body=body, headers={"Location": "http://127.0.0.1:9/"})
    return Refusal(reply, error_type, retryable, f"{told}|(HTTP {status})")


NOT_BEGUN = {
    "overloaded": _error(type="overloaded_error"),
    "no server": b"<h1>503 Service Temporarily Unavailable</h1>",
    "no upstream": b"no healthy upstream",
    "busy": b'{"error": "server busy, please try again"}',
    "loading": b'{"error": {"code": 503, "message": "Loading model"}}',
}
"""What services and gateways say with a 503 of a request that no model saw."""

BILLED = (200, 408, 460, 499, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 530)
"""Statuses that say nothing of whether the model was at work."""


REFUSALS = {
    "307": _status(307, "misconfigured", retryable=False, told="_BASE_URL"),
    "400": _status(400, "invalid_request", retryable=False, told="shorten them"),
    "401": _status(401, "misconfigured", retryable=False, told="_API_KEY"),
    "402": _status(402, "misconfigured", retryable=False, told="billing"),
    "403": _status(403, "misconfigured", retryable=False, told="_API_KEY"),
    "404": _status(404, "misconfigured", retryable=False, told="LLM_MODEL"),
    "408": _status(408, "timeout", retryable=True, told="try again"),
    "413": _status(413, "invalid_request", retryable=False, told="shorten them"),
    "418": _status(418, "provider_error", retryable=False, told="refused"),
    "422": _status(422, "invalid_request", retryable=False, told="shorten them"),
    "429": _status(429, "provider_error", retryable=True, told="later"),
    "500": _status(500, "provider_error", retryable=True, told="later"),
    "503": _status(503, "provider_error", retryable=True, told="later"),
    "504": _status(504, "provider_error", retryable=True, told="later"),
    **{
        str(status): _status(status, "provider_error", retryable=status >= 500, told="service")
        for status in BILLED
        if status not in (200, 408, 500, 503, 504)
    },
    **{
        name: _status(503, "provider_error", retryable=True, told="later", says=says)
        for name, says in NOT_BEGUN.items()
    },
    "529": _status(529, "provider_error", retryable=True, told="later"),
    "an error that is no JSON": Refusal(
        Reply(status=500, body=f"<h1>{UPSTREAM} {CANARY}</h1>".encode()),
        "provider_error",
        retryable=True,
        told="(HTTP 500)",
    ),
    "a cut body": Refusal(
        Reply(body=f'{{"id": "{TEXT}'.encode(), announced=500),
        "provider_error",
        retryable=True,
        told="its answer broke off",
    ),
    "malformed JSON": Refusal(
        Reply(body=f'{{"content": "{TEXT}", '.encode()),
        "provider_error",
        retryable=False,
        told="answered, but",
    ),
    "no JSON": Refusal(
        Reply(body=b"<html>", headers={"Content-Type": "text/html"}),
        "provider_error",
        retryable=False,
        told="answered, but",
    ),
    "another shape": Refusal(
        Reply(body=json.dumps({"content": TEXT, "choices": TEXT}).encode()),
        "provider_error",
        retryable=False,
        told="answered, but",
    ),
    "a list": Refusal(Reply(body=b"[]"), "provider_error", retryable=False, told="answered, but"),
    "nothing": Refusal(Reply(body=b""), "provider_error", retryable=False, told="answered, but"),
    "a compressed body": Refusal(
        Reply(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
        "provider_error",
        retryable=False,
        told="answered compressed though not asked for|_BASE_URL",
    ),
    "a compressed refusal": Refusal(
        Reply(status=503, body=b"\x1f\x8b", headers={"Content-Encoding": "br"}),
        "provider_error",
        retryable=True,
        told="(HTTP 503)",
    ),
    "no content": Refusal(
        Reply(status=200, body=b" "),
        "provider_error",
        retryable=False,
        told="answered, but the answer is empty",
    ),
    "a stream": Refusal(
        Reply(body=f'data: {{"content": "{TEXT}"}}\n\n'.encode()),
        "provider_error",
        retryable=False,
        told="answered, but the answer is a stream of events|_BASE_URL",
    ),
    "a web page": Refusal(
        Reply(body=f"\n<!DOCTYPE html>{UPSTREAM}".encode(), headers={"Content-Type": "text/html"}),
        "provider_error",
        retryable=False,
        told="answered, but the answer is a web page|_BASE_URL",
    ),
    "another charset": Refusal(
        Reply(body=_error().decode().encode("utf-16")),
        "provider_error",
        retryable=False,
        told="answered, but",
    ),
    "an error under a good status": Refusal(
        Reply(body=_error()), "provider_error", retryable=True, told="failed|try again"
    ),
    "a text for an error": Refusal(
        Reply(body=json.dumps({"error": UPSTREAM}).encode()),
        "provider_error",
        retryable=False,
        told="answered, but|_BASE_URL",
    ),
}


@pytest.mark.parametrize("refusal", list(REFUSALS.values()), ids=list(REFUSALS))
def test_whatever_the_service_does_is_told_in_bounded_words(
    case: Case, provider: LLMProvider, server: LLMServer, refusal: Refusal
) -> None:
    server.replies.append(refusal.reply)
    failed = failure(provider)
    error = failed.error
    if not case.answers:
        assert error.error_type == "disabled"
        assert not server.asked
        return
    # A refusal costs nothing; of what broke off after a good status, or at the service or a gateway
    # once it had the request, nobody knows.
    is_unknown = refusal.reply.status in BILLED and refusal.reply.body not in NOT_BEGUN.values()
    assert failed.usage == (UNKNOWN_USED if is_unknown else NOTHING_USED)
    assert (error.error_type, error.retryable) == (refusal.error_type, refusal.retryable)
    for part in refusal.told.split("|"):
        assert part in error.error_message
    assert len(server.asked) == 1, "no redirect is followed, and the SDK retries nothing"


@pytest.mark.parametrize(
    "reply",
    [Reply(waits=True), Reply(drips=0.05), Reply(status=500, body=_error(), drips=0.05)],
    ids=["hangs", "drips", "drips an error"],
)
def test_a_service_that_takes_too_long_is_left(case: Case, server: LLMServer, reply: Reply) -> None:
    server.replies.append(reply)
    failed = failure(case.make(server, 0.4))
    error = failed.error
    if not case.answers:
        assert error.error_type == "disabled"
        return
    assert failed.usage == UNKNOWN_USED
    assert (error.error_type, error.retryable) == ("timeout", True)
    assert "within 0.4 seconds" in error.error_message
    assert "PROVIDER_TIMEOUT_SECONDS" in error.error_message


def test_a_service_that_is_not_there_is_worth_another_attempt(
    case: Case, provider: LLMProvider, server: LLMServer
) -> None:
    server.close()
    failed = failure(provider)
    error = failed.error
    assert failed.usage == NOTHING_USED
    expected = ("provider_error", True) if case.answers else ("disabled", False)
    assert (error.error_type, error.retryable) == expected


@pytest.mark.parametrize("coding", ["", "identity", "identity, identity"])
def test_an_answer_that_is_called_plain_is_read(
    case: Case, provider: LLMProvider, server: LLMServer, coding: str
) -> None:
    server.replies.append(Reply(headers={"Content-Encoding": coding}))
    response = answered(case, provider, REQUEST)
    assert response is None or response.content == TEXT[::-1]


def test_after_a_failure_it_answers_again(
    case: Case, provider: LLMProvider, server: LLMServer
) -> None:
    server.replies.append(Reply(status=500, body=_error()))
    failure(provider)
    response = answered(case, provider, REQUEST)
    assert response is None or response.content == TEXT[::-1]


@contextmanager
def _dripping_headers() -> Iterator[int]:
    """Yield the port of a service whose first line never ends, though it never pauses long."""
    ended = Event()
    with create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while not ended.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = Thread(target=drip)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize("kind", [AnthropicLLMProvider, OpenAILLMProvider])
def test_not_even_headers_that_drip_keep_anybody_waiting(
    kind: type[AnthropicLLMProvider] | type[OpenAILLMProvider],
) -> None:
    with _dripping_headers() as port:
        provider = kind(
            model="m",
            api_key=SecretStr(CANARY),
            base_url=f"http://127.0.0.1:{port}",
            timeout_seconds=0.4,
        )
        error = failure(provider).error
    assert (error.error_type, error.retryable) == ("timeout", True)
