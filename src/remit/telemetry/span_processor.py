"""Hands ended spans to one exporter, through OpenTelemetry's batch processor.

That processor batches in a thread of its own. What it does not do is done here: it counts no loss
where Remit could read it, and waits 30 seconds at the end for an exporter that hangs.
"""

import os
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Protocol

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link
from opentelemetry.trace.status import Status

from remit.telemetry.scrubbing import scrub_attributes, scrub_text
from remit.telemetry.state import LossCounter

QUEUE_SPANS = 4096
"""Ended spans that may wait for one exporter."""

BATCH_SPANS = 256
"""Spans handed over at a time."""

_MANY_PARTS = 16  # events, and links, of one span that are exported


class Exporter(Protocol):
    """Where spans go in the end; `exporters` has two."""

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send or keep spans that are scrubbed already; return whether all of them were taken."""

    def close(self) -> None:
        """Let go of what it holds; called once, possibly while an export hangs."""


class _Handover(SpanExporter):
    """What the SDK's thread gives its batches to: scrubs them, and counts what is not taken."""

    def __init__(self, make_exporter: Callable[[], Exporter], losses: LossCounter) -> None:
        self._make_exporter = make_exporter
        self._losses = losses
        self.begin()

    def begin(self) -> None:
        """Begin with an exporter and a count of this process, also in one that was forked."""
        self._lock = Lock()
        self._waiting = 0
        self._under_way = 0
        self._given_up = False
        self._exporter = self._make_exporter()

    def admit(self, size: int) -> bool:
        """Count one more span that waits; False if `size` wait already."""
        with self._lock:
            if self._waiting >= size:
                return False
            self._waiting += 1
            return True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; nothing is raised, so that the next one is tried."""
        with self._lock:
            if self._given_up:
                return SpanExportResult.FAILURE
            self._waiting -= len(spans)
            self._under_way = len(spans)
        try:
            taken = self._exporter.export([scrubbed(span) for span in spans])
        except Exception:  # noqa: BLE001 - whatever an exporter raises, the thread lives on
            taken = False
        with self._lock:
            self._under_way = 0
            if not taken and not self._given_up:
                self._losses.add("not_taken", len(spans))
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def give_up(self) -> None:
        """Count what was not exported yet as lost, and export nothing more."""
        with self._lock:
            self._given_up = True
            self._losses.add("unsent", self._waiting + self._under_way)

    def close(self) -> None:
        """Let the exporter go."""
        self._exporter.close()


class CountingSpanProcessor(SpanProcessor):
    """A bounded queue before an exporter: nobody who ends a span waits, and each loss is counted.

    `make_exporter` is called again in a process that was forked, since two processes may not share
    a connection or an open file. A span waits `delay_seconds` at most for others to go along; of
    more than `size` that wait the last is dropped.
    """

    def __init__(
        self,
        make_exporter: Callable[[], Exporter],
        losses: LossCounter,
        *,
        delay_seconds: float,
        size: int = QUEUE_SPANS,
    ) -> None:
        self._losses = losses
        self._size = size
        self._closing = False
        self._pid = os.getpid()
        self._handover = _Handover(make_exporter, losses)
        # Whatever is left out here, the SDK would take from variables of its own.
        self._batches = BatchSpanProcessor(
            self._handover,
            max_queue_size=size,
            schedule_delay_millis=delay_seconds * 1000,
            max_export_batch_size=min(BATCH_SPANS, size),
            export_timeout_millis=1.0,
            meter_provider=NoOpMeterProvider(),
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Queue an ended span, or count it as lost; returns at once."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._pid != os.getpid():
            # The SDK begins anew in a fork, with an empty queue: the parent exports what waited.
            self._pid = os.getpid()
            self._handover.begin()
        if self._closing:
            self._losses.add("unsent")
        elif self._handover.admit(self._size):
            self._batches.on_end(span)
        else:
            self._losses.add("overflow")

    def close(self, seconds: float) -> None:
        """Export what waits, for so many seconds at most, and count the rest as lost."""
        if self._closing:
            return
        self._closing = True
        if self._pid == os.getpid():
            thread = Thread(target=self._batches.shutdown, name="remit-spans-end", daemon=True)
            thread.start()
            thread.join(max(0.0, seconds))
            if thread.is_alive():
                self._handover.give_up()
        self._handover.close()

    def shutdown(self) -> None:
        """Do as `close`, without waiting; the SDK's name for it."""
        self.close(0.0)

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's own
        """Wait for nothing: no caller may."""
        return False


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """Return a copy of a span that holds only what may leave the process."""
    status = span.status
    return ReadableSpan(
        scrub_text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=scrub_attributes(span.attributes or {}),
        events=[
            Event(scrub_text(event.name), scrub_attributes(event.attributes or {}), event.timestamp)
            for event in span.events[:_MANY_PARTS]
        ],
        links=[Link(link.context) for link in span.links[:_MANY_PARTS]],
        kind=span.kind,
        status=Status(
            status.status_code, scrub_text(status.description) if status.description else None
        ),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
