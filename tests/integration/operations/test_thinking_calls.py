"""The activity that asks a model, called as a worker does: what it takes, gives and leaves."""

from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from temporalio.exceptions import ApplicationError

from remit.cognition.llm.provider import LLMProviderError, NoOpLLMProvider, final
from remit.cognition.llm.types import UNKNOWN_USED, LLMError, LLMRequest, LLMUsage
from remit.operations.evidence.records import read_record
from remit.settings import Settings
from remit.vocabulary import LLMErrorType
from remit.workflows.llm_worker import llm_activities
from tests.support.thinking import Priced, asking, call, executing, kept

SAID = "heron-canary-17"


class Failing:
    """A provider that raises what the test gives it."""

    name = "anthropic"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def complete(self, request: LLMRequest) -> NoReturn:
        """Raise."""
        raise self.error


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "must be"),
        ({"request": None}, "must be"),
        ({"request": {"messages": []}}, "0 messages"),
        ({"request": {"messages": [{"role": "boss", "content": SAID}]}}, "role"),
        ({"request": {"messages": [{"role": "user", "content": SAID, "more": 1}]}}, "more"),
        (call(SAID, more=1), "leave the rest out"),
        (call(SAID, directive_id="all of them"), "directive_id: must be"),
        (call(SAID, directive_id=7), "directive_id: must be"),
        (call(SAID, directive_id=["x"]), "directive_id: must be"),
        (call(SAID, directive_id=str(uuid4())), "there is no directive"),
    ],
)
def test_what_cannot_be_asked_is_refused_on_record_and_never_quoted(
    empty_engine: sa.Engine, request_: dict[str, Any], said: str
) -> None:
    provider = Priced("0.01")
    found = asking(empty_engine, provider).call_llm(request_)
    assert found["ok"] is False
    assert found["error"]["error_type"] == "invalid_request"
    assert found["error"]["retryable"] is False
    assert said in found["error"]["error_message"]
    assert provider.asked == []
    [called] = kept(empty_engine, "llm_call")
    assert called.metadata["error_type"] == "invalid_request"
    assert kept(empty_engine, "llm_usage") == []
    assert SAID not in str(found) + str(called)


def test_an_answer_is_returned_with_what_it_used(empty_engine: sa.Engine) -> None:
    found = asking(empty_engine, Priced("0.0125")).call_llm(call())
    assert found == {
        "ok": True,
        "response": {
            "content": "yes",
            "model": "gpt-6.2-sol",
            "usage": {
                "input_tokens": 11,
                "output_tokens": 5,
                "total_tokens": 16,
                "estimated_cost_usd": "0.0125",
            },
            "latency_ms": 1.5,
            "truncated": False,
        },
    }
    [used] = kept(empty_engine, "llm_usage")
    assert used.metadata["estimated_cost_usd"] == "0.0125"


@pytest.mark.parametrize(
    "kind", ["disabled", "misconfigured", "provider_error", "timeout", "invalid_request"]
)
def test_a_failure_for_good_is_returned_and_one_that_may_pass_is_raised(
    empty_engine: sa.Engine, kind: LLMErrorType
) -> None:
    lasting = asking(empty_engine, Failing(final(kind, "mend it"))).call_llm(call())
    assert lasting["error"] == {
        "error_type": kind,
        "error_message": "mend it",
        "retryable": False,
    }
    passing = LLMProviderError(LLMError(kind, "later", retryable=True))
    with pytest.raises(ApplicationError) as caught:
        asking(empty_engine, Failing(passing)).call_llm(call())
    assert (caught.value.type, caught.value.non_retryable) == (kind, False)
    assert caught.value.message == "later"
    assert caught.value.details == (
        {**lasting["error"], "error_message": "later", "retryable": True},
    )
    assert [one.metadata["error_type"] for one in kept(empty_engine, "llm_call")] == [kind, kind]
    assert kept(empty_engine, "llm_usage") == []


def test_a_refusal_of_the_model_that_used_tokens_is_counted(empty_engine: sa.Engine) -> None:
    usage = LLMUsage(11, 1, 12, None)
    asking(empty_engine, Failing(final("invalid_request", "no", usage=usage))).call_llm(call())
    [used] = kept(empty_engine, "llm_usage")
    assert used.metadata["total_tokens"] == 12
    assert used.metadata["estimated_cost_usd"] is None


def test_a_provider_that_breaks_says_nothing_of_what_was_said(empty_engine: sa.Engine) -> None:
    found = asking(empty_engine, Failing(RuntimeError(SAID))).call_llm(call(SAID))
    assert found["error"]["error_type"] == "provider_error"
    assert SAID not in str(found)
    [called] = kept(empty_engine, "llm_call")
    assert SAID not in str(called)
    [used] = kept(empty_engine, "llm_usage")
    assert used.metadata["estimated_cost_usd"] is None


def test_a_call_that_may_be_billed_and_gave_no_answer_counts_as_the_whole_budget(
    empty_engine: sa.Engine,
) -> None:
    found, _ = executing(empty_engine)
    asked = call(directive_id=str(found.id))
    late = LLMProviderError(LLMError("timeout", "late", retryable=True), usage=UNKNOWN_USED)
    with pytest.raises(ApplicationError, match="late"):
        asking(empty_engine, Failing(late)).call_llm(asked)
    provider = Priced("0.01")
    refused = asking(empty_engine, provider).call_llm(asked)
    assert "nobody knows what its last call cost" in refused["error"]["error_message"]
    assert provider.asked == []


@pytest.mark.parametrize(
    ("settings", "provider"),
    [
        (Settings(llm_provider="openai", llm_model="gpt-6.2-sol"), "openai"),
        (Settings(llm_provider="sk-a-key-put-in-the-wrong-place"), "unknown"),
    ],
    ids=["no key", "no such provider"],
)
def test_a_provider_that_cannot_be_used_is_found_at_each_call_and_that_is_on_record(
    empty_engine: sa.Engine, settings: Settings, provider: str
) -> None:
    asked = llm_activities(empty_engine, settings)
    for _ in range(2):
        assert asked.call_llm(call())["error"]["error_type"] == "misconfigured"
    for called in kept(empty_engine, "llm_call"):
        assert called.metadata["provider"] == provider
        assert "sk-" not in str(called)


def test_the_chosen_provider_is_made_once(engine: sa.Engine) -> None:
    activities = llm_activities(engine, Settings())
    assert activities.provider() is activities.provider()


def test_a_secret_in_the_name_of_a_model_is_masked(empty_engine: sa.Engine) -> None:
    named = "sk-0123456789abcdefghijklmnop"
    request = {**call()["request"], "model": named}
    found = asking(empty_engine, NoOpLLMProvider()).call_llm({"request": request})
    assert found["error"]["error_type"] == "disabled"
    [called] = kept(empty_engine, "llm_call")
    assert called.metadata["model"] == "[redacted]"
    with empty_engine.connect() as connection:
        events = connection.execute(sa.text("SELECT events::text FROM events")).scalars()
        assert all(named not in event for event in events)


def test_a_call_for_a_directive_is_in_its_chain_and_counts_for_its_run(
    empty_engine: sa.Engine,
) -> None:
    found, run = executing(empty_engine)
    asked = asking(empty_engine, Priced("0.25")).call_llm(call(directive_id=str(found.id)))
    assert asked["ok"] is True
    record = read_record(empty_engine, found.id)
    assert record.broken_at is None
    assert record.events[-1].type == "llm.called"
    own = [one for one in record.artifacts if one.type in {"llm_call", "llm_usage"}]
    assert {one.run_id for one in own} == {run.id}
    assert all(one.uri in record.events[-1].data for one in own)


@pytest.mark.parametrize("provider", [NoOpLLMProvider(), Priced("1")], ids=["noop", "priced"])
def test_a_call_for_a_directive_without_a_budget_spends_nothing(
    empty_engine: sa.Engine, provider: Any
) -> None:
    found, _ = executing(empty_engine, budget=None)
    asked = asking(empty_engine, provider).call_llm(call(directive_id=str(found.id)))
    expected = "disabled" if provider.name == "noop" else "invalid_request"
    assert asked["error"]["error_type"] == expected
    [called] = kept(empty_engine, "llm_call")
    assert called.directive_id == UUID(str(found.id))
