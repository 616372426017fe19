"""An object store in memory: for tests, and the default where no other is chosen.

It keeps every rule of a store but one: it is not durable, and says so. Whoever must not lose what
was acknowledged (`put_artifact`) asks `durable` first.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NoReturn

from remit.artifacts.store import (
    ObjectStoreRequest,
    ObjectStoreResponse,
    StoredObject,
    check_content,
    check_key,
    check_request,
    deletion_refused,
    not_found,
    stored,
)


class NoOpObjectStore:
    """Holds objects until the process ends."""

    name = "noop"
    durable = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, datetime]] = {}

    def put(self, request: ObjectStoreRequest) -> ObjectStoreResponse:
        """Hold an object."""
        check_request(request)
        with self._lock:
            created = request.key not in self._objects
            if created:
                self._objects[request.key] = (bytes(request.content), datetime.now(UTC))
        if not created:
            self.get(request.key)
        return stored(self.name, request, created=created)

    def get(self, key: str) -> bytes:
        """Return an object's content."""
        check_key(key)
        with self._lock:
            held = self._objects.get(key)
        if held is None:
            raise not_found(key)
        return check_content(key, held[0])

    def exists(self, key: str) -> bool:
        """Return whether there is such an object."""
        check_key(key)
        with self._lock:
            return key in self._objects

    def delete(self, key: str) -> NoReturn:
        """Refuse: nothing is ever removed."""
        check_key(key)
        raise deletion_refused()

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object, by key."""
        with self._lock:
            held = sorted(self._objects.items())
        for key, (content, put_at) in held:
            yield StoredObject(key, len(content), put_at)
