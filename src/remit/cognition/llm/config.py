"""Which provider of language models the settings choose; doors ask once and pass it down."""

from remit.base.wording import listed, quoted
from remit.cognition.llm.provider import LLMProvider, NoOpLLMProvider, final
from remit.settings import Settings

PROVIDERS = ("noop", "anthropic", "openai")
"""Every word that LLM_PROVIDER may hold."""


def get_llm_provider(settings: Settings) -> LLMProvider:
    """Return the provider that is chosen, else `noop`; nothing is loaded before it is asked.

    Raises:
        LLMProviderError: `misconfigured`; the message names the setting.
    """
    chosen = settings.llm_provider or "noop"
    if chosen == "noop":
        return NoOpLLMProvider()
    if chosen == "anthropic":
        from remit.cognition.llm.anthropic import AnthropicLLMProvider

        return AnthropicLLMProvider(
            model=settings.llm_model or None,
            api_key=settings.anthropic_api_key,
            base_url=settings.anthropic_base_url,
            timeout_seconds=settings.provider_timeout_seconds,
        )
    if chosen == "openai":
        from remit.cognition.llm.openai import OpenAILLMProvider

        return OpenAILLMProvider(
            model=settings.llm_model or None,
            api_key=settings.openai_api_key,
            base_url=settings.openai_base_url,
            timeout_seconds=settings.provider_timeout_seconds,
        )
    raise final("misconfigured", f"LLM_PROVIDER is {quoted(chosen)}: set it to {listed(PROVIDERS)}")
