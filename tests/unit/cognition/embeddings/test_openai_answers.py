"""Nonsense is never taken for vectors, and no answer costs more time or memory than is allowed."""

import gzip
import json
import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from remit.cognition import bounded_http
from tests.support.embedding_server import EmbeddingServer, Reply, answer_to
from tests.unit.cognition.embeddings.asking import ASKED, REQUEST, failure, provider


def _vectors(change: Callable[[list[list[float]]], list[list[float]]]) -> bytes:
    return answer_to(ASKED, change=change)


def _numbers(change: Callable[[list[list[float]]], list[list[float]]]) -> bytes:
    return answer_to(ASKED, change=change, as_numbers=True)


def _changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(answer_to(ASKED)), **fields}).encode()


def _with_first(**fields: Any) -> bytes:
    data = json.loads(answer_to(ASKED))["data"]
    return _changed(data=[{**data[0], **fields}, *data[1:]])


NONSENSE = {
    "no JSON": b"<html>a proxy's page</html>",
    "half of the JSON": answer_to(ASKED)[:-20],
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "deep": b"[" * 200_000,
    "not UTF-8": b'{"data": "\xff"}',
    "no data": _changed(data=None),
    "no vectors": _changed(data=[]),
    "one vector too few": _vectors(lambda all_: all_[1:]),
    "one vector too many": _vectors(lambda all_: [*all_, all_[0]]),
    "one index twice": _with_first(index=1),
    "an index outside": _with_first(index=2),
    "an index that is text": _with_first(index="0"),
    "a vector that is null": _with_first(embedding=None),
    "a vector of text": _with_first(embedding=["1.0"] * 1536),
    "no base64": _with_first(embedding="*" * 8192),
    "base64 with something in between": _with_first(
        embedding=f"A*{json.loads(answer_to(ASKED))['data'][0]['embedding'][1:]}"
    ),
    "base64 of a byte too few": _with_first(embedding="AAAA"),
    "a number too few": _vectors(lambda all_: [all_[0][1:], all_[1]]),
    "a number too few, as numbers": _numbers(lambda all_: [all_[0][1:], all_[1]]),
    "a number too many, as numbers": _numbers(lambda all_: [[*all_[0], 1.0], all_[1]]),
    "NaN": _vectors(lambda all_: [[math.nan, *all_[0][1:]], all_[1]]),
    "NaN, as numbers": _numbers(lambda all_: [[math.nan, *all_[0][1:]], all_[1]]),
    "infinity": _vectors(lambda all_: [all_[0], [-math.inf, *all_[1][1:]]]),
    "infinity, as numbers": _numbers(lambda all_: [all_[0], [math.inf, *all_[1][1:]]]),
    "zeros": _vectors(lambda all_: [[0.0] * 1536, all_[1]]),
    "a count of tokens below zero": _changed(usage={"total_tokens": -1}),
}


@pytest.mark.parametrize("body", list(NONSENSE.values()), ids=list(NONSENSE))
def test_nonsense_is_never_taken_for_vectors(server: EmbeddingServer, body: bytes) -> None:
    server.replies.append(Reply(body=body))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("provider_error", False)
    assert "the embedding service answered, but " in error.message


def test_an_answer_that_breaks_off_is_worth_another_attempt(server: EmbeddingServer) -> None:
    body = answer_to(ASKED)
    server.replies.append(Reply(body=body[:-100], announced=len(body)))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("provider_error", True)
    assert provider(server).embed(REQUEST).embeddings


def test_a_service_that_is_not_there_is_worth_another_attempt(server: EmbeddingServer) -> None:
    server.close()
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("provider_error", True)
    assert "OPENAI_BASE_URL" in error.message


@pytest.mark.parametrize(
    "reply",
    [Reply(waits=True), Reply(drips=0.05), Reply(status=500, drips=0.05)],
    ids=["hangs", "drips", "drips an error"],
)
def test_no_answer_keeps_anybody_waiting_for_long(server: EmbeddingServer, reply: Reply) -> None:
    server.replies.append(reply)
    started = monotonic()
    error = failure(provider(server, timeout_seconds=0.4))
    assert monotonic() - started < 5
    assert (error.error_type, error.retryable) == ("timeout", True)
    assert "within 0.4 seconds" in error.message


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_answer_is_not_read_to_its_end(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(bounded_http, "MAX_ANSWER_BYTES", 100_000)
    body = answer_to(ASKED)
    server.replies.append(Reply(status=status, body=body + b" " * (100_001 - len(body))))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("provider_error", False)
    assert "sent more than 100000 bytes, where its answer broke off" in error.message


def test_the_longest_answer_that_is_read_is_read(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = answer_to(ASKED)
    monkeypatch.setattr(bounded_http, "MAX_ANSWER_BYTES", len(body))
    server.replies.append(Reply(body=body))
    assert len(provider(server).embed(REQUEST).embeddings) == 2


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "identity, gzip", "GZIP"])
def test_a_compressed_answer_is_not_unpacked(server: EmbeddingServer, coding: str) -> None:
    body = gzip.compress(answer_to(ASKED))
    server.replies.append(Reply(body=body, headers={"Content-Encoding": coding}))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("provider_error", False)
    assert "compressed though not asked for" in error.message
    assert "OPENAI_BASE_URL" in error.message


@pytest.mark.parametrize("coding", ["", "identity", "identity, identity", " Identity ", ","])
def test_an_answer_that_is_called_plain_is_read(server: EmbeddingServer, coding: str) -> None:
    server.replies.append(Reply(headers={"Content-Encoding": coding}))
    assert len(provider(server).embed(REQUEST).embeddings) == 2


def test_a_compressed_refusal_is_told_by_its_status(server: EmbeddingServer) -> None:
    headers = {"Content-Encoding": "gzip"}
    server.replies.append(Reply(502, gzip.compress(b"a proxy's page"), headers))
    error = failure(provider(server))
    assert (error.error_type, error.retryable) == ("provider_error", True)
    assert "(HTTP 502)" in error.message
    assert provider(server).embed(REQUEST).embeddings


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": None}, {"total_tokens": 0}], ids=str)
def test_usage_that_was_not_counted_refuses_no_vectors(
    server: EmbeddingServer, usage: dict[str, Any] | None
) -> None:
    server.replies.append(Reply(body=_changed(usage=usage)))
    told = provider(server).embed(REQUEST)
    assert len(told.embeddings) == 2
    assert (told.usage.total_tokens, told.usage.estimated_cost_usd) == (None, None)


def test_a_byte_order_mark_is_passed_over(server: EmbeddingServer) -> None:
    server.replies.append(Reply(body=b"\xef\xbb\xbf" + answer_to(ASKED)))
    assert len(provider(server).embed(REQUEST).embeddings) == 2
