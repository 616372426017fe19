"""What every embedding provider offers, its error, and the provider that refuses."""

from abc import ABC, abstractmethod
from typing import NoReturn

from remit.cognition.embeddings.types import EmbeddingError, EmbeddingRequest, EmbeddingResponse
from remit.errors import ProviderError
from remit.vocabulary import EmbeddingErrorType


class EmbeddingProvider(ABC):
    """Turns texts into vectors. One instance may be used by several threads.

    Attributes:
        name: the word that chooses it: `noop`, `local` or `openai`.
        model: what its vectors are recorded under, at most 200 characters. It says everything that
            changes the vectors, so two providers with one model's name give vectors that may be
            compared, and no others may be.
    """

    name: str
    model: str

    @abstractmethod
    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Return one vector for each text, in their order, or raise EmbeddingProviderError."""

    def embed_single(self, text: str) -> tuple[float, ...]:
        """Return the vector of one text, or raise as `embed` and :class:`EmbeddingRequest` do."""
        return self.embed(EmbeddingRequest((text,))).embeddings[0]


class EmbeddingProviderError(ProviderError):
    """A provider gave no vectors; `error` says why."""

    def __init__(self, error: EmbeddingError) -> None:
        super().__init__(error.message, reason=error.error_type, retryable=error.retryable)
        self.error = error


def final(error_type: EmbeddingErrorType, message: str) -> EmbeddingProviderError:
    """Return an error that asking again does not help against."""
    return EmbeddingProviderError(EmbeddingError(error_type, message))


class NoOpEmbeddingProvider(EmbeddingProvider):
    """Refuses every request, so that no text leaves the machine by default."""

    name = "noop"
    model = "noop"

    def embed(self, request: EmbeddingRequest) -> NoReturn:  # noqa: ARG002 - every provider's form
        """Raise EmbeddingProviderError, `disabled`."""
        raise final(
            "disabled",
            "search by meaning is switched off: set EMBEDDING_PROVIDER to local (offline, no key) "
            "or to openai (needs OPENAI_API_KEY)",
        )
