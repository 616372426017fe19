"""Answers by OpenAI's service, or by another that speaks its protocol: Ollama, vLLM, llama.cpp.

Needs the official SDK, which the extra `remit[openai]` installs; it is imported at the first
request. The protocol is that of chat completions, the one that every compatible service speaks.
"""

from functools import partial
from time import perf_counter
from typing import Any

from pydantic import SecretStr

from remit.cognition.llm.answers import respond
from remit.cognition.llm.openai_answers import read_answer
from remit.cognition.llm.service import Opened, Service, ask, checked_service, nonsense
from remit.cognition.llm.types import LLMRequest, LLMResponse
from remit.cognition.llm.vendors import OPENAI
from remit.cognition.openai_sdk import connect


class OpenAILLMProvider:
    """Sends messages to a service and takes one answer from it."""

    name = "openai"

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
            OPENAI,
            model=model,
            api_key=api_key,
            base_url=base_url,
            timeout_seconds=timeout_seconds,
        )
        self._service = service
        self._client = Opened(
            OPENAI,
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
        client = self._client.get()
        from remit.cognition.llm.openai_failures import failure_of

        arguments = _arguments(self._service, model, request)
        started = perf_counter()
        content = ask(
            self._service,
            lambda: client.chat.completions.with_raw_response.create(**arguments).content,
            failure_of=partial(failure_of, timeout_seconds=self._service.timeout_seconds),
        )
        latency_ms = (perf_counter() - started) * 1000
        try:
            answer = read_answer(content)
        except ValueError as error:
            raise nonsense(self._service, error) from None
        return respond(answer, vendor=self.name, asked_model=model, latency_ms=latency_ms)


def _arguments(service: Service, model: str, request: LLMRequest) -> dict[str, Any]:
    """Return what the SDK is asked with; the request's metadata is not part of it."""
    arguments: dict[str, Any] = {
        "model": model,
        "messages": [message.to_json() for message in request.messages],
    }
    # The vendor's reasoning models refuse `max_tokens`, which it calls deprecated; most compatible
    # services know nothing else (Ollama and llama.cpp pass over `max_completion_tokens`, and the
    # answer would have no bound).
    limit = "max_completion_tokens" if service.is_vendors_own else "max_tokens"
    arguments[limit] = request.max_tokens
    if request.temperature is not None:
        arguments["temperature"] = request.temperature
    return arguments
