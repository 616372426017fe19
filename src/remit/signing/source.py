"""The keys in force: their folder may change while a process runs, and the next look sees it."""

from collections.abc import Callable
from pathlib import Path

from remit.signing.keys import SIGNING_FILE, VERIFY_FOLDER, Keyring

Mark = tuple[tuple[str, int, int, int], ...]
"""Each key file: its name, when it changed, in nanoseconds, its size, and which file it is."""


class KeySource:
    """Hands out the keys in force.

    A worker outlives a rotation: without another look it would take each new grant for a forgery.
    A folder that has become unusable is an error, and never the old keys: one that was removed from
    it on purpose must not be trusted any longer.
    """

    def __init__(self, load: Callable[[], Keyring], folder: Path) -> None:
        """Load the keys.

        Args:
            load: reads the folder.
            folder: what to watch.

        Raises:
            MisconfiguredError: there are no usable keys.
        """
        self._load = load
        self._folder = folder
        self._seen = self._mark()
        self._keyring = load()

    def current(self) -> Keyring:
        """Return the keys in force now.

        Raises:
            MisconfiguredError: there are none any more.
        """
        mark = self._mark()
        if mark != self._seen:
            self._keyring = self._load()
            self._seen = mark
        return self._keyring

    def _mark(self) -> Mark:
        try:
            found = [*(self._folder / VERIFY_FOLDER).iterdir()]
        except OSError:
            found = []
        marks = (_mark(path) for path in (self._folder / SIGNING_FILE, *sorted(found)))
        return tuple(mark for mark in marks if mark is not None)


def _mark(path: Path) -> tuple[str, int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return path.name, status.st_mtime_ns, status.st_size, status.st_ino
