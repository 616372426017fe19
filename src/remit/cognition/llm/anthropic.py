"""Answers by Anthropic's service, or by another that speaks its protocol.

Needs the official SDK, which the extra `remit[anthropic]` installs; it is imported at the first
request. The protocol is that of messages.
"""

from typing import Any

from remit.cognition.llm.anthropic_answers import read_answer
from remit.cognition.llm.anthropic_sdk import connect
from remit.cognition.llm.provider import final
from remit.cognition.llm.service import Service
from remit.cognition.llm.service_provider import ServiceProvider
from remit.cognition.llm.types import LLMError, LLMRequest
from remit.cognition.llm.usage import NOTHING_USED
from remit.cognition.llm.vendors import ANTHROPIC

MAX_TEMPERATURE = 1
"""Highest temperature that the protocol knows."""


class AnthropicLLMProvider(ServiceProvider):
    """Asks by the vendor's own SDK."""

    vendor = ANTHROPIC
    connect = staticmethod(connect)
    read = staticmethod(read_answer)

    @staticmethod
    def sent(client: Any, arguments: dict[str, Any]) -> bytes:  # noqa: ANN401 - a client of the SDK's own
        """Return the body that the service answers with."""
        content: bytes = client.messages.with_raw_response.create(**arguments).read()
        return content

    @staticmethod
    def failure(error: Exception, timeout_seconds: float) -> LLMError:
        """Return what an error of the SDK means."""
        from remit.cognition.llm.anthropic_failures import failure_of

        return failure_of(error, timeout_seconds=timeout_seconds)

    @staticmethod
    def arguments(
        service: Service,  # noqa: ARG004 - part of the interface
        model: str,
        request: LLMRequest,
    ) -> dict[str, Any]:
        """Return what the SDK is asked with."""
        arguments: dict[str, Any] = {
            "model": model,
            "max_tokens": request.max_tokens,
            "messages": [
                message.to_json() for message in request.messages if message.role != "system"
            ],
        }
        system = [message.content for message in request.messages if message.role == "system"]
        if system:
            arguments["system"] = "\n\n".join(system)
        if request.temperature is not None:
            if request.temperature > MAX_TEMPERATURE:
                raise final(
                    "invalid_request",
                    f"temperature is above {MAX_TEMPERATURE}, which Anthropic's models do not "
                    "know: lower it, or leave it out",
                    usage=NOTHING_USED,
                )
            # The SDK has no argument for it any more, since the newer models refuse it; older ones,
            # and other services, take it still.
            arguments["extra_body"] = {"temperature": request.temperature}
        return arguments
