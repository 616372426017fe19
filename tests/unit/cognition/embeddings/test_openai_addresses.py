"""Texts and key go to the place that was meant, or nowhere."""

import pytest
from pydantic import SecretStr

from remit.cognition.addresses import ServiceAddress
from remit.cognition.embeddings.openai import OpenAIEmbeddingProvider
from remit.cognition.embeddings.provider import EmbeddingProviderError

VENDOR = "https://api.openai.com/v1"
LOOPBACK = "http://127.0.0.1:8080/v1"


def made(
    *, url: str = VENDOR, key: str | None = "sk-1", model: str = "m"
) -> OpenAIEmbeddingProvider:
    secret = None if key is None else SecretStr(key)
    return OpenAIEmbeddingProvider(model=model, api_key=secret, base_url=url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://api.openai.com/v1/",
            ServiceAddress("https://api.openai.com/v1", "api.openai.com/v1", is_loopback=False),
        ),
        (
            " https://API.example.org:8443/Models/v1 ",
            ServiceAddress(
                "https://api.example.org:8443/Models/v1",
                "api.example.org:8443/Models/v1",
                is_loopback=False,
            ),
        ),
        (
            "http://localhost:11434/v1",
            ServiceAddress("http://localhost:11434/v1", "localhost:11434/v1", is_loopback=True),
        ),
        (
            "http://[::1]:9000",
            ServiceAddress("http://[::1]:9000", "[::1]:9000", is_loopback=True),
        ),
        (
            "http://127.8.9.1",
            ServiceAddress("http://127.8.9.1", "127.8.9.1", is_loopback=True),
        ),
    ],
)
def test_an_address_is_read(url: str, expected: ServiceAddress) -> None:
    assert made(url=url)._address == expected


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1",
        "ftp://example.org",
        "https://",
        "https:///v1",
        "https://user:pass-canary@example.org/v1",
        "https://example.org/v1?key=pass-canary",
        "https://example.org/v1#part",
        "https://example.org:99999/v1",
        "https://[::1/v1",
        "https://ex\u0430mple.org/v1",
        "https://example.org/v1/" + "x" * 100,
        "https://example.org/a b",
        "https://example.org/v1\nHost: evil",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        made(url=url)
    assert refusal.value.reason == "misconfigured"
    assert "OPENAI_BASE_URL is no address" in refusal.value.message
    assert "canary" not in refusal.value.message


@pytest.mark.parametrize(
    "url", ["http://example.org/v1", "http://10.0.0.1", "http://localhost.example.org"]
)
def test_nothing_is_sent_in_clear_to_another_machine(url: str) -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        made(url=url)
    assert "in clear: write https://" in refusal.value.message


@pytest.mark.parametrize(
    ("key", "url", "expected"),
    [
        ("sk-1", VENDOR, "sk-1"),
        (" sk-1\n", VENDOR, "sk-1"),
        ("sk-1", LOOPBACK, "sk-1"),
        (None, LOOPBACK, "none"),
        ("", LOOPBACK, "none"),
    ],
)
def test_a_key_is_needed_away_from_this_machine(key: str | None, url: str, expected: str) -> None:
    assert made(url=url, key=key)._key == expected


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (None, "set OPENAI_API_KEY"),
        ("", "set OPENAI_API_KEY"),
        (" ", "set OPENAI_API_KEY"),
        ("canary two", "copy it again"),
        ("canary\r\nHost: evil", "copy it again"),
        ("canaryé", "copy it again"),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_not_repeated(key: str | None, told: str) -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        made(key=key)
    assert refusal.value.reason == "misconfigured"
    assert told in refusal.value.message
    assert "canary" not in refusal.value.message


@pytest.mark.parametrize("model", ["", " ", "a b", "a'; DROP TABLE x; --", "x" * 81, "modèle", "@"])
def test_what_cannot_be_a_model_is_refused(model: str) -> None:
    with pytest.raises(EmbeddingProviderError) as refusal:
        made(model=model)
    assert "EMBEDDING_MODEL" in refusal.value.message


def test_the_longest_name_of_a_model_can_still_be_recorded() -> None:
    place = "https://" + "h" * 100
    assert len(made(url=place, model="m" * 80).model) <= 200
