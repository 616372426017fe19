"""The provider that refuses says how to choose another."""

import pytest

from remit.cognition.embeddings.provider import EmbeddingProviderError, NoOpEmbeddingProvider
from remit.cognition.embeddings.types import EmbeddingError, EmbeddingRequest


def test_every_request_is_refused_with_the_way_out() -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        NoOpEmbeddingProvider().embed(EmbeddingRequest(("a",)))
    assert refusal.value.error == EmbeddingError(
        "disabled",
        "search by meaning is switched off: set EMBEDDING_PROVIDER to local (offline, no key) or "
        "to openai (needs OPENAI_API_KEY)",
        retryable=False,
    )


def test_a_single_text_is_refused_alike() -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        NoOpEmbeddingProvider().embed_single("a")
    assert refusal.value.reason == "disabled"
