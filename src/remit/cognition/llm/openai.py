"""Answers by OpenAI's service, or by another that speaks its protocol: Ollama, vLLM, llama.cpp.

Needs the SDK, the extra `remit[openai]`, which is imported at the first request. The protocol is
that of chat completions, the one that every compatible service speaks; such services leave out what
they please, so nothing is required but one choice with a message, or an error in its place.
"""

from typing import TYPE_CHECKING, Any, Literal

from remit.cognition.bodies import Body, read_body
from remit.cognition.failures import said
from remit.cognition.llm.answers import (
    Answer,
    Count,
    Counted,
    Ending,
    Fault,
    TokenCounts,
    ending_of,
    with_parts,
)
from remit.cognition.llm.service import UNSUPPORTED_LIMIT, ServiceProvider, Vendor, is_refused
from remit.cognition.llm.types import LLMRequest
from remit.cognition.sdk import OPENAI_URL, connect_openai

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI = Vendor(
    name="openai",
    title="OpenAI",
    url=OPENAI_URL,
    key_variable="OPENAI_API_KEY",
    address_variable="OPENAI_BASE_URL",
    example="gpt-6.2-sol",
)

_WHOLE = ("stop", "tool_calls", "function_call", "eos", "eos_token")
"""Values of `finish_reason`: the protocol's, and what Together and older servers say for `stop`."""

_LISTED_TIERS = (None, "default", "standard", "flex", "batch")
"""Values of `service_tier` that cost what the price list says, or less."""


class OpenAILLMProvider(ServiceProvider):
    """Asks by the vendor's own SDK."""

    vendor = OPENAI
    connect = staticmethod(connect_openai)

    def arguments(self, model: str, request: LLMRequest) -> dict[str, Any]:
        """Return what the SDK is asked with."""
        arguments: dict[str, Any] = {
            "model": model,
            "messages": [message.to_json() for message in request.messages],
        }
        # The vendor's reasoning models refuse `max_tokens`, which it calls deprecated; most
        # compatible services know nothing else (Ollama and llama.cpp pass over
        # `max_completion_tokens`, and the answer would have no bound).
        limit = "max_completion_tokens" if self.is_vendors_own else "max_tokens"
        arguments[limit] = request.max_tokens
        if request.temperature is not None:
            arguments["temperature"] = request.temperature
        return arguments

    @staticmethod
    def send(client: "OpenAI", arguments: dict[str, Any]) -> bytes:
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
    def read(content: bytes) -> Answer:
        """Return what a body holds."""
        body = read_body(_Completion, content, what="a chat completion")
        counts = _counts(body)
        if body.error is not None:
            return Answer(content="", ending="failed", model=body.model, counts=counts)
        choices = body.choices or []
        if len(choices) != 1:
            raise ValueError(f"the answer holds {len(choices)} choices in place of one")
        [choice] = choices
        return Answer(choice.message.content or "", choice.ending, body.model, counts)


class _Message(Body):
    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None


class _Choice(Body):
    message: _Message
    finish_reason: str | None = None
    error: Fault | None = None

    @property
    def ending(self) -> Ending:
        if self.error is not None:
            return "failed"
        if self.message.refusal:
            return "refused"
        # Old servers do not say how it ended. Whoever asked gets the text, and is told that it may
        # break off.
        if self.finish_reason is None and self.message.content:
            return "cut"
        return ending_of(self.finish_reason, whole=_WHOLE)


class _InputDetails(Counted):
    audio_tokens: Count = None
    cached_tokens: Count = None
    cache_write_tokens: Count = None


class _OutputDetails(Counted):
    audio_tokens: Count = None
    reasoning_tokens: Count = None
    rejected_prediction_tokens: Count = None


class _Usage(Counted):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _Completion(Body):
    object: Literal["chat.completion"] | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    service_tier: str | None = None
    error: Fault | None = None


def _counts(body: _Completion) -> TokenCounts:
    usage = body.usage or _Usage()
    put_in = usage.prompt_tokens_details or _InputDetails()
    given_out = usage.completion_tokens_details or _OutputDetails()
    written = put_in.cache_write_tokens
    asked = with_parts(usage.prompt_tokens, put_in.cached_tokens, written)
    answered = with_parts(
        usage.completion_tokens,
        given_out.reasoning_tokens,
        given_out.rejected_prediction_tokens,
    )
    return TokenCounts(
        asked,
        answered,
        usage.total_tokens,
        cache_written=written or 0,
        is_listed=body.service_tier in _LISTED_TIERS
        # The price list is that of text.
        and not (put_in.audio_tokens or given_out.audio_tokens)
        and put_in.is_within(asked)
        and given_out.is_within(answered)
        and usage.is_within(max((asked or 0) + (answered or 0), usage.total_tokens or 0)),
    )
