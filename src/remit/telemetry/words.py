"""Label values, bounded: a metric with a label of any value would grow without end. Pure."""

import re
from collections.abc import Iterable
from threading import Lock

from remit.redaction import redact_text

OTHER = "other"
"""What stands for every value that is not known."""

MANY_NAMES = 64
"""How many different names one label may have in one process."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}", re.ASCII)


class Words:
    """A closed list of values."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)

    def bound(self, value: str) -> str:
        """Return the value if it is on the list, else `other`."""
        return value if value in self._words else OTHER


class Names:
    """Names that an installation chooses, as those of its modules: the first ones to come."""

    def __init__(self, many: int = MANY_NAMES) -> None:
        self._many = many
        self._lock = Lock()
        self._seen: frozenset[str] = frozenset()

    def bound(self, value: str) -> str:
        """Return the value if it has the form of a name and there is room for it, else `other`."""
        if value in self._seen:
            return value
        if not _NAME.fullmatch(value) or redact_text(value) != value:
            return OTHER
        with self._lock:
            if len(self._seen) >= self._many:
                return value if value in self._seen else OTHER
            self._seen |= {value}
        return value
