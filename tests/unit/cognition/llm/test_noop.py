"""No model is asked before somebody has chosen one."""

import pytest

from remit.cognition.llm.provider import LLMProviderError, NoOpLLMProvider
from remit.cognition.llm.types import NOTHING_USED, LLMError, LLMMessage, LLMRequest


def test_it_refuses_and_says_how_to_choose() -> None:
    with pytest.raises(LLMProviderError) as refusal:
        NoOpLLMProvider().complete(LLMRequest((LLMMessage("user", "hello"),)))
    assert refusal.value.error == LLMError(
        "disabled", "LLM usage disabled. Configure LLM_PROVIDER to enable.", retryable=False
    )
    assert refusal.value.usage == NOTHING_USED
    assert refusal.value.message == refusal.value.error.error_message
    assert refusal.value.reason == "disabled"
