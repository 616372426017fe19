"""What a refusal of a service means, in one table for every kind of provider. Pure but for a date.

What the service wrote is never repeated, since it may quote the key or a text.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import ModuleType
from typing import Any, Generic, TypeVar

from remit.vocabulary import FailureKind

_Type_co = TypeVar("_Type_co", bound=str, covariant=True)


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind of provider speaks of its service.

    Attributes:
        service: such as "the embedding service"; `sdk` says whose SDK asks it.
        key: what to do about a key that is not accepted.
        place: what to check when there is nothing at the address, or no such model.
        address: the variable that holds the address.
        request: what is most likely wrong with a request that is refused.
        offer: what the service is asked for, in the plural.
        known: what a refusal says, in lower case, and what that means; the first found counts.
    """

    service: str
    sdk: str
    key: str
    place: str
    address: str
    request: str
    offer: str
    known: tuple[tuple[re.Pattern[str], str], ...] = ()


@dataclass(frozen=True)  # with slots, `Failure[...](...)` could not be called
class Failure(Generic[_Type_co]):
    """Why a provider failed.

    Attributes:
        message: what is wrong and how to mend it; never holds a key or what was sent.
        retryable: whether the same request may succeed later with nothing changed.
        retry_after_seconds: how long the service asked to be left alone; None when it did not say.
    """

    error_type: _Type_co
    message: str
    retryable: bool = False
    retry_after_seconds: float | None = None


FIRST_OF_THE_SERVICE = 500
_LONGEST_READ = 600

_OUT_OF_CREDIT = re.compile(
    r"insufficient_quota|billing_error|billing_hard_limit|billing_not_active"
    r"|credit balance is too low|insufficient (balance|credits)"
)
_WRONG_KEY = re.compile(r"api.?key (is )?not valid|(invalid|incorrect).api.?key")
_WRONG_MODEL = re.compile(r"model_not_found|(unknown|no such) model|model.{0,90}not (exist|found)")


def failure_of(
    error: Exception, sdk: ModuleType, words: Words, *, timeout_seconds: float
) -> Failure[FailureKind]:
    """Return what an error means that was raised while a service was asked.

    `sdk` is the vendor's; all of them call their errors by the same names. `timeout_seconds` is how
    long the service was allowed.
    """
    if isinstance(error, sdk.APITimeoutError | TimeoutError):
        return late(words, timeout_seconds)
    if isinstance(error, sdk.APIConnectionError):
        # Not among the imports above: the HTTP client comes with an SDK.
        from remit.cognition.bounded_http import unreadable

        fault = unreadable(error)
        if fault is None:
            return unreachable(words)
        told = f"{words.service} {fault}: check that {words.address} names a service of this kind, "
        return Failure("provider_error", f"{told}and what a proxy in between does")
    if not isinstance(error, sdk.APIStatusError):
        return unknown(words)
    refusal: Any = error
    says = said(refusal)
    status = refusal.status_code
    if status < FIRST_OF_THE_SERVICE and _OUT_OF_CREDIT.search(says):
        meaning = "has no credit left for this key: look at the account's billing"
        return Failure("rate_limited", _worded(words, status, meaning))
    return refused(words, status, refusal.response.headers, says)


def said(refusal: Any) -> str:  # noqa: ANN401 - an error of an SDK's own
    """Return what a refusal says, in lower case: to be looked through, and never to be repeated."""
    body = refusal.body
    # One of the SDKs takes the error out of the body by itself.
    body = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(body, Mapping):
        return str(body or "")[:_LONGEST_READ].lower()
    parts = (body.get(name) for name in ("code", "type", "param", "message", "detail"))
    # A list of faults quotes the request.
    return " ".join(part for part in parts if isinstance(part, str))[:_LONGEST_READ].lower()


def late(words: Words, timeout_seconds: float) -> Failure[FailureKind]:
    """Return the failure of a service that did not answer in time."""
    return Failure(
        "timeout",
        f"{words.service} did not answer within {timeout_seconds:g} seconds: try again, or allow "
        "it more with PROVIDER_TIMEOUT_SECONDS",
        retryable=True,
    )


def unreachable(words: Words) -> Failure[FailureKind]:
    """Return the failure of a service that cannot be reached, or whose answer broke off."""
    return Failure(
        "provider_error",
        f"{words.service} cannot be reached, or its answer broke off: try again; if that does not "
        f"help, check {words.address} and the network",
        retryable=True,
    )


def unknown(words: Words) -> Failure[FailureKind]:
    """Return the failure of an SDK that raised something else."""
    return Failure("provider_error", f"the SDK of {words.sdk} failed: try again")


def refused(
    words: Words, status: int, headers: Mapping[str, str], says: str = ""
) -> Failure[FailureKind]:
    """Return what a status other than success means.

    `headers` are by lower-case name; `says` is what :func:`said` returns.
    """
    error_type, meaning = _meaning(words, status, says)
    return Failure(
        error_type,
        _worded(words, status, meaning),
        retryable=status in {408, 409, 425, 429} or status >= FIRST_OF_THE_SERVICE,
        retry_after_seconds=_retry_after(headers),
    )


def _meaning(words: Words, status: int, says: str) -> tuple[FailureKind, str]:
    if status in {400, 413, 422}:
        for pattern, meaning in words.known:
            if pattern.search(says):
                return "invalid_request", meaning
        if _WRONG_KEY.search(says):
            status = HTTPStatus.UNAUTHORIZED
        elif _WRONG_MODEL.search(says):
            status = HTTPStatus.NOT_FOUND
    by_status: Mapping[int, tuple[FailureKind, str]] = {
        400: ("invalid_request", f"refused the request: {words.request}"),
        401: ("misconfigured", f"does not accept the key: {words.key}"),
        402: ("misconfigured", "wants to be paid first: look at the account's billing"),
        403: ("misconfigured", f"does not allow this: {words.key}"),
        404: ("misconfigured", f"knows no such model or address: {words.place}"),
        405: ("misconfigured", f"offers no {words.offer} at this address: {words.place}"),
        408: ("timeout", "gave up waiting: try again"),
        413: ("invalid_request", f"found the request too large: {words.request}"),
        422: ("invalid_request", f"refused the request: {words.request}"),
        429: ("rate_limited", "was asked for too much at once: try again later"),
    }
    if status in by_status:
        return by_status[status]
    if status in range(300, 400):
        return "misconfigured", f"sends elsewhere: set {words.address} to its final address"
    if status >= FIRST_OF_THE_SERVICE:
        return "provider_error", "failed: try again later"
    return "provider_error", f"refused the request: {words.place}"


def _worded(words: Words, status: int, meaning: str) -> str:
    return f"{words.service} {meaning} (HTTP {status})"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    for name, a_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / a_second
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    # A date without a zone is in UTC, as HTTP's dates are.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
