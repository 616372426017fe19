"""The provider that refuses: no model is asked before somebody has chosen one.

`config` hands it out when no provider is set, so that nothing leaves the machine by default.
"""

from typing import NoReturn

from remit.cognition.llm.provider import final
from remit.cognition.llm.types import LLMRequest
from remit.cognition.llm.usage import NOTHING_USED


class NoOpLLMProvider:
    """Refuses every request, and says how to choose a provider."""

    name = "noop"

    def complete(self, request: LLMRequest) -> NoReturn:  # noqa: ARG002 - the Protocol's form
        """Refuse.

        Raises:
            LLMProviderError: always, `disabled`.
        """
        raise final(
            "disabled",
            "LLM usage disabled. Configure LLM_PROVIDER to enable.",
            usage=NOTHING_USED,
        )
