"""No model is asked before somebody has chosen one."""

import pytest

from remit.cognition.llm.noop import NoOpLLMProvider
from remit.cognition.llm.provider import LLMProviderError
from remit.cognition.llm.types import LLMError, LLMMessage, LLMRequest
from remit.cognition.llm.usage import NOTHING_USED


def test_it_refuses_and_says_how_to_choose() -> None:
    with pytest.raises(LLMProviderError) as refusal:
        NoOpLLMProvider().complete(LLMRequest((LLMMessage("user", "hello"),)))
    assert refusal.value.error == LLMError(
        "disabled", "LLM usage disabled. Configure LLM_PROVIDER to enable.", retryable=False
    )
    assert refusal.value.usage == NOTHING_USED
    assert refusal.value.message == refusal.value.error.error_message
    assert refusal.value.reason == "disabled"
