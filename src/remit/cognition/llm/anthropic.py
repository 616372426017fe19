"""Answers by Anthropic's service, or by another that speaks its protocol, that of messages.

Needs the SDK, the extra `remit[anthropic]`, which is imported at the first request.
"""

from typing import TYPE_CHECKING, Any, Literal

from remit.cognition.addresses import ServiceAddress
from remit.cognition.bodies import Body, read_body
from remit.cognition.llm.answers import (
    Answer,
    Count,
    Counted,
    Fault,
    TokenCounts,
    ending_of,
    with_parts,
)
from remit.cognition.llm.provider import final
from remit.cognition.llm.service import ServiceProvider, Vendor
from remit.cognition.llm.types import NOTHING_USED, LLMRequest
from remit.cognition.sdk import client_options, sdk_logs_shut

if TYPE_CHECKING:
    from anthropic import Anthropic

ANTHROPIC = Vendor(
    name="anthropic",
    title="Anthropic",
    url="https://api.anthropic.com",
    key_variable="ANTHROPIC_API_KEY",
    address_variable="ANTHROPIC_BASE_URL",
    example="claude-sonnet-5-5",
)

MAX_TEMPERATURE = 1
"""Highest temperature that the protocol knows."""

_WHOLE = ("end_turn", "stop_sequence", "tool_use")
"""Values of the protocol's `stop_reason`."""

_PLAIN_BLOCKS = ("thinking", "redacted_thinking", "tool_use")
"""Values of a block's `type` beside which the text is all that was said."""

_LISTED_TIERS = (None, "standard", "batch")
_LISTED_SPEEDS = (None, "standard")
_LISTED_PLACES = (None, "global", "not_available")
"""How and where a request may have run that costs what the price list says, or less."""


class AnthropicLLMProvider(ServiceProvider):
    """Asks by the vendor's own SDK."""

    vendor = ANTHROPIC

    @staticmethod
    def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "Anthropic":
        """Return the SDK's client of a service."""
        with sdk_logs_shut("anthropic"):
            from anthropic import Anthropic
        return Anthropic(
            **client_options(address, key=key, timeout_seconds=timeout_seconds),
            # A variable could have the SDK write every message into spans of its own.
            open_telemetry=False,
        )

    def arguments(self, model: str, request: LLMRequest) -> dict[str, Any]:
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

    @staticmethod
    def send(client: "Anthropic", arguments: dict[str, Any]) -> bytes:
        """Return the body that the service answers with."""
        content: bytes = client.messages.with_raw_response.create(**arguments).read()
        return content

    @staticmethod
    def read(content: bytes) -> Answer:
        """Return what a body holds; only blocks of text are part of the answer."""
        body = read_body(_Message, content, what="a message")
        counts = _counts(body.usage or _Usage())
        if body.error is not None or body.type == "error":
            return Answer(content="", ending="failed", model=body.model, counts=counts)
        if body.content is None:
            raise ValueError("the answer is a message without content")
        ending = ending_of(body.stop_reason, whole=_WHOLE)
        if ending == "whole" and not all(block.is_known for block in body.content):
            ending = "unknown"
        return Answer(
            content="".join(block.text or "" for block in body.content if block.type == "text"),
            ending=ending,
            model=body.model,
            counts=counts,
        )


class _Block(Body):
    type: str
    text: str | None = None

    @property
    def is_known(self) -> bool:
        return self.type in _PLAIN_BLOCKS or (self.type == "text" and self.text is not None)


class _OutputDetails(Counted):
    thinking_tokens: Count = None


class _Counts(Counted):
    input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_creation: dict[str, Count] | None = None
    cache_read_input_tokens: Count = None
    output_tokens: Count = None

    @property
    def written(self) -> int:
        """Tokens written to a cache, told as one number, by how long they stay, or as both."""
        parts = (self.cache_creation or {}).values()
        return max(self.cache_creation_input_tokens or 0, sum(part or 0 for part in parts))

    @property
    def put_in(self) -> int:
        """Tokens put in: the vendor counts text that was or will be cached beside the rest."""
        return (self.input_tokens or 0) + self.written + (self.cache_read_input_tokens or 0)


class _Usage(_Counts):
    output_tokens_details: _OutputDetails | None = None
    iterations: list[_Counts] | None = None
    server_tool_use: Counted | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None

    @property
    def is_listed(self) -> bool:
        return (
            self.service_tier in _LISTED_TIERS
            and self.speed in _LISTED_SPEEDS
            and self.inference_geo in _LISTED_PLACES
            and (self.server_tool_use or Counted()).is_within(0)
        )


class _Message(Body):
    type: Literal["message", "error"] | None = None
    model: str | None = None
    role: Literal["assistant"] | None = None
    content: list[_Block] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    error: Fault | None = None


def _counts(usage: _Usage) -> TokenCounts:
    details = usage.output_tokens_details or _OutputDetails()
    answered = with_parts(usage.output_tokens, details.thinking_tokens)
    together = usage.put_in + (answered or 0)
    # Some steps of an answer are billed beside the counts of the last one.
    steps = sum(each.put_in + (each.output_tokens or 0) for each in usage.iterations or ())
    return TokenCounts(
        None if usage.input_tokens is None else usage.put_in,
        answered,
        cache_written=usage.written,
        is_listed=usage.is_listed
        and details.is_within(answered)
        and usage.is_within(together)
        and steps <= together,
    )
