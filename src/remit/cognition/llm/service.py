"""What a provider on a service does, whichever protocol it speaks: ask once, read, answer.

`anthropic` and `openai` say only what their protocols do differently.
"""

import re
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, ClassVar

from pydantic import SecretStr

from remit.cognition.addresses import ServiceAddress, checked_key, checked_model, parse_address
from remit.cognition.failures import FIRST_OF_THE_SERVICE, Words, failure_of, said
from remit.cognition.llm.answers import Answer, respond
from remit.cognition.llm.provider import LLMProviderError, final
from remit.cognition.llm.types import (
    NOTHING_USED,
    UNKNOWN_USED,
    LLMError,
    LLMRequest,
    LLMResponse,
)
from remit.cognition.sdk import Opened, no_sdk, within

UNSUPPORTED_LIMIT = re.compile(
    r"(unsupported|unrecognized|unknown|unexpected).{0,90}max_(completion_)?tokens"
    r"|max_(completion_)?tokens.{0,90}(not (supported|permitted|allowed)|instead)"
)
"""How services say, in lower case, that they do not know the name that bounds an answer."""

_TOO_LONG = re.compile(
    r"context.?(length|window|size|limit)|(prompt|input|request) is too (long|large)"
    r"|too many (input )?tokens|reduce the length|tokens.{0,20} must be <="
)
_GAVE_UP_WAITING = (408, 460, 499)
"""Statuses of a refusal by which the service may have been at work all the same."""

_OVERLOADED = 529
_UNAVAILABLE = 503
_NOT_BEGUN = re.compile("overload|unavailable|capacity|busy|slow.?down|loading|no healthy upstream")
"""How services and gateways say, in lower case, that a request was not begun."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor whose protocol a provider speaks.

    Attributes:
        name: the word that chooses the provider, its SDK's package, and the extra that installs it.
        url: where its own service is; `address_variable` names another.
        example: a model of it, for messages.
    """

    name: str
    title: str
    url: str
    key_variable: str
    address_variable: str
    example: str

    @property
    def words(self) -> Words:
        """How failures of its service are told."""
        return Words(
            service=f"the language model service ({self.name})",
            sdk=self.title,
            key=f"set {self.key_variable} to a key that may use this model",
            place=f"check the model's name (LLM_MODEL) and {self.address_variable}",
            address=self.address_variable,
            request="most likely the messages have more tokens than the model takes, so shorten "
            "them, or the model takes no temperature or fewer max_tokens, so leave the first out "
            "and lower the second",
            offer="answers",
            known=self._known,
        )

    @property
    def _known(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return (
            (
                UNSUPPORTED_LIMIT,
                (
                    "does not take max_tokens, or max_completion_tokens, for this model: name "
                    f"another with LLM_MODEL, or another service with {self.address_variable}"
                ),
            ),
            (
                _TOO_LONG,
                (
                    "refused the request: messages and answer together have more tokens than the "
                    "model takes, so shorten them or lower max_tokens"
                ),
            ),
            (
                re.compile(r"max_(completion_|output_|new_)?tokens"),
                "refused max_tokens: most likely it is more than the model gives, so lower it",
            ),
            (
                re.compile(r"temperature"),
                "refused the temperature: leave it out, or choose one that the model takes",
            ),
            (
                re.compile(r"content_filter|content.{0,12} policy|moderation"),
                "refused to have these messages answered: ask for something else",
            ),
        )


class ServiceProvider(ABC):
    """Sends messages to a service and takes one answer from it."""

    vendor: ClassVar[Vendor]

    def __init__(
        self,
        *,
        model: str | None,
        api_key: SecretStr | None,
        base_url: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        """Check the settings; nothing is sent yet.

        `model` is asked where a request names none. Only a service on this machine needs no key;
        `base_url` is None for the vendor's own. An answer may take `timeout_seconds` in all.

        Raises:
            LLMProviderError: `misconfigured`; the message names the variable.
        """
        vendor = self.vendor
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
        self.is_vendors_own = address.url == vendor.url
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._client: Opened[Any] = Opened(
            partial(self.connect, address, key=key, timeout_seconds=timeout_seconds),
            without_sdk=no_sdk(
                vendor.title, vendor.name, otherwise="set LLM_PROVIDER to another provider"
            ),
            misconfigured=partial(final, "misconfigured"),
        )

    @property
    def name(self) -> str:
        """The word that chooses it."""
        return self.vendor.name

    def complete(self, request: LLMRequest) -> LLMResponse:
        """Return the answer of the model.

        Raises:
            LLMProviderError: of any type but `disabled`; `usage` is unknown where the service may
                bill the request all the same.
        """
        model = request.model or self._model
        if model is None:
            raise final(
                "misconfigured",
                f"no model is named: set LLM_MODEL, such as {self.vendor.example}, or name one in "
                "the request",
            )
        arguments = self.arguments(model, request)
        client = self._client.get()
        started = perf_counter()
        content = self._ask(client, arguments)
        latency_ms = (perf_counter() - started) * 1000
        try:
            answer = self.read(content)
        except ValueError as error:
            raise final(
                "provider_error",
                f"{self.vendor.words.service} answered, but {error}: check that "
                f"{self.vendor.address_variable} names a service of this kind",
                usage=UNKNOWN_USED,
            ) from None
        return respond(answer, vendor=self.name, asked_model=model, latency_ms=latency_ms)

    def _ask(self, client: Any, arguments: dict[str, Any]) -> bytes:  # noqa: ANN401 - as `connect`
        try:
            return within(self._timeout_seconds, partial(self.send, client, arguments))
        except Exception as error:  # noqa: BLE001 - whatever an SDK raises may quote the request
            failure = error_of(error, self.vendor, timeout_seconds=self._timeout_seconds)
            # The HTTP client comes with an SDK, as the errors do.
            from remit.cognition.bounded_http import never_connected

            is_free = is_refused(error) or never_connected(error)
        # Outside the handler: an error raised in there would carry the SDK's along, and with it the
        # request, its key and its messages.
        raise LLMProviderError(failure, usage=NOTHING_USED if is_free else UNKNOWN_USED)

    @staticmethod
    @abstractmethod
    def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> Any:  # noqa: ANN401 - a client of the SDK's own
        """Return the SDK's client of a service."""

    @abstractmethod
    def arguments(self, model: str, request: LLMRequest) -> dict[str, Any]:
        """Return what the SDK is asked with; the request's metadata is not part of it.

        Raises:
            LLMProviderError: `invalid_request`: the protocol cannot say it.
        """

    @staticmethod
    @abstractmethod
    def send(client: Any, arguments: dict[str, Any]) -> bytes:  # noqa: ANN401 - as `connect`
        """Return the body that the service answers with."""

    @staticmethod
    @abstractmethod
    def read(content: bytes) -> Answer:
        """Return what a body holds; ValueError, which quotes nothing, when it is no answer."""


def error_of(error: Exception, vendor: Vendor, *, timeout_seconds: float) -> LLMError:
    """Return what an error means that was raised while a service was asked.

    The error types of language models know no rate limit of their own.
    """
    failure = failure_of(
        error, sys.modules[vendor.name], vendor.words, timeout_seconds=timeout_seconds
    )
    kind = failure.error_type
    return LLMError(
        "provider_error" if kind == "rate_limited" else kind,
        failure.message,
        retryable=failure.retryable,
    )


def is_refused(error: Exception) -> bool:
    """Return whether an SDK's error says that the service did not begin, and so does not bill."""
    status = getattr(error, "status_code", None)
    if status == _UNAVAILABLE:
        return _NOT_BEGUN.search(said(error)) is not None
    return status == _OVERLOADED or (
        isinstance(status, int) and status < FIRST_OF_THE_SERVICE and status not in _GAVE_UP_WAITING
    )
