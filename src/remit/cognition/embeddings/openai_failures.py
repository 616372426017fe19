"""What a failure of the SDK means, in the bounded words of `types`; `openai` asks.

The table is that of `remit.cognition.service_failures`; what to mend is said here.
"""

import openai

from remit.cognition.embeddings.types import EmbeddingError
from remit.cognition.service_failures import (
    Failure,
    Words,
    late,
    out_of_credit,
    refused,
    unknown,
    unreachable,
)

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

_OUT_OF_CREDIT = "insufficient_quota"


def failure_of(error: openai.OpenAIError, *, timeout_seconds: float) -> EmbeddingError:
    """Return what an error of the SDK means.

    Args:
        error: what the SDK raised.
        timeout_seconds: how long it was allowed to wait, for the message.
    """
    failure = _failure(error, timeout_seconds)
    return EmbeddingError(
        failure.kind,
        failure.message,
        retryable=failure.retryable,
        retry_after_seconds=failure.retry_after_seconds,
    )


def _failure(error: openai.OpenAIError, timeout_seconds: float) -> Failure:
    if isinstance(error, openai.APITimeoutError):
        return late(_WORDS, timeout_seconds)
    if isinstance(error, openai.APIConnectionError):
        return unreachable(_WORDS)
    if not isinstance(error, openai.APIStatusError):
        return unknown(_WORDS)
    if error.code == _OUT_OF_CREDIT:
        return out_of_credit(_WORDS, error.status_code)
    return refused(_WORDS, error.status_code, error.response.headers)
