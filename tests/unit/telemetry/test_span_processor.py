"""A bounded queue in front of each exporter: nobody who works ever waits for it."""

import os
from collections.abc import Sequence
from threading import Event

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from remit.telemetry.span_processor import BATCH_SPANS, CountingSpanProcessor, scrubbed
from remit.telemetry.state import LossCounter
from tests.support.otlp import until


def span(number: int, *, sampled: bool = True) -> ReadableSpan:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    context = SpanContext(1, number, is_remote=False, trace_flags=flags)
    return ReadableSpan(f"step-{number}", context=context)


class Kept:
    """Keeps what it is given; waits first while the gate is shut, and fails when told to."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.gate = Event()
        self.gate.set()
        self.entered = Event()
        self.closed = 0
        self.failure: Exception | None = None
        self.takes = True

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        self.entered.set()
        self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.spans += spans
        return self.takes

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_what_ended_is_exported_in_order_and_once(kept: Kept) -> None:
    losses = LossCounter()
    queue = CountingSpanProcessor(lambda: kept, losses, delay_seconds=30)
    for number in range(1, 1001):
        queue.on_end(span(number))
    queue.close(10)
    queue.shutdown()
    assert [each.name for each in kept.spans] == [f"step-{number}" for number in range(1, 1001)]
    assert kept.closed == 1
    assert losses.counts() == {}


def test_a_single_span_waits_no_longer_than_the_delay(kept: Kept) -> None:
    queue = CountingSpanProcessor(lambda: kept, LossCounter(), delay_seconds=0.01)
    queue.on_end(span(1))
    until(lambda: kept.spans, "the span")
    queue.close(10)


def test_a_whole_batch_waits_for_no_delay(kept: Kept) -> None:
    queue = CountingSpanProcessor(lambda: kept, LossCounter(), delay_seconds=3600)
    for number in range(1, BATCH_SPANS + 1):
        queue.on_end(span(number))
    until(lambda: len(kept.spans) == BATCH_SPANS, "the batch")
    queue.close(10)


def test_a_full_queue_drops_and_counts_and_returns(kept: Kept) -> None:
    losses = LossCounter()
    kept.gate.clear()
    queue = CountingSpanProcessor(lambda: kept, losses, delay_seconds=0.01, size=10)
    queue.on_end(span(1))
    assert kept.entered.wait(10)
    for number in range(2, 52):
        queue.on_end(span(number))
    assert losses.counts() == {"overflow": 40}
    kept.gate.set()
    queue.close(10)
    assert len(kept.spans) == 11


def test_an_exporter_that_hangs_is_left_behind_and_its_spans_are_counted(kept: Kept) -> None:
    losses = LossCounter()
    kept.gate.clear()
    queue = CountingSpanProcessor(lambda: kept, losses, delay_seconds=0.01)
    queue.on_end(span(1))
    assert kept.entered.wait(10)
    queue.on_end(span(2))
    queue.close(0.05)
    assert losses.counts() == {"unsent": 2}
    assert kept.closed == 1
    queue.on_end(span(3))
    assert losses.counts() == {"unsent": 3}
    kept.gate.set()


@pytest.mark.parametrize("failure", [None, OSError("disk full"), ValueError("odd")])
def test_what_an_exporter_does_not_take_is_counted_and_the_next_is_tried(
    kept: Kept, failure: Exception | None
) -> None:
    losses = LossCounter()
    kept.failure, kept.takes = failure, False
    queue = CountingSpanProcessor(lambda: kept, losses, delay_seconds=0.01)
    queue.on_end(span(1))
    until(lambda: losses.counts() == {"not_taken": 1}, "the count")
    kept.failure, kept.takes = None, True
    queue.on_end(span(2))
    queue.close(10)
    assert kept.spans[-1].name == "step-2"
    assert losses.counts() == {"not_taken": 1}


def test_a_span_that_is_not_sampled_goes_nowhere(kept: Kept) -> None:
    queue = CountingSpanProcessor(lambda: kept, LossCounter(), delay_seconds=30)
    queue.on_end(span(1, sampled=False))
    queue.on_end(ReadableSpan("of no trace"))
    queue.close(10)
    assert kept.spans == []
    assert queue.force_flush() is False


def test_a_forked_process_exports_its_own_spans_and_not_its_parents(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    queue = CountingSpanProcessor(make, LossCounter(), delay_seconds=0.01)
    made[0].gate.clear()
    queue.on_end(span(1))
    assert made[0].entered.wait(10)
    queue.on_end(span(2))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    queue.on_end(span(3))
    queue.close(10)
    made[0].gate.set()
    assert [each.name for each in made[1].spans] == ["step-3"]
    assert made[1].closed == 1


def test_a_span_of_a_library_leaves_as_scrubbed_as_our_own() -> None:
    secret = "postgresql://app:hunter22@db/x"
    made = ReadableSpan(
        f"call {secret}",
        context=span(1).context,
        attributes={"status": secret, "db.statement": "SELECT", "temporalWorkflowID": "w"},
        links=[Link(SpanContext(2, 2, is_remote=True), {"payload": secret})],
        status=Status(StatusCode.ERROR, f"Error: {secret}"),
    )
    clean = scrubbed(made)
    assert "hunter22" not in clean.to_json()
    assert clean.attributes == {
        "status": "postgresql://app:[redacted]@db/x",
        "temporalWorkflowID": "w",
    }
    assert not clean.links[0].attributes
