"""What a failure of OpenAI's SDK means, in the bounded words of `types`; `openai` asks.

The table is that of `remit.cognition.service_failures`; nothing that the SDK wrote is repeated.
"""

import openai

from remit.cognition.llm.types import LLMError
from remit.cognition.llm.vendors import OPENAI, error_of
from remit.cognition.service_failures import (
    Failure,
    late,
    out_of_credit,
    refused,
    unknown,
    unreachable,
)

_OUT_OF_CREDIT = "insufficient_quota"


def failure_of(error: Exception, *, timeout_seconds: float) -> LLMError:
    """Return what an error means that was raised while the service was asked.

    Args:
        error: what was raised.
        timeout_seconds: how long the service was allowed, for the message.
    """
    return error_of(_failure(error, timeout_seconds))


def _failure(error: Exception, timeout_seconds: float) -> Failure:
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return late(OPENAI.words, timeout_seconds)
    if isinstance(error, openai.APIConnectionError):
        return unreachable(OPENAI.words)
    if not isinstance(error, openai.APIStatusError):
        return unknown(OPENAI.words)
    if error.code == _OUT_OF_CREDIT:
        return out_of_credit(OPENAI.words, error.status_code)
    return refused(OPENAI.words, error.status_code, error.response.headers)
