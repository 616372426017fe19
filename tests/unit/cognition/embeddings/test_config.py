"""The settings choose the provider; what is wrong with them is told at once, by name."""

import json
import subprocess
import sys
from typing import Any

import pytest

from remit.cognition.embeddings.config import get_embedding_provider
from remit.cognition.embeddings.local import LocalEmbeddingProvider
from remit.cognition.embeddings.provider import EmbeddingProviderError, NoOpEmbeddingProvider
from remit.cognition.embeddings.retrying import RetryingEmbeddings
from remit.settings import Settings


def settings(**fields: Any) -> Settings:
    return Settings(**fields)


def test_nothing_is_embedded_before_somebody_chose_how() -> None:
    assert isinstance(get_embedding_provider(settings()), NoOpEmbeddingProvider)


@pytest.mark.parametrize("unset", [None, ""])
def test_the_embedded_stack_chooses_where_nobody_did(unset: str | None) -> None:
    provider = get_embedding_provider(settings(embedding_provider=unset), default="local")
    assert isinstance(provider, LocalEmbeddingProvider)


def test_a_choice_goes_before_that_of_the_stack() -> None:
    provider = get_embedding_provider(settings(embedding_provider="noop"), default="local")
    assert isinstance(provider, NoOpEmbeddingProvider)


def test_the_service_is_asked_again_when_that_may_help() -> None:
    provider = get_embedding_provider(settings(embedding_provider="openai", openai_api_key="sk-1"))
    assert isinstance(provider, RetryingEmbeddings)
    assert (provider.name, provider.model) == ("openai", "text-embedding-3-small@1536")


def test_another_model_at_another_service_has_another_name() -> None:
    provider = get_embedding_provider(
        settings(
            embedding_provider="openai",
            embedding_model="org/some-model:v2",
            openai_base_url="http://localhost:11434/v1/",
        )
    )
    assert provider.model == "org/some-model:v2@1536 at localhost:11434/v1"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"embedding_provider": "opneai"},
            'EMBEDDING_PROVIDER is "opneai": set it to noop, local or openai',
        ),
        (
            {"embedding_provider": "OpenAI\n"},
            'EMBEDDING_PROVIDER is "OpenAI\\n": set it to noop, local or openai',
        ),
        (
            {"embedding_provider": "openai"},
            (
                "no key for the embedding service: set OPENAI_API_KEY, or set EMBEDDING_PROVIDER "
                "to local, which needs none"
            ),
        ),
    ],
)
def test_a_wrong_choice_is_named_with_its_remedy(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        get_embedding_provider(settings(**fields))
    assert refusal.value.message == expected
    assert refusal.value.reason == "misconfigured"
    assert not refusal.value.retryable


LOADED = """
import json, sys
from remit.cognition.embeddings.config import get_embedding_provider
from remit.settings import Settings
for word in ("noop", "local", "openai"):
    get_embedding_provider(Settings(embedding_provider=word, openai_api_key="sk-1"))
print(json.dumps(sorted(sys.modules)))
"""


def test_choosing_a_provider_loads_no_model_and_no_sdk() -> None:
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert {"numpy", "wordllama", "openai", "httpx2"}.isdisjoint(json.loads(run.stdout))
