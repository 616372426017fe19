"""What every object store does the same: it checks what comes in and what goes out.

`noop`, `filesystem` and `r2` say only how objects are kept; no one of them can forget a rule.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NoReturn

from remit.artifacts.store import (
    ObjectStoreRequest,
    ObjectStoreResponse,
    StoredObject,
    check_content,
    check_key,
    check_request,
    failure,
    stored,
)


class CheckedStore(ABC):
    """An :class:`remit.artifacts.store.ObjectStore`, but for how objects are kept."""

    name: str
    durable: bool

    def put(self, request: ObjectStoreRequest) -> ObjectStoreResponse:
        """Store an object whole, or not at all; return once it is durable."""
        check_request(request)
        return stored(self.name, request, created=self.keep(request))

    def get(self, key: str) -> bytes:
        """Return an object's content, checked against its key."""
        check_key(key)
        return check_content(key, self.read(key))

    def exists(self, key: str) -> bool:
        """Return whether there is such an object."""
        check_key(key)
        return self.holds(key)

    def delete(self, key: str) -> NoReturn:
        """Refuse: nothing is ever removed."""
        check_key(key)
        raise failure("disabled", "objects are evidence: Remit removes none")

    @abstractmethod
    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object; what else lies in the store is passed over."""

    @abstractmethod
    def keep(self, request: ObjectStoreRequest) -> bool:
        """Keep an object whose key is checked; return False when it was there already, whole.

        Raises:
            ObjectStoreException: it was not kept, or what was there is damaged.
        """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return what is kept under a checked key, unchecked, and no more than shows it too large.

        Raises:
            ObjectStoreException: there is no such object, or it was not given.
        """

    @abstractmethod
    def holds(self, key: str) -> bool:
        """Return whether there is an object of a checked key.

        Raises:
            ObjectStoreException: nobody can say.
        """
