"""What is sent to the service, and what is made of a good answer; over real HTTP."""

import json
import sys
import traceback
from decimal import Decimal

import pytest
from pydantic import SecretStr

from remit.cognition.embeddings.openai import MAX_REQUEST_BYTES, OpenAIEmbeddingProvider
from remit.cognition.embeddings.provider import EmbeddingProviderError
from remit.cognition.embeddings.types import EmbeddingRequest
from tests.support.embedding_server import EmbeddingServer, Reply, answer_to, vector_of
from tests.support.sdk_variables import SDK_VARIABLES
from tests.unit.cognition.embeddings.asking import ASKED, CANARY, REQUEST, provider


def test_what_is_sent_is_what_the_protocol_asks_for(server: EmbeddingServer) -> None:
    provider(server).embed(REQUEST)
    [asked] = server.asked
    assert asked.path == "/v1/embeddings"
    assert asked.headers["Authorization"] == f"Bearer {CANARY}"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.body == {
        "input": list(REQUEST.texts),
        "model": "text-embedding-3-small",
        "dimensions": 1536,
        "encoding_format": "base64",
    }


def test_a_service_on_this_machine_needs_no_key(server: EmbeddingServer) -> None:
    provider(server, key=None).embed(REQUEST)
    assert server.asked[0].headers["Authorization"] == "Bearer none"


def test_no_variable_of_the_sdk_changes_what_is_sent(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SDK_VARIABLES["openai"].items():
        monkeypatch.setenv(name, value)
    provider(server).embed(REQUEST)
    assert "other" not in str(server.asked[0].headers)


def test_vectors_are_those_of_the_service_in_the_order_of_the_texts(
    server: EmbeddingServer,
) -> None:
    answer = json.loads(answer_to(ASKED))
    answer["data"].reverse()
    server.replies.append(Reply(body=json.dumps(answer).encode()))
    assert provider(server).embed(REQUEST).embeddings == tuple(
        tuple(vector_of(text)) for text in REQUEST.texts
    )


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("text-embedding-3-small", Decimal("0.00000028")),
        ("text-embedding-3-large", Decimal("0.00000182")),
        ("nobody/knows-its-price", None),
    ],
)
def test_usage_tells_tokens_cost_and_time(
    server: EmbeddingServer, model: str, cost: Decimal | None
) -> None:
    usage = provider(server, model=model).embed(REQUEST).usage
    assert (usage.total_tokens, usage.estimated_cost_usd) == (14, cost)
    assert usage.latency_ms > 0


def test_usage_that_was_not_told_is_unknown(server: EmbeddingServer) -> None:
    answer = json.loads(answer_to(ASKED))
    del answer["usage"]
    server.replies.append(Reply(body=json.dumps(answer).encode()))
    usage = provider(server).embed(REQUEST).usage
    assert (usage.total_tokens, usage.estimated_cost_usd) == (None, None)


def test_texts_that_are_too_much_for_one_request_go_in_several(server: EmbeddingServer) -> None:
    texts = tuple(f"{number:04d}" + "好" * 8000 for number in range(40))
    response = provider(server).embed(EmbeddingRequest(texts))
    sent = [asked.body["input"] for asked in server.asked]
    assert [text for part in sent for text in part] == list(texts)
    assert all(sum(len(text.encode()) for text in part) <= MAX_REQUEST_BYTES for part in sent)
    assert len(sent) == 4
    assert response.embeddings[17] == tuple(vector_of(texts[17]))
    assert response.usage.total_tokens == 40 * 7


def test_a_missing_sdk_is_told_with_the_package_to_install(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(EmbeddingProviderError) as refusal:
        provider(server).embed(REQUEST)
    assert refusal.value.reason == "misconfigured"
    assert "`pip install openai`" in refusal.value.message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere/certificates.pem"),
        ("HTTPS_PROXY", "gopher://canary@127.0.0.1"),
        ("ALL_PROXY", "socks5://canary@127.0.0.1:1"),
    ],
)
def test_an_environment_that_allows_no_connection_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(EmbeddingProviderError) as refusal:
        OpenAIEmbeddingProvider(model="m", api_key=SecretStr(CANARY)).embed(REQUEST)
    assert refusal.value.reason == "misconfigured"
    assert variable in refusal.value.message
    assert "canary" not in "".join(traceback.format_exception(refusal.value))


def test_a_connection_is_given_back_with_the_provider(server: EmbeddingServer) -> None:
    asked = provider(server)
    asked.embed(REQUEST)
    http = asked._client.get()._client
    del asked
    assert http.is_closed
