"""What is told of a call: all that counts it, and no word of what was said."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from remit.artifacts.schemas import check_metadata
from remit.cognition.llm.instrumentation import (
    LLMCall,
    describe_call,
    emit_llm_artifacts,
    log_llm_event,
    start_llm_span,
)
from remit.cognition.llm.types import (
    NOTHING_USED,
    LLMError,
    LLMMessage,
    LLMRequest,
    LLMResponse,
    LLMUsage,
)
from remit.telemetry.logging import get_logger
from remit.telemetry.state import STATE

SAID, ANSWERED = "osprey-question", "osprey-answer"
REQUEST = LLMRequest(
    (LLMMessage("system", SAID), LLMMessage("user", SAID)),
    max_tokens=9,
    temperature=0.5,
    metadata={"note": SAID},
)
USED = LLMUsage(11, 5, 16, Decimal("0.0000000000001"))
ANSWER = LLMResponse(ANSWERED, "model-1", USED, 12.5)
REFUSAL = LLMError("timeout", "took too long", retryable=True)


def call(**changes: Any) -> LLMCall:
    fields: dict[str, Any] = {
        "provider": "openai",
        "model": "model-1",
        "request": REQUEST,
        "outcome": ANSWER,
        "usage": USED,
        "latency_ms": 12.5,
    }
    return LLMCall(**fields | changes)


def emitted(told: LLMCall) -> dict[str, Any]:
    """Return what is emitted by type, once it is proved to be of its schema."""
    found: dict[str, Any] = {}

    def emit(kind: Any, metadata: Any) -> None:
        check_metadata(kind, metadata)
        found[kind] = metadata

    emit_llm_artifacts(emit, told)
    return found


def test_an_answer_leaves_a_call_and_its_usage() -> None:
    assert emitted(call()) == {
        "llm_call": {
            "provider": "openai",
            "model": "model-1",
            "max_tokens": 9,
            "temperature": 0.5,
            "status": "success",
            "error_type": None,
            "message_count": 2,
            "roles": ["system", "user"],
            "characters": 2 * len(SAID),
        },
        "llm_usage": {
            "input_tokens": 11,
            "output_tokens": 5,
            "total_tokens": 16,
            "estimated_cost_usd": "0.000000000001",
            "latency_ms": 12.5,
        },
    }


@pytest.mark.parametrize(
    ("usage", "types"),
    [(None, {"llm_call"}), (NOTHING_USED, {"llm_call"}), (USED, {"llm_call", "llm_usage"})],
    ids=["unknown", "nothing", "something"],
)
def test_a_failure_leaves_a_call_and_its_usage_where_it_used_something(
    usage: LLMUsage | None, types: set[str]
) -> None:
    found = emitted(call(outcome=REFUSAL, usage=usage))
    assert set(found) == types
    assert found["llm_call"]["error_type"] == "timeout"
    assert found["llm_call"]["status"] == "error"


def test_an_answer_that_cost_nothing_leaves_its_usage_too() -> None:
    found = emitted(call(usage=NOTHING_USED))
    assert found["llm_usage"]["estimated_cost_usd"] == "0"


@pytest.mark.parametrize(
    ("cost", "written"), [("0", "0"), ("12.50", "12.5"), ("1E+2", "100"), ("0.000075", "0.000075")]
)
def test_a_cost_is_written_without_loss(cost: str, written: str) -> None:
    usage = LLMUsage(1, 1, 2, Decimal(cost))
    assert emitted(call(usage=usage))["llm_usage"]["estimated_cost_usd"] == written


def test_a_cost_that_nobody_knows_is_none() -> None:
    usage = LLMUsage(1, None, None, None)
    assert emitted(call(usage=usage))["llm_usage"]["estimated_cost_usd"] is None
    assert describe_call(call(usage=usage))["cost_usd"] is None


def test_what_was_no_request_leaves_a_call_that_counts_nothing() -> None:
    refused = LLMError("invalid_request", "messages: missing")
    found = emitted(call(request=None, outcome=refused, usage=None))
    assert found["llm_call"]["message_count"] == found["llm_call"]["characters"] == 0
    assert (found["llm_call"]["roles"], found["llm_call"]["max_tokens"]) == ([], None)


@pytest.mark.parametrize("outcome", [ANSWER, REFUSAL])
def test_no_word_of_what_was_said_is_told(
    outcome: LLMResponse | LLMError, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = call(outcome=outcome)
    log_llm_event(get_logger("tests"), told)
    [record] = caplog.records
    assert record.levelname == ("INFO" if outcome is ANSWER else "WARNING")
    shown = f"{vars(record)} {told!r} {describe_call(told)} {emitted(told)}"
    assert SAID not in shown
    assert ANSWERED not in shown


class Recording:
    """Takes spans, and keeps what they were opened with."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, Mapping[str, object], UUID | None]] = []

    def open(self, name: str, attributes: Mapping[str, object], directive_id: UUID | None) -> Any:
        """Keep a span."""
        self.opened.append((name, attributes, directive_id))
        return self

    def end(self) -> None:
        """Do nothing."""


def test_a_call_is_one_span_in_its_directives_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording()
    monkeypatch.setattr(STATE, "tracer", recording)
    about = UUID(int=7)
    for directive_id in (None, about):
        with start_llm_span(REQUEST, "openai", directive_id=directive_id):
            pass
    told = {"provider": "openai", "message_count": 2, "characters": 2 * len(SAID)}
    assert recording.opened == [
        ("llm.complete", told, None),
        ("llm.complete", {"directive_id": str(about), **told}, about),
    ]
