"""What of telemetry is on in this process, and what was lost on its way out.

Process-wide, so that a span opened deep in an operation needs no function in between to pass it.
`setup` writes it, and nothing that decides can reach it.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from remit.telemetry.sdk_tracing import SdkTracer

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


class Meter(Protocol):
    """Where samples of metrics go; the SDK's is `sdk_metrics.SdkMeter`."""

    def write(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Add to the counter, set the gauge, or record in the histogram, of this name."""


@dataclass
class TelemetryState:
    """What is on: tracing and metrics are off where None stands."""

    tracer: "SdkTracer | None" = None
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
