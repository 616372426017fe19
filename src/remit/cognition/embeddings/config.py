"""Which embedding provider the settings choose; doors ask once and pass it down."""

from remit.base.wording import listed, quoted
from remit.cognition.embeddings.provider import EmbeddingProvider, NoOpEmbeddingProvider, final
from remit.settings import Settings

PROVIDERS = ("noop", "local", "openai")
"""Every word that EMBEDDING_PROVIDER may hold."""


def get_embedding_provider(settings: Settings, *, default: str = "noop") -> EmbeddingProvider:
    """Return the provider that is chosen; nothing is loaded, and nothing sent, before it is asked.

    `default` holds where none was chosen; the embedded stack gives `local`.

    Raises:
        EmbeddingProviderError: `misconfigured`; the message names the setting.
    """
    chosen = settings.embedding_provider or default
    if chosen == "noop":
        return NoOpEmbeddingProvider()
    if chosen == "local":
        from remit.cognition.embeddings.local import LocalEmbeddingProvider

        return LocalEmbeddingProvider()
    if chosen == "openai":
        from remit.cognition.embeddings.openai import OpenAIEmbeddingProvider
        from remit.cognition.embeddings.retrying import RetryingEmbeddings

        return RetryingEmbeddings(
            OpenAIEmbeddingProvider(
                model=settings.embedding_model,
                api_key=settings.openai_api_key,
                base_url=settings.openai_base_url,
                timeout_seconds=settings.provider_timeout_seconds,
            )
        )
    raise final(
        "misconfigured",
        f"EMBEDDING_PROVIDER is {quoted(chosen)}: set it to {listed(PROVIDERS)}",
    )
