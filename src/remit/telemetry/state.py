"""What of telemetry is on in this process, and what was lost on its way out.

Process-wide and not handed down: a span opened deep in an operation must find its way without every
function in between passing it. `setup` writes it, and nothing that decides can reach it.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, Protocol
from uuid import UUID

LOG_FIELDS = "remit_fields"
"""Attribute of a log record that carries the fields of an event of ours."""

LossReason = Literal["overflow", "not_taken", "unsent", "sdk", "recording", "log_line"]
"""Why: the queue was full · an exporter failed · time ran out at the end · the SDK complained ·
a span or a sample could not be recorded · a log line could not be written."""


class LossCounter:
    """Counts by reason; safe for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[LossReason] = Counter()

    def add(self, reason: LossReason, count: int = 1) -> None:
        """Count `count` more."""
        if count > 0:
            with self._lock:
                self._counts[reason] += count

    def counts(self) -> Mapping[LossReason, int]:
        """Return the counts as they are now, for `telemetry_lost_total` and for tests."""
        with self._lock:
            return dict(self._counts)


class OpenSpan(Protocol):
    """A span under way."""

    def set(self, **attributes: object) -> None:
        """Add attributes; those that `scrubbing` does not allow are left out."""

    def fail(self, error: Exception) -> None:
        """Mark it as failed."""

    def end(self) -> None:
        """End it."""


class Tracer(Protocol):
    """Where spans go; the SDK's is `sdk_tracing.SdkTracer`."""

    def open(
        self, name: str, attributes: Mapping[str, object], directive_id: UUID | None
    ) -> OpenSpan:
        """Open a span and make it the current one."""

    def root(
        self,
        name: str,
        attributes: Mapping[str, object],
        *,
        directive_id: UUID,
        started_ns: int,
        traceparent: str | None,
    ) -> None:
        """Record the root span of a directive's trace, ended now; see `tracing.directive_root`."""

    def current_ids(self) -> tuple[str, str] | None:
        """Return the current span's trace id and span id in hexadecimal; None without one."""


class Meter(Protocol):
    """Where samples of metrics go; the SDK's is `sdk_metrics.SdkMeter`."""

    def write(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Add to the counter, set the gauge, or record in the histogram, of this name."""


@dataclass
class TelemetryState:
    """What is on: tracing and metrics are off where None stands."""

    tracer: Tracer | None = None
    meter: Meter | None = None
    losses: LossCounter = field(default_factory=LossCounter)


STATE = TelemetryState()
"""This process."""


@contextlib.contextmanager
def count_failures() -> Iterator[None]:
    """Let no failure of telemetry reach the work around it; count it instead."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, the work goes on
        STATE.losses.add("recording")
