"""What every provider of language models offers, its error, and the provider that refuses."""

from typing import NoReturn, Protocol

from remit.cognition.llm.types import NOTHING_USED, LLMError, LLMRequest, LLMResponse, LLMUsage
from remit.errors import ProviderError
from remit.vocabulary import LLMErrorType


class LLMProvider(Protocol):
    """Answers messages. One instance may be used by several threads."""

    @property
    def name(self) -> str:
        """The word that chooses it: `noop`, `anthropic` or `openai`."""
        ...

    def complete(self, request: LLMRequest) -> LLMResponse:
        """Return the answer of the model, or raise LLMProviderError; never ask again."""
        ...


class LLMProviderError(ProviderError):
    """A provider gave no answer.

    `usage` is what the attempt used up all the same, as a refusal of the model does, its parts None
    where nobody can say; None when the service was never asked.
    """

    def __init__(self, error: LLMError, *, usage: LLMUsage | None = None) -> None:
        super().__init__(error.error_message, reason=error.error_type, retryable=error.retryable)
        self.error = error
        self.usage = usage


def final(
    error_type: LLMErrorType, message: str, *, usage: LLMUsage | None = None
) -> LLMProviderError:
    """Return an error that asking again does not help against."""
    return LLMProviderError(LLMError(error_type, message), usage=usage)


class NoOpLLMProvider:
    """Refuses every request, so that nothing leaves the machine by default."""

    name = "noop"

    def complete(self, request: LLMRequest) -> NoReturn:  # noqa: ARG002 - the Protocol's form
        """Raise LLMProviderError, `disabled`."""
        raise final(
            "disabled",
            "LLM usage disabled. Configure LLM_PROVIDER to enable.",
            usage=NOTHING_USED,
        )
