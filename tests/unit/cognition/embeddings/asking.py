"""Asks a service on this machine through the provider, and proves what no failure may show."""

import traceback

import pytest
from pydantic import SecretStr

from remit.cognition.embeddings.openai import OpenAIEmbeddingProvider
from remit.cognition.embeddings.provider import EmbeddingProviderError
from remit.cognition.embeddings.types import EmbeddingError, EmbeddingRequest
from tests.support.embedding_server import EmbeddingServer

CANARY = "sk-canary-7f3a9d"
TEXT = "a text nobody else may read"
REQUEST = EmbeddingRequest((TEXT, "another"))
ASKED = {"input": list(REQUEST.texts), "model": "m", "encoding_format": "base64"}


def provider(
    server: EmbeddingServer,
    *,
    key: str | None = CANARY,
    model: str = "text-embedding-3-small",
    timeout_seconds: float = 20,
) -> OpenAIEmbeddingProvider:
    return OpenAIEmbeddingProvider(
        model=model,
        api_key=None if key is None else SecretStr(key),
        base_url=server.url,
        timeout_seconds=timeout_seconds,
    )


def failure(asked: OpenAIEmbeddingProvider, request: EmbeddingRequest = REQUEST) -> EmbeddingError:
    """Return how a request fails, once it is proven that the failure gives nothing away."""
    with pytest.raises(EmbeddingProviderError) as refusal:
        asked.embed(request)
    shown = "".join(traceback.format_exception(refusal.value)) + repr(refusal.value)
    for secret in (CANARY, TEXT, "upstream"):
        assert secret not in shown
    linked: BaseException | None = refusal.value
    while linked is not None:
        assert type(linked).__module__.split(".")[0] not in {"openai", "httpx2", "pydantic_core"}
        linked = linked.__cause__ or linked.__context__
    return refusal.value.error
