"""What holds for every provider of language models, whichever the settings choose.

`noop` and the ones on a service pass the same tests: each request is answered as the Protocol says,
or refused in its bounded words.
"""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest

from remit.cognition.llm.provider import LLMProvider, LLMProviderError, NoOpLLMProvider
from remit.cognition.llm.types import LLMMessage, LLMRequest, LLMResponse
from remit.errors import ProviderError
from remit.vocabulary import LLMErrorType
from tests.conformance.llm.cases import Case, answered
from tests.support.embedding_server import Reply
from tests.support.llm_asking import CANARY, REQUEST, TEXT, UPSTREAM, failure
from tests.support.llm_server import INPUT_TOKENS, OUTPUT_TOKENS, LLMServer


def test_messages_are_answered_in_the_words_of_the_model(case: Case, provider: LLMProvider) -> None:
    response = answered(case, provider, REQUEST)
    if response is None:
        return
    assert response.content == TEXT[::-1]
    assert not response.truncated
    assert response.latency_ms > 0


def test_the_model_is_the_one_that_the_request_names(
    case: Case, provider: LLMProvider, server: LLMServer
) -> None:
    request = LLMRequest((LLMMessage("user", "hello"),), model="another/model:v2")
    response = answered(case, provider, request)
    if response is None:
        return
    assert response.model == "another/model:v2"
    assert server.asked[0].body["model"] == "another/model:v2"


def test_what_an_answer_used_up_is_told_in_one_form(case: Case, provider: LLMProvider) -> None:
    response = answered(case, provider, REQUEST)
    if response is None:
        return
    assert response.usage.to_json() == {
        "input_tokens": INPUT_TOKENS,
        "output_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "estimated_cost_usd": f"{case.cost:f}",
    }


def test_an_answer_survives_its_json_form(case: Case, provider: LLMProvider) -> None:
    response = answered(case, provider, REQUEST)
    if response is not None:
        decoded = json.loads(json.dumps(response.to_json()))
        assert LLMResponse.from_json(decoded) == response


@pytest.mark.parametrize("text", ["grün 你好 😀", " ", "a\n\tb", "</s><|end|>", "x" * 199_000])
def test_every_text_comes_through_unharmed(
    case: Case, provider: LLMProvider, server: LLMServer, text: str
) -> None:
    request = LLMRequest((LLMMessage("user", f"{text}?"),))
    response = answered(case, provider, request)
    if response is not None:
        assert server.asked[0].body["messages"] == [{"role": "user", "content": f"{text}?"}]
        assert response.content == f"{text}?"[::-1]


def test_threads_may_share_it(case: Case, provider: LLMProvider) -> None:
    def ask(number: int) -> str:
        try:
            return provider.complete(LLMRequest((LLMMessage("user", f"{number}!"),))).content
        except LLMProviderError as error:
            return error.reason

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(16)))
    expected = [f"!{str(number)[::-1]}" for number in range(16)]
    assert answers == (expected if case.answers else ["disabled"] * 16)


def test_metadata_stays_here(case: Case, provider: LLMProvider, server: LLMServer) -> None:
    request = LLMRequest((LLMMessage("user", "hello"),), metadata={"directive": "kept-here"})
    answered(case, provider, request)
    for asked in server.asked:
        assert "kept-here" not in f"{asked.body} {asked.headers}"


def test_neither_key_nor_messages_reach_a_log(
    case: Case,
    provider: LLMProvider,
    server: LLMServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_LOG", "debug")
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    with caplog.at_level(logging.DEBUG):
        answered(case, provider, REQUEST)
        server.replies.append(Reply(status=400, body=f"{UPSTREAM} {CANARY} {TEXT}".encode()))
        failure(provider)
    for secret in (CANARY, TEXT, TEXT[::-1], UPSTREAM):
        assert secret not in caplog.text


def test_it_shows_neither_key_nor_messages(case: Case, provider: LLMProvider) -> None:
    response = answered(case, provider, REQUEST)
    shown = f"{provider!r} {vars(provider) if case.answers else ''} {REQUEST!r} {response!r}"
    for secret in (CANARY, TEXT, TEXT[::-1]):
        assert secret not in shown


def test_its_name_is_the_word_that_chooses_it(case: Case, provider: LLMProvider) -> None:
    assert provider.name == case.name


def test_every_refusal_is_a_provider_error_of_one_of_five_types() -> None:
    assert set(get_args(LLMErrorType)) == {
        "disabled",
        "misconfigured",
        "provider_error",
        "timeout",
        "invalid_request",
    }
    with pytest.raises(ProviderError) as refusal:
        NoOpLLMProvider().complete(REQUEST)
    assert refusal.value.reason in get_args(LLMErrorType)
