"""What a provider on a service does, whichever protocol it speaks: ask once, read, answer.

`anthropic` and `openai` say only what their protocols do differently.
"""

from abc import ABC, abstractmethod
from functools import partial
from time import perf_counter
from typing import Any, ClassVar

from pydantic import SecretStr

from remit.cognition.addresses import ServiceAddress
from remit.cognition.llm.answers import Answer, respond
from remit.cognition.llm.provider import final
from remit.cognition.llm.service import Service, ask, checked_service, nonsense
from remit.cognition.llm.types import LLMError, LLMRequest, LLMResponse
from remit.cognition.llm.vendors import Vendor
from remit.cognition.sdk_clients import Opened, no_sdk


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

        Args:
            model: what the service calls the model to ask where a request names none; None for
                none.
            api_key: the key; None only for a service on this machine.
            base_url: address of the service; None for the vendor's own.
            timeout_seconds: how long an answer may take in all.

        Raises:
            LLMProviderError: `misconfigured`; the message names the variable.
        """
        service = checked_service(
            self.vendor,
            model=model,
            api_key=api_key,
            base_url=base_url,
            timeout_seconds=timeout_seconds,
        )
        self._service = service
        self._client = self._opened(service)

    @property
    def name(self) -> str:
        """The word that chooses it."""
        return self.vendor.name

    def complete(self, request: LLMRequest) -> LLMResponse:
        """Return the answer of the model.

        Raises:
            LLMProviderError: of any type but `disabled`.
        """
        model = self._service.model_for(request)
        arguments = self.arguments(self._service, model, request)
        client = self._client.get()
        started = perf_counter()
        content = ask(
            self._service, partial(self.sent, client, arguments), failure_of=self._failure
        )
        latency_ms = (perf_counter() - started) * 1000
        try:
            answer = self.read(content)
        except ValueError as error:
            raise nonsense(self._service, error) from None
        return respond(answer, vendor=self.name, asked_model=model, latency_ms=latency_ms)

    def _opened(self, service: Service) -> Opened[Any]:
        return Opened(
            partial(
                self.connect,
                service.address,
                key=service.key,
                timeout_seconds=service.timeout_seconds,
            ),
            without_sdk=no_sdk(
                self.vendor.title,
                self.vendor.name,
                otherwise="set LLM_PROVIDER to another provider",
            ),
            misconfigured=partial(final, "misconfigured"),
        )

    def _failure(self, error: Exception) -> LLMError:
        return self.failure(error, self._service.timeout_seconds)

    @staticmethod
    @abstractmethod
    def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> Any:  # noqa: ANN401 - a client of the SDK's own
        """Return the SDK's client of a service."""

    @staticmethod
    @abstractmethod
    def arguments(service: Service, model: str, request: LLMRequest) -> dict[str, Any]:
        """Return what the SDK is asked with; the request's metadata is not part of it.

        Raises:
            LLMProviderError: `invalid_request`: the protocol cannot say it.
        """

    @staticmethod
    @abstractmethod
    def sent(client: Any, arguments: dict[str, Any]) -> bytes:  # noqa: ANN401 - as `connect`
        """Return the body that the service answers with."""

    @staticmethod
    @abstractmethod
    def read(content: bytes) -> Answer:
        """Return what a body holds; ValueError when it is no answer."""

    @staticmethod
    @abstractmethod
    def failure(error: Exception, timeout_seconds: float) -> LLMError:
        """Return what an error of the SDK means."""
