"""Answers by OpenAI's service, or by another that speaks its protocol: Ollama, vLLM, llama.cpp.

Needs the official SDK, which the extra `remit[openai]` installs; it is imported at the first
request. The protocol is that of chat completions, the one that every compatible service speaks.
"""

from typing import Any

from remit.cognition.llm.openai_answers import read_answer
from remit.cognition.llm.service import Service, is_refused
from remit.cognition.llm.service_provider import ServiceProvider
from remit.cognition.llm.types import LLMError, LLMRequest
from remit.cognition.llm.vendors import OPENAI, UNSUPPORTED_LIMIT
from remit.cognition.openai_sdk import connect
from remit.cognition.service_failures import said


class OpenAILLMProvider(ServiceProvider):
    """Asks by the vendor's own SDK."""

    vendor = OPENAI
    connect = staticmethod(connect)
    read = staticmethod(read_answer)

    @staticmethod
    def sent(client: Any, arguments: dict[str, Any]) -> bytes:  # noqa: ANN401 - a client of the SDK's own
        """Return the body that the service answers with.

        A service in front of the vendor's newer models refuses `max_tokens`, at no cost, and is
        asked a second time in the words that it knows.
        """
        import openai

        create = client.chat.completions.with_raw_response.create
        try:
            content: bytes = create(**arguments).content
        except openai.APIStatusError as refusal:
            is_free = is_refused(refusal) and "max_tokens" in arguments
            if not is_free or not UNSUPPORTED_LIMIT.search(said(refusal)):
                raise
            limit = {"max_completion_tokens": arguments["max_tokens"]}
            others = {name: each for name, each in arguments.items() if name != "max_tokens"}
            content = create(**others, **limit).content
        return content

    @staticmethod
    def failure(error: Exception, timeout_seconds: float) -> LLMError:
        """Return what an error of the SDK means."""
        from remit.cognition.llm.openai_failures import failure_of

        return failure_of(error, timeout_seconds=timeout_seconds)

    @staticmethod
    def arguments(service: Service, model: str, request: LLMRequest) -> dict[str, Any]:
        """Return what the SDK is asked with."""
        arguments: dict[str, Any] = {
            "model": model,
            "messages": [message.to_json() for message in request.messages],
        }
        # The vendor's reasoning models refuse `max_tokens`, which it calls deprecated; most
        # compatible services know nothing else (Ollama and llama.cpp pass over
        # `max_completion_tokens`, and the answer would have no bound).
        limit = "max_completion_tokens" if service.is_vendors_own else "max_tokens"
        arguments[limit] = request.max_tokens
        if request.temperature is not None:
            arguments["temperature"] = request.temperature
        return arguments
