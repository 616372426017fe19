"""What Braintrust's SDK raises, in the bounded words of `interface`.

`braintrust` asks here. Nothing that the SDK or the service wrote is repeated: either may quote the
key or what was told.
"""

import requests
from braintrust.api import (
    BraintrustHTTPError,
    BraintrustJSONDecodeError,
    BraintrustTransportError,
)

from remit.cognition.service_failures import Failure, Words, late, refused, unknown, unreachable

WORDS = Words(
    service="the evaluation service",
    sdk="Braintrust",
    key="check BRAINTRUST_API_KEY, and what that key is allowed to do",
    place="check BRAINTRUST_API_URL",
    address="BRAINTRUST_API_URL",
    request="check BRAINTRUST_PROJECT",
    offer="evaluations",
)
"""How the failures of this service are worded."""


def failure_of(error: Exception, *, timeout_seconds: float) -> Failure:
    """Return why the service did not do what it was asked.

    Args:
        error: what the SDK raised.
        timeout_seconds: how long it was given, for the message.
    """
    if isinstance(error, BraintrustHTTPError):
        return refused(WORDS, error.status_code, error.response_headers)
    if isinstance(error, BraintrustJSONDecodeError):
        return Failure(
            "provider_error", "the evaluation service answered no JSON: check BRAINTRUST_API_URL"
        )
    if isinstance(error, TimeoutError):
        return late(WORDS, timeout_seconds)
    if isinstance(error, BraintrustTransportError):
        return _without_answer(error.__cause__, timeout_seconds)
    return unknown(WORDS)


def _without_answer(cause: BaseException | None, timeout_seconds: float) -> Failure:
    if isinstance(cause, requests.TooManyRedirects) and cause.response is not None:
        return refused(WORDS, cause.response.status_code, {})
    if isinstance(cause, requests.Timeout):
        return late(WORDS, timeout_seconds)
    return unreachable(WORDS)
