"""A connection ends by itself, also once nobody waits for its answer any more."""

import pytest
from braintrust.api import BraintrustAPIError, RequestTarget

from remit.cognition.addresses import parse_address
from remit.evaluation.braintrust_client import connect, failure_of
from tests.support.braintrust_server import PROJECT_PATH, BraintrustServer
from tests.support.embedding_server import Reply


@pytest.mark.parametrize(
    "reply",
    [Reply(waits=True), Reply(200, b" " * 1000, drips=0.02), Reply(200, b"{", announced=5)],
    ids=["silent", "dripping", "cut"],
)
def test_a_request_is_bounded_in_time_whatever_the_answer_does(
    server: BraintrustServer, reply: Reply
) -> None:
    address = parse_address(server.url, variable="BRAINTRUST_API_URL")
    client = connect(address, key="k", timeout_seconds=0.3)
    server.replies.append(reply)
    url = client.router.resolve(RequestTarget.API, PROJECT_PATH)
    try:
        with pytest.raises(BraintrustAPIError) as refusal:
            client.transport.request_json("POST", url, json={})
    finally:
        client.transport.session.close()
    kind = failure_of(refusal.value, timeout_seconds=0.3).error_type
    assert kind == ("provider_error" if reply.announced else "timeout")


def test_what_is_no_error_of_the_sdk_is_still_of_a_bounded_type() -> None:
    failure = failure_of(RuntimeError("upstream"), timeout_seconds=1)
    assert (failure.error_type, failure.retryable) == ("provider_error", False)
    assert "upstream" not in failure.message
