"""Asks a service on this machine through a provider, and proves what no failure may show."""

import traceback

import pytest
from pydantic import SecretStr

from remit.cognition.llm.anthropic import AnthropicLLMProvider
from remit.cognition.llm.openai import OpenAILLMProvider
from remit.cognition.llm.provider import LLMProvider, LLMProviderError
from remit.cognition.llm.types import LLMMessage, LLMRequest
from tests.support.llm_server import LLMServer

CANARY = "sk-canary-7f3a9d"
TEXT = "a message nobody else may read"
UPSTREAM = "upstream said"

REQUEST = LLMRequest(
    (
        LLMMessage("system", f"{TEXT}, the task"),
        LLMMessage("user", f"{TEXT}, the question"),
        LLMMessage("assistant", f"{TEXT}, the answer"),
        LLMMessage("user", TEXT),
    )
)

_FOREIGN = {"anthropic", "openai", "httpx2", "httpcore2", "pydantic_core", "pydantic"}


def openai_provider(
    server: LLMServer,
    *,
    key: str | None = CANARY,
    model: str | None = "gpt-6.2-sol",
    timeout_seconds: float = 20,
) -> OpenAILLMProvider:
    return OpenAILLMProvider(
        model=model,
        api_key=None if key is None else SecretStr(key),
        base_url=server.url,
        timeout_seconds=timeout_seconds,
    )


def anthropic_provider(
    server: LLMServer,
    *,
    key: str | None = CANARY,
    model: str | None = "claude-sonnet-5-5",
    timeout_seconds: float = 20,
) -> AnthropicLLMProvider:
    return AnthropicLLMProvider(
        model=model,
        api_key=None if key is None else SecretStr(key),
        base_url=server.root,
        timeout_seconds=timeout_seconds,
    )


def failure(asked: LLMProvider, request: LLMRequest = REQUEST) -> LLMProviderError:
    """Return how a request fails, once it is proven that the failure gives nothing away."""
    with pytest.raises(LLMProviderError) as refusal:
        asked.complete(request)
    prove_silent(refusal.value)
    return refusal.value


def prove_silent(error: BaseException) -> None:
    """Prove that an error, and every error linked to it, quotes nothing and is of no SDK."""
    shown = "".join(traceback.format_exception(error)) + repr(error)
    for secret in (CANARY, TEXT, TEXT[::-1], UPSTREAM):
        assert secret not in shown
    linked: BaseException | None = error
    while linked is not None:
        assert type(linked).__module__.split(".")[0] not in _FOREIGN
        linked = linked.__cause__ or linked.__context__
