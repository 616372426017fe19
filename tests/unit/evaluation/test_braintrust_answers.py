"""What is made of the service's bad answers: errors of bounded types that give nothing away."""

import gzip
import json
from typing import Any

import pytest

from remit.evaluation.interface import EvaluationProviderError
from tests.support.braintrust_server import PROJECT_PATH, BraintrustServer
from tests.support.embedding_server import Reply
from tests.support.evaluations import RUN_ID, ended_run
from tests.unit.evaluation.telling import failure, provider


@pytest.mark.parametrize(
    ("reply", "reason", "retryable"),
    [
        (Reply(400, b'{"error": "upstream"}'), "invalid_request", False),
        (Reply(401, b"upstream"), "misconfigured", False),
        (Reply(403, b"upstream"), "misconfigured", False),
        (Reply(404, b"upstream"), "misconfigured", False),
        (Reply(429, b"upstream", {"Retry-After": "3"}), "rate_limited", True),
        (Reply(500, b"upstream"), "provider_error", True),
        (Reply(529, b"upstream"), "provider_error", True),
        (Reply(302, b"", {"Location": "http://127.0.0.1:9/upstream"}), "misconfigured", False),
        (Reply(200, b'{"id": "upstr', announced=500), "provider_error", True),
        (Reply(200, b"<html>upstream</html>"), "provider_error", False),
        (Reply(200, b""), "provider_error", False),
        (Reply(200, b"[" * 100_000), "provider_error", False),
        (Reply(200, b"[]"), "provider_error", False),
        (Reply(200, b'{"id": 7}'), "provider_error", False),
        (Reply(200, b'{"id": "../../v1/upstream"}'), "provider_error", False),
        (Reply(200, b" " * 2_000_000), "provider_error", True),
        (
            Reply(200, gzip.compress(b'{"id": "a"}'), {"Content-Encoding": "gzip"}),
            "provider_error",
            True,
        ),
        (Reply(waits=True), "timeout", True),
        (Reply(200, b" " * 1000, drips=0.02), "timeout", True),
    ],
    ids=[
        *("400", "401", "403", "404", "429", "500", "529", "elsewhere", "cut", "no JSON", "empty"),
        *("deep", "list", "number", "path", "huge", "compressed", "silent", "dripping"),
    ],
)
def test_a_bad_answer_is_an_error_of_a_bounded_type(
    server: BraintrustServer, reply: Reply, reason: str, *, retryable: bool
) -> None:
    late = reply.waits or reply.drips
    telling = provider(server, timeout_seconds=0.5 if late else 20)
    if late:
        telling.log_trace(ended_run())  # the SDK is loaded by then, whose import takes its time
    server.replies.append(reply)
    refusal = failure(telling)
    assert (refusal.reason, refusal.retryable) == (reason, retryable)
    telling.log_trace(ended_run())


@pytest.mark.parametrize("coding", ["", "identity", "identity, identity"])
def test_an_answer_that_is_called_plain_is_read(server: BraintrustServer, coding: str) -> None:
    server.replies.append(Reply(headers={"Content-Encoding": coding}))
    provider(server).log_trace(ended_run())


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(401, b"upstream"), "misconfigured"),
        (Reply(500, b"upstream"), "provider_error"),
        (Reply(200, b"{}"), "provider_error"),
    ],
    ids=["401", "500", "no id"],
)
def test_each_check_asks_anew_whether_runs_could_be_told_of(
    server: BraintrustServer, reply: Reply, reason: str
) -> None:
    telling = provider(server)
    telling.check()
    server.replies.append(reply)
    with pytest.raises(EvaluationProviderError) as refusal:
        telling.check()
    assert refusal.value.reason == reason
    assert "upstream" not in str(refusal.value)
    telling.check()
    assert server.paths() == [PROJECT_PATH] * 3


def test_nobody_at_the_address_is_an_error_that_may_pass(server: BraintrustServer) -> None:
    telling = provider(server)
    server.close()
    refusal = failure(telling)
    assert (refusal.reason, refusal.retryable) == ("provider_error", True)


@pytest.mark.parametrize(
    "answer",
    [[], {}, {"row_ids": "1"}, {"row_ids": []}, {"row_ids": ["1", "2"]}],
    ids=["list", "empty", "text", "none", "too many"],
)
def test_rows_that_the_service_does_not_confirm_are_not_taken_as_kept(
    server: BraintrustServer, answer: Any
) -> None:
    telling = provider(server)
    telling.log_trace(ended_run())
    server.replies.append(Reply(body=json.dumps(answer).encode()))
    assert "without saying that every row was taken" in failure(telling).message


@pytest.mark.parametrize(
    "data",
    [
        None,
        [1],
        [{"id": "another"}],
        [{"id": str(RUN_ID)}] * 2,
        [{"id": str(RUN_ID), "scores": [1]}],
        [{"id": str(RUN_ID), "scores": {"a": 1.5}}],
        [{"id": str(RUN_ID), "scores": {"a": -0.1}}],
        [{"id": str(RUN_ID), "scores": {"a": float("nan")}}],
        [{"id": str(RUN_ID), "scores": {"a": True}}],
        [{"id": str(RUN_ID), "scores": {"a": "1"}}],
        [{"id": str(RUN_ID), "scores": {"": 1}}],
        [{"id": str(RUN_ID), "scores": {"a" * 101: 1}}],
        [{"id": str(RUN_ID), "scores": {str(n): 1 for n in range(60)}}],
    ],
    ids=[
        *("no rows", "no row", "another", "two", "list", "above", "below", "NaN", "flag", "text"),
        *("nameless", "long name", "too many"),
    ],
)
def test_scores_that_are_none_are_refused(server: BraintrustServer, data: Any) -> None:
    telling = provider(server)
    telling.log_trace(ended_run())
    server.replies += [
        Reply(body=b'{"row_ids": ["1"]}'),
        Reply(body=json.dumps({"data": data}).encode()),
    ]
    with pytest.raises(EvaluationProviderError) as refusal:
        telling.score(ended_run())
    assert refusal.value.reason == "provider_error"


def test_a_row_without_scores_has_those_that_were_sent(server: BraintrustServer) -> None:
    telling = provider(server)
    row = json.dumps({"data": [{"id": str(RUN_ID), "scores": None}]}).encode()
    telling.log_trace(ended_run())
    server.replies += [Reply(body=b'{"row_ids": ["1"]}'), Reply(body=row)]
    assert [each.name for each in telling.score(ended_run())] == ["completed", "first_attempt"]
