"""Hands ended spans to one exporter, in a thread of its own.

Whoever ends a span appends it to a bounded queue and goes on. A full queue drops the new span and
counts it; an exporter that is slow, fails or hangs holds up its own thread and nobody else.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Protocol

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Link
from opentelemetry.trace.status import Status

from remit.telemetry.losses import Losses
from remit.telemetry.scrubbing import scrub_attributes, scrub_text

QUEUE_SPANS = 4096
"""Ended spans that may wait for one exporter."""

BATCH_SPANS = 256
"""Spans handed over at a time."""

_MANY_PARTS = 16  # events, and links, of one span that are exported


class SpanExporter(Protocol):
    """Where a queue leads to."""

    def export(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send or keep spans that are scrubbed already; return whether all of them were taken."""

    def close(self) -> None:
        """Let go of what it holds; called once, possibly while an export hangs."""


class SpanQueue(SpanProcessor):
    """A bounded queue and its thread.

    Args:
        make_exporter: makes what the spans go to; called again in a process that was forked, since
            two processes may not share a connection or an open file.
        losses: where the lost ones are counted.
        delay_seconds: how long a span may wait for others to go along.
        size: how many may wait.
    """

    def __init__(
        self,
        make_exporter: Callable[[], SpanExporter],
        losses: Losses,
        *,
        delay_seconds: float,
        size: int = QUEUE_SPANS,
    ) -> None:
        self._make_exporter = make_exporter
        self._losses = losses
        self._delay = delay_seconds
        self._size = size
        self._begin()

    def _begin(self) -> None:
        self._exporter = self._make_exporter()
        self._waiting: deque[ReadableSpan] = deque()
        self._under_way = 0
        self._wake = Event()
        self._closing = False
        self._given_up = False
        self._pid = os.getpid()
        self._thread = Thread(target=self._run, name="remit-spans", daemon=True)
        self._thread.start()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is exported before it ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Append an ended span, or count it as lost; returns at once."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._pid != os.getpid():
            # A fork takes no threads along, and its parent exports what was waiting.
            self._begin()
        if self._closing or len(self._waiting) >= self._size:
            self._losses.add("unsent" if self._closing else "overflow")
            return
        self._waiting.append(span)
        if len(self._waiting) >= BATCH_SPANS:
            self._wake.set()

    def close(self, seconds: float) -> None:
        """Export what waits, for so many seconds at most, and count the rest as lost."""
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        if self._pid == os.getpid():
            self._thread.join(max(0.0, seconds))
            if self._thread.is_alive():
                self._given_up = True
                self._losses.add("unsent", len(self._waiting) + self._under_way)
        self._exporter.close()

    def shutdown(self) -> None:
        """Do as `close`, without waiting; the SDK's name for it."""
        self.close(0.0)

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's own
        """Wait for nothing: no caller may."""
        return False

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._delay)
            self._wake.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while self._waiting and not self._given_up:
            count = min(BATCH_SPANS, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            self._under_way = count
            taken = self._export(batch)
            if not taken and not self._given_up:
                self._losses.add("not_taken", count)
            self._under_way = 0

    def _export(self, batch: Sequence[ReadableSpan]) -> bool:
        try:
            return self._exporter.export([scrubbed(span) for span in batch])
        except Exception:  # noqa: BLE001 - whatever an exporter raises, this thread lives on
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
            SpanEvent(
                scrub_text(event.name), scrub_attributes(event.attributes or {}), event.timestamp
            )
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
