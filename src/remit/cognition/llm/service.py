"""What every provider on a service shares: settings checked, one deadline.

`anthropic` and `openai` are built of it; what their protocols do differently stands there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from remit.cognition.addresses import (
    ServiceAddress,
    checked_key,
    checked_model,
    parse_address,
)
from remit.cognition.deadlines import within
from remit.cognition.llm.provider import LLMProviderError, final
from remit.cognition.llm.types import LLMError, LLMRequest, LLMUsage
from remit.cognition.llm.usage import NOTHING_USED, UNKNOWN_USED
from remit.cognition.llm.vendors import Vendor
from remit.cognition.service_failures import FIRST_OF_THE_SERVICE, said

_GAVE_UP_WAITING = (408, 460, 499)
"""Statuses of a refusal by which the service may have been at work all the same."""

_OVERLOADED = 529
_UNAVAILABLE = 503
_NOT_BEGUN = re.compile("overload|unavailable|capacity|busy|slow.?down|loading|no healthy upstream")
"""How services and gateways say, in lower case, that a request was not begun."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service and how to ask it.

    Attributes:
        vendor: whose protocol it speaks.
        address: where it is.
        key: the key to send.
        model: the model to ask where a request names none; None for none.
        timeout_seconds: how long an answer may take in all.
    """

    vendor: Vendor
    address: ServiceAddress
    key: str = field(repr=False)
    model: str | None
    timeout_seconds: float

    @property
    def is_vendors_own(self) -> bool:
        """Whether it is the vendor's, not one that speaks its protocol."""
        return self.address.url == self.vendor.url

    def model_for(self, request: LLMRequest) -> str:
        """Return the model to ask.

        Raises:
            LLMProviderError: `misconfigured`: neither the request nor the settings name one.
        """
        model = request.model or self.model
        if model is None:
            raise final(
                "misconfigured",
                f"no model is named: set LLM_MODEL, such as {self.vendor.example}, or name one in "
                "the request",
            )
        return model


def checked_service(
    vendor: Vendor,
    *,
    model: str | None,
    api_key: SecretStr | None,
    base_url: str | None,
    timeout_seconds: float,
) -> Service:
    """Return the service that settings describe; nothing is sent.

    Args:
        vendor: whose protocol it speaks.
        model: the model to ask where a request names none; None for none.
        api_key: the key; None only for a service on this machine.
        base_url: address of the service; None for the vendor's own.
        timeout_seconds: how long an answer may take in all.

    Raises:
        LLMProviderError: `misconfigured`; the message names the variable.
    """
    try:
        address = parse_address(base_url or vendor.url, variable=vendor.address_variable)
        key = checked_key(
            api_key,
            address,
            variable=vendor.key_variable,
            missing=f"no key for the language model: set {vendor.key_variable}, or "
            f"{vendor.address_variable} to a service on this machine, which needs none",
        )
        if model is not None:
            checked_model(model, variable="LLM_MODEL", example=vendor.example)
    except ValueError as error:
        raise final("misconfigured", str(error)) from None
    return Service(vendor, address, key, model, timeout_seconds)


def ask(
    service: Service, send: Callable[[], bytes], *, failure_of: Callable[[Exception], LLMError]
) -> bytes:
    """Return the body that a service answers with.

    Args:
        service: the service.
        send: sends the request with the SDK.
        failure_of: what an error of that means.

    Raises:
        LLMProviderError: it did not answer, or refused; `usage` is unknown where it may bill the
            request all the same.
    """
    try:
        return within(service.timeout_seconds, send)
    except Exception as error:  # noqa: BLE001 - whatever an SDK raises may quote the request
        failure, usage = failure_of(error), _used(error)
    # Outside the handler: an error raised in there would carry the SDK's along, and with it the
    # request, its key and its messages.
    raise LLMProviderError(failure, usage=usage)


def _used(error: Exception) -> LLMUsage:
    """Return what a request used up that failed: nothing only where that is certain."""
    # Not among the imports above: the HTTP client comes with an SDK, as the errors do.
    from remit.cognition.bounded_http import never_connected

    return NOTHING_USED if is_refused(error) or never_connected(error) else UNKNOWN_USED


def is_refused(error: Exception) -> bool:
    """Return whether an SDK's error says that the service did not begin, and so does not bill."""
    status = getattr(error, "status_code", None)
    if status == _UNAVAILABLE:
        return _NOT_BEGUN.search(said(error)) is not None
    return status == _OVERLOADED or (
        isinstance(status, int) and status < FIRST_OF_THE_SERVICE and status not in _GAVE_UP_WAITING
    )


def nonsense(service: Service, error: ValueError) -> LLMProviderError:
    """Return the failure of a service whose answer cannot be read, though it may be billed."""
    return final(
        "provider_error",
        f"{service.vendor.words.service} answered, but {error}: check that "
        f"{service.vendor.address_variable} names a service of this kind",
        usage=UNKNOWN_USED,
    )
