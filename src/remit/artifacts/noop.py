"""An object store in memory: for tests, and the default where no other is chosen.

It is not durable, and says so: whoever must not lose what was acknowledged asks `durable` first.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from remit.artifacts.store import ObjectStore, ObjectStoreRequest, StoredObject, not_found


class NoOpObjectStore(ObjectStore):
    """Holds objects until the process ends."""

    name = "noop"
    durable = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, datetime]] = {}

    def keep(self, request: ObjectStoreRequest) -> bool:
        """Hold an object."""
        with self._lock:
            created = request.key not in self._objects
            if created:
                self._objects[request.key] = (bytes(request.content), datetime.now(UTC))
        if not created:
            self.get(request.key)
        return created

    def read(self, key: str) -> bytes:
        """Return what is held."""
        with self._lock:
            held = self._objects.get(key)
        if held is None:
            raise not_found(key)
        return held[0]

    def holds(self, key: str) -> bool:
        """Return whether there is such an object."""
        with self._lock:
            return key in self._objects

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object, by key."""
        with self._lock:
            held = sorted(self._objects.items())
        for key, (content, put_at) in held:
            yield StoredObject(key, len(content), put_at)
