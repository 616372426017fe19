"""What was lost on the way to whoever watches, by reason.

To lose it must be seen, and must not hurt.
"""

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Literal

Loss = Literal["overflow", "not_taken", "unsent", "sdk", "recording", "log_line"]
"""Why: the queue was full · an exporter failed · time ran out at the end · the SDK complained ·
a span or a sample could not be recorded · a log line could not be written."""


class Losses:
    """Counts by reason; safe for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[Loss] = Counter()

    def add(self, reason: Loss, count: int = 1) -> None:
        """Count `count` more."""
        if count > 0:
            with self._lock:
                self._counts[reason] += count

    def counts(self) -> Mapping[Loss, int]:
        """Return the counts as they are now; for the metric of the same name, and for tests."""
        with self._lock:
            return dict(self._counts)
