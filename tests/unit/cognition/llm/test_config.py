"""The settings choose the provider; what is wrong with them is told at once, by name."""

import json
import subprocess
import sys
from typing import Any

import pytest

from remit.cognition.llm.anthropic import AnthropicLLMProvider
from remit.cognition.llm.config import get_llm_provider
from remit.cognition.llm.openai import OpenAILLMProvider
from remit.cognition.llm.provider import LLMProvider, LLMProviderError, NoOpLLMProvider
from remit.settings import Settings
from tests.support.llm_asking import REQUEST
from tests.support.llm_server import LLMServer


def settings(**fields: Any) -> Settings:
    return Settings(**fields)


@pytest.mark.parametrize("unset", [{}, {"llm_provider": ""}, {"llm_provider": "noop"}])
def test_no_model_is_asked_before_somebody_chose_one(unset: dict[str, Any]) -> None:
    assert isinstance(get_llm_provider(settings(**unset)), NoOpLLMProvider)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"llm_provider": "openai", "openai_api_key": "sk-1"}, OpenAILLMProvider),
        ({"llm_provider": "anthropic", "anthropic_api_key": "sk-1"}, AnthropicLLMProvider),
        (
            {"llm_provider": "openai", "openai_base_url": "http://localhost:11434/v1"},
            OpenAILLMProvider,
        ),
    ],
)
def test_one_word_chooses_a_provider(fields: dict[str, Any], kind: type[LLMProvider]) -> None:
    provider = get_llm_provider(settings(**fields))
    assert isinstance(provider, kind)
    assert provider.name == fields["llm_provider"]


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_every_setting_arrives(server: LLMServer, name: str) -> None:
    provider = get_llm_provider(
        settings(
            llm_provider=name,
            llm_model="some/model",
            openai_api_key="sk-of-openai",
            openai_base_url=server.url,
            anthropic_api_key="sk-of-anthropic",
            anthropic_base_url=server.root,
        )
    )
    assert provider.complete(REQUEST).model == "some/model"
    assert server.asked[0].headers["Authorization"] == f"Bearer sk-of-{name}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"llm_provider": "opneai"},
            'LLM_PROVIDER is "opneai": set it to noop, anthropic or openai',
        ),
        (
            {"llm_provider": "OpenAI\n"},
            'LLM_PROVIDER is "OpenAI\\n": set it to noop, anthropic or openai',
        ),
        (
            {"llm_provider": "openai"},
            (
                "no key for the language model: set OPENAI_API_KEY, or OPENAI_BASE_URL to a "
                "service on this machine, which needs none"
            ),
        ),
        (
            {"llm_provider": "anthropic", "openai_api_key": "sk-1"},
            (
                "no key for the language model: set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL to a "
                "service on this machine, which needs none"
            ),
        ),
        (
            {"llm_provider": "openai", "openai_api_key": "sk-1", "llm_model": "a b"},
            (
                "LLM_MODEL is no model's name: at most 80 letters, digits and ._:/-, such as "
                "gpt-6.2-sol"
            ),
        ),
        (
            {
                "llm_provider": "anthropic",
                "anthropic_api_key": "sk-1",
                "anthropic_base_url": "http://example.org",
            },
            "ANTHROPIC_BASE_URL would send texts and key in clear: write https:// in front of it",
        ),
    ],
)
def test_a_wrong_choice_is_named_with_its_remedy(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(LLMProviderError) as refusal:
        get_llm_provider(settings(**fields))
    assert refusal.value.message == expected
    assert refusal.value.reason == "misconfigured"
    assert not refusal.value.retryable


LOADED = """
import json, sys
from remit.cognition.llm.config import get_llm_provider
from remit.settings import Settings
for word in ("noop", "anthropic", "openai"):
    get_llm_provider(
        Settings(llm_provider=word, openai_api_key="sk-1", anthropic_api_key="sk-1")
    )
print(json.dumps(sorted(sys.modules)))
"""


def test_choosing_a_provider_loads_no_sdk() -> None:
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert {"anthropic", "openai", "httpx2"}.isdisjoint(json.loads(run.stdout))
