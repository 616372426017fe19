"""Asks another provider again, when that may help; `config` puts it around what needs a network."""

import stamina

from remit.cognition.embeddings.provider import EmbeddingProvider, EmbeddingProviderError
from remit.cognition.embeddings.types import EmbeddingRequest, EmbeddingResponse


class RetryingEmbeddings(EmbeddingProvider):
    """Asks another provider, again after an error that is `retryable`.

    The wait doubles from one attempt to the next, without jitter; where the service says how long
    to leave it alone, it is that long, and one that asks for more than the longest is left alone.
    """

    def __init__(
        self,
        inner: EmbeddingProvider,
        *,
        attempts: int = 4,
        wait_initial_seconds: float = 0.5,
        wait_max_seconds: float = 30.0,
    ) -> None:
        """Wrap a provider; `attempts` counts the first time too."""
        self.name, self.model = inner.name, inner.model
        self._inner = inner
        self._wait_max_seconds = wait_max_seconds
        self._call = stamina.RetryingCaller(
            attempts=attempts,
            timeout=None,
            wait_initial=wait_initial_seconds,
            wait_max=wait_max_seconds,
            wait_jitter=0,
            wait_exp_base=2,
        )

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Return one vector for each text, or raise the error of the last attempt."""
        return self._call(self._wait_after, self._inner.embed, request)

    def _wait_after(self, error: Exception) -> bool | float:
        """Return whether to ask again, or after how many seconds if the service said so."""
        if not isinstance(error, EmbeddingProviderError) or not error.retryable:
            return False
        asked_for = error.error.retry_after_seconds
        if not asked_for:
            return True
        return asked_for if asked_for <= self._wait_max_seconds else False


def silence_retry_log() -> None:
    """Keep stamina from announcing each retry in this process, on standard output or in a log.

    The switch is one for the whole process, so only a door may turn it.
    """
    stamina.instrumentation.set_on_retry_hooks([])
