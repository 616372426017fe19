"""The provider that refuses: nothing is embedded before somebody has chosen how.

`config` hands it out when no provider is set, so that no text leaves the machine by default.
"""

from typing import NoReturn

from remit.cognition.embeddings.provider import embed_one, final
from remit.cognition.embeddings.types import EmbeddingRequest


class NoOpEmbeddingProvider:
    """Refuses every request, and says how to choose a provider."""

    name = "noop"
    model = "noop"

    def embed(self, request: EmbeddingRequest) -> NoReturn:  # noqa: ARG002 - the Protocol's form
        """Refuse.

        Raises:
            EmbeddingProviderError: always, `disabled`.
        """
        raise final(
            "disabled",
            "search by meaning is switched off: set EMBEDDING_PROVIDER to local (offline, no key) "
            "or to openai (needs OPENAI_API_KEY)",
        )

    def embed_single(self, text: str) -> tuple[float, ...]:
        """Refuse.

        Raises:
            InvalidInputError: the text is outside the bounds.
            EmbeddingProviderError: otherwise, `disabled`.
        """
        return embed_one(self, text)
