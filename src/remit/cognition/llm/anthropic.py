"""Answers by Anthropic's service, or by another that speaks its protocol.

Needs the official SDK, which the extra `remit[anthropic]` installs; it is imported at the first
request. The protocol is that of messages.
"""

from functools import partial
from time import perf_counter
from typing import Any

from pydantic import SecretStr

from remit.cognition.llm.answers import respond
from remit.cognition.llm.anthropic_answers import read_answer
from remit.cognition.llm.anthropic_sdk import connect
from remit.cognition.llm.provider import final
from remit.cognition.llm.service import Opened, ask, checked_service, nonsense
from remit.cognition.llm.types import LLMRequest, LLMResponse
from remit.cognition.llm.usage import NOTHING_USED
from remit.cognition.llm.vendors import ANTHROPIC

MAX_TEMPERATURE = 1
"""Highest temperature that the protocol knows."""


class AnthropicLLMProvider:
    """Sends messages to a service and takes one answer from it."""

    name = "anthropic"

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
            ANTHROPIC,
            model=model,
            api_key=api_key,
            base_url=base_url,
            timeout_seconds=timeout_seconds,
        )
        self._service = service
        self._client = Opened(
            ANTHROPIC,
            partial(
                connect, service.address, key=service.key, timeout_seconds=service.timeout_seconds
            ),
        )

    def complete(self, request: LLMRequest) -> LLMResponse:
        """Return the answer of the model.

        Raises:
            LLMProviderError: of any type but `disabled`.
        """
        model = self._service.model_for(request)
        arguments = _arguments(model, request)
        client = self._client.get()
        from remit.cognition.llm.anthropic_failures import failure_of

        started = perf_counter()
        content = ask(
            self._service,
            lambda: client.messages.with_raw_response.create(**arguments).read(),
            failure_of=partial(failure_of, timeout_seconds=self._service.timeout_seconds),
        )
        latency_ms = (perf_counter() - started) * 1000
        try:
            answer = read_answer(content)
        except ValueError as error:
            raise nonsense(self._service, error) from None
        return respond(answer, vendor=self.name, asked_model=model, latency_ms=latency_ms)


def _arguments(model: str, request: LLMRequest) -> dict[str, Any]:
    """Return what the SDK is asked with; the request's metadata is not part of it.

    Raises:
        LLMProviderError: `invalid_request`: the protocol cannot say it.
    """
    arguments: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": [message.to_json() for message in request.messages if message.role != "system"],
    }
    system = [message.content for message in request.messages if message.role == "system"]
    if system:
        arguments["system"] = "\n\n".join(system)
    if request.temperature is not None:
        if request.temperature > MAX_TEMPERATURE:
            raise final(
                "invalid_request",
                f"temperature is above {MAX_TEMPERATURE}, which Anthropic's models do not know: "
                "lower it, or leave it out",
                usage=NOTHING_USED,
            )
        # The SDK has no argument for it any more, since the newer models refuse it; older ones,
        # and other services, take it still.
        arguments["extra_body"] = {"temperature": request.temperature}
    return arguments
