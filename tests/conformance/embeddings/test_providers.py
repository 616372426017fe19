"""What holds for every embedding provider, whichever the settings choose.

`noop` and the ones that embed pass the same tests: each request is answered as the Protocol says,
or refused in its bounded words.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from remit.cognition.embeddings.local import LocalEmbeddingProvider
from remit.cognition.embeddings.openai import OpenAIEmbeddingProvider
from remit.cognition.embeddings.provider import (
    EmbeddingProvider,
    EmbeddingProviderError,
    NoOpEmbeddingProvider,
)
from remit.cognition.embeddings.retrying import RetryingEmbeddings
from remit.cognition.embeddings.types import EmbeddingRequest, EmbeddingResponse, vector_fault
from remit.errors import InvalidInputError, ProviderError
from remit.vocabulary import EmbeddingErrorType, words_of
from tests.support.embedding_server import EmbeddingServer, serving

CANARY = "sk-canary-7f3a9d"


@dataclass(frozen=True)
class Case:
    """A provider under test.

    Attributes:
        make: builds one, given the service.
        embeds: whether it embeds; else it refuses everything.
    """

    make: Callable[[EmbeddingServer], EmbeddingProvider]
    embeds: bool = True


def _openai(server: EmbeddingServer) -> OpenAIEmbeddingProvider:
    return OpenAIEmbeddingProvider(
        model="text-embedding-3-small",
        api_key=SecretStr(CANARY),
        base_url=server.url,
        timeout_seconds=20,
    )


def _openai_in_numbers(server: EmbeddingServer) -> OpenAIEmbeddingProvider:
    server.as_numbers = True
    return _openai(server)


CASES = {
    "noop": Case(lambda _: NoOpEmbeddingProvider(), embeds=False),
    "local": Case(lambda _: LocalEmbeddingProvider()),
    "openai": Case(_openai),
    "openai answering in numbers": Case(_openai_in_numbers),
    "openai retried": Case(lambda server: RetryingEmbeddings(_openai(server))),
    "noop retried": Case(lambda _: RetryingEmbeddings(NoOpEmbeddingProvider()), embeds=False),
}

TEXTS = ("log slow queries", "how many connections are allowed", "grün 你好 😀", "x" * 8192, " ")


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddingServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def provider(case: Case, server: EmbeddingServer) -> Iterator[EmbeddingProvider]:
    yield case.make(server)
    server.as_numbers = False


def answered(case: Case, ask: Callable[[], EmbeddingResponse]) -> EmbeddingResponse | None:
    """Return the answer; None from a provider that refuses everything, once that is proven."""
    if case.embeds:
        return ask()
    with pytest.raises(EmbeddingProviderError) as refusal:
        ask()
    assert refusal.value.error.error_type == "disabled"
    assert not refusal.value.retryable
    assert "EMBEDDING_PROVIDER" in refusal.value.message
    return None


def test_each_text_has_a_vector_that_can_be_stored(case: Case, provider: EmbeddingProvider) -> None:
    response = answered(case, lambda: provider.embed(EmbeddingRequest(TEXTS)))
    if response is None:
        return
    assert [vector_fault(vector) for vector in response.embeddings] == [None] * len(TEXTS)
    assert response.model == provider.model
    assert response.usage.latency_ms >= 0


def test_the_same_text_has_the_same_vector_in_any_company(
    case: Case, provider: EmbeddingProvider
) -> None:
    first = answered(case, lambda: provider.embed(EmbeddingRequest(TEXTS)))
    if first is None:
        return
    again = provider.embed(EmbeddingRequest(tuple(reversed(TEXTS))))
    assert again.embeddings == tuple(reversed(first.embeddings))
    assert tuple(provider.embed_single(text) for text in TEXTS) == first.embeddings


def test_texts_that_differ_have_vectors_that_differ(
    case: Case, provider: EmbeddingProvider
) -> None:
    response = answered(case, lambda: provider.embed(EmbeddingRequest(TEXTS)))
    assert response is None or len(set(response.embeddings)) == len(TEXTS)


def test_a_hundred_texts_are_taken_at_once_and_keep_their_order(
    case: Case, provider: EmbeddingProvider
) -> None:
    texts = tuple(f"note {number} " * 300 for number in range(100))
    response = answered(case, lambda: provider.embed(EmbeddingRequest(texts)))
    if response is None:
        return
    assert len(response.embeddings) == 100
    for place in (0, 41, 99):
        assert response.embeddings[place] == provider.embed_single(texts[place])


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ((), "texts"),
        (("a",) * 101, "texts"),
        (("a", ""), "texts[1]"),
        (("a" * 8193,), "texts[0]"),
        (("nul\0",), "texts[0]"),
        (("half \ud800",), "texts[0]"),
        ((b"bytes",), "texts[0]"),
    ],
    ids=["none", "101", "empty", "too long", "NUL", "surrogate", "bytes"],
)
def test_what_passes_a_bound_is_refused_before_anybody_is_asked(
    provider: EmbeddingProvider, server: EmbeddingServer, texts: tuple[str, ...], field: str
) -> None:
    before = len(server.asked)
    with pytest.raises(InvalidInputError) as refusal:
        provider.embed(EmbeddingRequest(texts))
    assert refusal.value.field == field
    assert len(server.asked) == before


def test_a_single_text_has_the_same_bounds(provider: EmbeddingProvider) -> None:
    with pytest.raises(InvalidInputError):
        provider.embed_single("a" * 8193)


def test_threads_may_share_it(case: Case, server: EmbeddingServer) -> None:
    provider = case.make(server)
    if answered(case, lambda: provider.embed(EmbeddingRequest(("warm",)))) is None:
        return
    with ThreadPoolExecutor(8) as threads:
        vectors = list(threads.map(provider.embed_single, TEXTS * 8))
    assert vectors == list(provider.embed(EmbeddingRequest(TEXTS)).embeddings) * 8


def test_a_first_request_may_come_from_several_threads_at_once(
    case: Case, server: EmbeddingServer
) -> None:
    provider = case.make(server)

    def ask(text: str) -> tuple[float, ...] | str:
        try:
            return provider.embed_single(text)
        except EmbeddingProviderError as error:
            return error.reason

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, ["one text"] * 8))) == 1


def test_its_names_can_be_recorded(provider: EmbeddingProvider) -> None:
    assert provider.name in {"noop", "local", "openai"}
    assert 1 <= len(provider.model) <= 200
    assert provider.model.isprintable()


def test_it_does_not_show_its_key(provider: EmbeddingProvider) -> None:
    assert CANARY not in f"{provider!r} {provider} {provider.model}"


def test_every_refusal_is_a_provider_error_in_bounded_words() -> None:
    with pytest.raises(ProviderError) as refusal:
        NoOpEmbeddingProvider().embed(EmbeddingRequest(("a",)))
    assert refusal.value.reason in words_of(EmbeddingErrorType)


def test_no_two_providers_share_the_name_of_a_model(server: EmbeddingServer) -> None:
    with serving() as other:
        providers: list[EmbeddingProvider] = [
            NoOpEmbeddingProvider(),
            LocalEmbeddingProvider(),
            _openai(server),
            _openai(other),
            OpenAIEmbeddingProvider(model="text-embedding-3-small", api_key=SecretStr(CANARY)),
            OpenAIEmbeddingProvider(model="text-embedding-3-large", api_key=SecretStr(CANARY)),
        ]
    assert len({provider.model for provider in providers}) == len(providers)
