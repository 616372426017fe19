"""The interface of an object store, and the rules that every store keeps.

An object store holds content that is too large for a row. It knows bytes and keys, and nothing of
artifacts or directives. A key is `sha256/` and the hex digest of the content, so one content is one
object, and whoever reads can tell whether it is what was put. Nothing is replaced and nothing is
removed. `noop`, `filesystem` and `r2` are the kinds; `config` chooses one.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.errors import ProviderError
from remit.vocabulary import ObjectStoreErrorType

CONTENT_THRESHOLD_BYTES = 65_536
"""Largest content, in bytes, that lies in Postgres; larger content lies in the object store."""

MAX_OBJECT_BYTES = MAX_ARTIFACT_BYTES
"""Largest object, in bytes; no store accepts more, and none reads more into memory."""


KEY_FOLDER = "sha256"
_KEY = re.compile(KEY_FOLDER + r"/[0-9a-f]{64}")
# One line of visible ASCII, as RFC 9110 (8.3.1) builds a media type; parameters may follow.
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110's word for a name, not a secret
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}( *;[ -~]*)?")
_MAX_MEDIA_TYPE = 255


@dataclass(frozen=True, slots=True)
class ObjectStoreRequest:
    """Content to be put under its :func:`object_key`.

    `content` has at most :data:`MAX_OBJECT_BYTES`. A store may keep the media type, and never
    relies on it.
    """

    key: str
    content: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class ObjectStoreResponse:
    """An object that is stored, as durable as its store is; not `created`: it was there, whole."""

    key: str
    uri: str
    size_bytes: int
    digest: str
    created: bool


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it, with the store's own time; nothing of it was read."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ObjectStoreError:
    """What went wrong; the message says how to mend it, and never holds a secret."""

    error_type: ObjectStoreErrorType
    message: str
    retryable: bool = False


class ObjectStoreException(ProviderError):  # noqa: N818 - the plan's name; the value is the Error
    """An object store did not do what it was asked."""

    def __init__(self, error: ObjectStoreError) -> None:
        super().__init__(error.message, reason=error.error_type, retryable=error.retryable)
        self.error = error


def failure(
    error_type: ObjectStoreErrorType, message: str, *, retryable: bool = False
) -> ObjectStoreException:
    """Return the exception for a failure."""
    return ObjectStoreException(ObjectStoreError(error_type, message, retryable))


def object_key(content: bytes) -> str:
    """Return the key of a content: `sha256/` and its digest in 64 lower-case hex digits."""
    return f"{KEY_FOLDER}/{hashlib.sha256(content).hexdigest()}"


def object_uri(store: str, key: str) -> str:
    """Return the address of an object, by the name of its store."""
    return f"artifact://{store}/{key}"


def is_key(key: str) -> bool:
    """Return whether :func:`object_key` could have made it."""
    return _KEY.fullmatch(key) is not None


def check_key(key: str) -> str:
    """Return the hex digest that a key holds.

    The match is exact, so no separator, dot, escape or control character ever reaches a path or
    a URL.

    Raises:
        ObjectStoreException: `serialization`: it is not a key that :func:`object_key` makes.
    """
    if not is_key(key):
        raise failure(
            "serialization", "not an object key; they read sha256/ and 64 lower-case hex digits"
        )
    return key.removeprefix(f"{KEY_FOLDER}/")


def check_request(request: ObjectStoreRequest) -> str:
    """Return the hex digest of a content that may be put.

    Raises:
        ObjectStoreException: `size_exceeded`, or `serialization`.
    """
    digest = check_key(request.key)
    # Measured before it is digested: refusing what is too large costs nothing.
    if len(request.content) > MAX_OBJECT_BYTES:
        raise failure(
            "size_exceeded",
            f"the content is {len(request.content)} bytes; at most {MAX_OBJECT_BYTES} are stored",
        )
    if request.key != object_key(request.content):
        raise failure("serialization", f"{request.key} is not the key of this content")
    media_type = request.media_type
    if len(media_type) > _MAX_MEDIA_TYPE or _MEDIA_TYPE.fullmatch(media_type) is None:
        raise failure("serialization", "not a media type; they read like text/plain")
    return digest


def check_content(key: str, content: bytes) -> bytes:
    """Return a content that was read, once it is proved to be the one that was put.

    Raises:
        ObjectStoreException: `storage_error`, not retryable: it is not what was put.
    """
    if len(content) > MAX_OBJECT_BYTES:
        raise damaged(key, f"it is over {MAX_OBJECT_BYTES} bytes")
    if object_key(content) != key:
        raise damaged(key, "it does not match its digest")
    return content


def damaged(key: str, finding: str) -> ObjectStoreException:
    """Return the failure for an object that is not what was put."""
    return failure(
        "storage_error",
        f"object {key} is damaged: {finding}. Remit replaces nothing: restore it from a backup",
    )


def not_found(key: str) -> ObjectStoreException:
    """Return the failure for a key that has no object."""
    return failure("not_found", f"there is no object {key}")


class ObjectStore(ABC):
    """Where large contents lie. Every method may raise :class:`ObjectStoreException`.

    It checks what comes in and what goes out; a kind of store says only how objects are kept, and
    may be called by several threads at once.

    Attributes:
        name: which kind it is; the store part of its objects' addresses.
        durable: whether an acknowledged object outlives the process and a loss of power.
    """

    name: str
    durable: bool

    def put(self, request: ObjectStoreRequest) -> ObjectStoreResponse:
        """Store an object whole, or not at all; return once it is durable.

        An object that is there already is read back: it stays as it is, and the put succeeds only
        when it is undamaged.
        """
        check_request(request)
        created = self.keep(request)
        return ObjectStoreResponse(
            key=request.key,
            uri=object_uri(self.name, request.key),
            size_bytes=len(request.content),
            digest=request.key.replace("/", ":", 1),
            created=created,
        )

    def get(self, key: str) -> bytes:
        """Return an object's content, checked against its key."""
        check_key(key)
        return check_content(key, self.read(key))

    def exists(self, key: str) -> bool:
        """Return whether there is such an object. Its content is not checked."""
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
        """Keep an object whose key is checked; return False when it was there already, whole."""

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return what is kept under a checked key, unchecked, and no more than shows it too large.

        A key that has no object raises :func:`not_found`.
        """

    @abstractmethod
    def holds(self, key: str) -> bool:
        """Return whether there is an object of a checked key."""
