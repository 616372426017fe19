"""The providers under test, and what each does with a request."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from remit.cognition.llm.provider import LLMProvider, NoOpLLMProvider
from remit.cognition.llm.types import LLMRequest, LLMResponse
from tests.support.llm_asking import anthropic_provider, failure, openai_provider
from tests.support.llm_server import LLMServer


@dataclass(frozen=True)
class Case:
    """A provider under test.

    Attributes:
        name: the word that chooses it.
        make: builds one, given the service and how long it may take.
        answers: whether it answers; else it refuses everything.
        cost: what an answer of the server costs.
    """

    name: str
    make: Callable[[LLMServer, float], LLMProvider]
    answers: bool = True
    cost: Decimal = Decimal(0)


CASES = {
    "noop": Case("noop", lambda _server, _seconds: NoOpLLMProvider(), answers=False),
    "anthropic": Case(
        "anthropic",
        lambda server, seconds: anthropic_provider(server, timeout_seconds=seconds),
        cost=Decimal("0.000072"),
    ),
    "openai": Case(
        "openai",
        lambda server, seconds: openai_provider(server, timeout_seconds=seconds),
        cost=Decimal("0.000072"),
    ),
}


def answered(case: Case, provider: LLMProvider, request: LLMRequest) -> LLMResponse | None:
    """Return the answer; None from a provider that refuses everything, once that is proven."""
    if case.answers:
        return provider.complete(request)
    refusal = failure(provider, request)
    assert refusal.error.error_type == "disabled"
    assert refusal.error.error_message == "LLM usage disabled. Configure LLM_PROVIDER to enable."
    return None
