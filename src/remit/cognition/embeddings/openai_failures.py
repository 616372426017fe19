"""What a failure of the SDK means, in the bounded words of `types`; `openai` asks.

The table is that of `remit.cognition.service_failures`; what to mend is said here.
"""

from remit.cognition import service_failures
from remit.cognition.embeddings.types import EmbeddingError
from remit.cognition.openai_errors import OPENAI_ERRORS
from remit.cognition.service_failures import Words

_WORDS = Words(
    service="the embedding service",
    sdk="OpenAI",
    key="set OPENAI_API_KEY to a key that may use this model",
    place="check EMBEDDING_MODEL and OPENAI_BASE_URL",
    address="OPENAI_BASE_URL",
    request="most likely a text has more tokens than the model takes, so shorten it, or the model "
    "cannot give 1536 dimensions, so set EMBEDDING_MODEL to one that can",
    offer="embeddings",
)


def failure_of(error: Exception, *, timeout_seconds: float) -> EmbeddingError:
    """Return what an error of the SDK means.

    Args:
        error: what the SDK raised.
        timeout_seconds: how long it was allowed to wait, for the message.
    """
    failure = service_failures.failure_of(
        error, OPENAI_ERRORS, _WORDS, timeout_seconds=timeout_seconds
    )
    return EmbeddingError(
        failure.kind,
        failure.message,
        retryable=failure.retryable,
        retry_after_seconds=failure.retry_after_seconds,
    )
