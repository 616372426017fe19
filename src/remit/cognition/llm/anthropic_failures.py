"""What a failure of Anthropic's SDK means, in the bounded words of `types`; `anthropic` asks.

The table is that of `remit.cognition.service_failures`; nothing that the SDK wrote is repeated.
"""

import anthropic

from remit.cognition.llm.types import LLMError
from remit.cognition.llm.vendors import ANTHROPIC, error_of
from remit.cognition.service_failures import (
    Failure,
    late,
    out_of_credit,
    refused,
    unknown,
    unreachable,
)

_OUT_OF_CREDIT = "billing_error"


def failure_of(error: Exception, *, timeout_seconds: float) -> LLMError:
    """Return what an error means that was raised while the service was asked.

    Args:
        error: what was raised.
        timeout_seconds: how long the service was allowed, for the message.
    """
    return error_of(_failure(error, timeout_seconds))


def _failure(error: Exception, timeout_seconds: float) -> Failure:
    if isinstance(error, anthropic.APITimeoutError | TimeoutError):
        return late(ANTHROPIC.words, timeout_seconds)
    if isinstance(error, anthropic.APIConnectionError):
        return unreachable(ANTHROPIC.words)
    if not isinstance(error, anthropic.APIStatusError):
        return unknown(ANTHROPIC.words)
    if error.type == _OUT_OF_CREDIT:
        return out_of_credit(ANTHROPIC.words, error.status_code)
    return refused(ANTHROPIC.words, error.status_code, error.response.headers)
