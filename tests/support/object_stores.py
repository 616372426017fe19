"""A store under test, and the ways around it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from remit.artifacts.store import (
    ObjectStore,
    ObjectStoreException,
    ObjectStoreRequest,
    ObjectStoreResponse,
    object_key,
)


@dataclass(frozen=True)
class Case:
    """A store, and the ways around it.

    Attributes:
        store: the store.
        overwrite: puts bytes under a name, past the store, as whoever holds its disk could.
        reopen: makes the store anew, as the next process would.
        foreign: names that are no objects, and that may lie in it.
    """

    store: ObjectStore
    overwrite: Callable[[str, bytes], None]
    reopen: Callable[[], ObjectStore]
    foreign: tuple[str, ...] = ()


def object_file(folder: Path, name: str) -> Path:
    """Return the file that holds an object, made writable when it is there."""
    kind, _, digest = name.partition("/")
    file = folder / kind / digest[:2] / digest
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        file.chmod(0o600)
    return file


def put(store: ObjectStore, content: bytes) -> ObjectStoreResponse:
    """Put a content under its key."""
    return store.put(ObjectStoreRequest(object_key(content), content, "text/plain"))


def keys(store: ObjectStore) -> list[str]:
    """Return the keys of a store's objects, sorted."""
    return sorted(found.key for found in store.list_objects())


def reason(call: Callable[[], object]) -> tuple[str, bool]:
    """Return how a call is refused: the kind of failure, and whether it may pass."""
    with pytest.raises(ObjectStoreException) as caught:
        call()
    return caught.value.error.error_type, caught.value.error.retryable
