"""What is turned on in this process.

The one thing in Remit that belongs to a process and not to a caller: a span that is opened deep in
an operation must find its way without every function in between handing it down. It is set by
`running`, and nothing that decides can reach it.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from remit.telemetry.losses import Losses


class OpenSpan(Protocol):
    """A span under way."""

    def set(self, **attributes: object) -> None:
        """Add attributes; those that `scrubbing` does not allow are left out."""

    def fail(self, error: Exception) -> None:
        """Say that what it stands for failed."""

    def end(self) -> None:
        """Say that what it stands for is over."""


class SpanRecorder(Protocol):
    """Where spans go."""

    def open(
        self, name: str, attributes: Mapping[str, object], directive_id: UUID | None
    ) -> OpenSpan:
        """Open a span and make it the current one."""

    def root(self, name: str, attributes: Mapping[str, object], start: "RootStart") -> None:
        """Record the root span of a directive's trace, ended now."""

    def current_ids(self) -> tuple[str, str] | None:
        """Return the current span's trace id and span id in hexadecimal; None without one."""


class Samples(Protocol):
    """Where samples of metrics go."""

    def write(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Add to the counter, or record in the histogram, of this name."""


@dataclass(frozen=True)
class RootStart:
    """Where a directive's trace begins.

    Attributes:
        directive_id: the directive.
        started_ns: when its proposal began, in nanoseconds since the epoch.
        traceparent: the caller's own trace, as its W3C header says it; None if it sent none.
    """

    directive_id: UUID
    started_ns: int
    traceparent: str | None


@dataclass
class Active:
    """What is turned on.

    Attributes:
        recorder: where spans go; None while tracing is off.
        samples: where samples go; None while metrics are off.
        losses: what was lost.
    """

    recorder: SpanRecorder | None = None
    samples: Samples | None = None
    losses: Losses = field(default_factory=Losses)


ACTIVE = Active()
"""This process."""


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Let no failure of telemetry reach whoever is at work; count it instead."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, the work goes on
        ACTIVE.losses.add("recording")
