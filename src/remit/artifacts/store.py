"""The interface of an object store, and the rules that every store keeps.

An object store holds content that is too large for a row. It knows bytes and keys, and nothing of
artifacts or directives. Keys are made here and nowhere else: `sha256/` and the hex digest of the
content, so one content is one object, and whoever reads can tell whether it is what was put.
Nothing is replaced and nothing is removed.

`noop`, `filesystem` and `r2` implement :class:`ObjectStore`, with the help of `checked_store`;
`config` chooses one.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol

from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.errors import ProviderError
from remit.vocabulary import ObjectStoreErrorType

CONTENT_THRESHOLD_BYTES = 65_536
"""Largest content, in bytes, that lies in Postgres; larger content lies in the object store."""

MAX_OBJECT_BYTES = MAX_ARTIFACT_BYTES
"""Largest object, in bytes; no store accepts more, and none reads more into memory."""


KEY_FOLDER = "sha256"
"""First part of every key."""

_KEY = re.compile(KEY_FOLDER + r"/[0-9a-f]{64}")
# One line of visible ASCII, as RFC 9110 (8.3.1) builds a media type; parameters may follow.
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110's word for a name, not a secret
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}( *;[ -~]*)?")
_MAX_MEDIA_TYPE = 255


@dataclass(frozen=True, slots=True)
class ObjectStoreRequest:
    """Content to be put.

    Attributes:
        key: :func:`object_key` of the content.
        content: the bytes, at most :data:`MAX_OBJECT_BYTES`.
        media_type: what they are, such as `text/plain`; a store may keep it, and never relies on
            it.
    """

    key: str
    content: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class ObjectStoreResponse:
    """An object that is stored, and as durable as its store is.

    Attributes:
        key: its key.
        uri: its address, `artifact://<store>/<key>`.
        size_bytes: length of the content.
        digest: `sha256:` and the hex digest of the content.
        created: whether this put stored it; False: it was there already, whole.
    """

    key: str
    uri: str
    size_bytes: int
    digest: str
    created: bool


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it; nothing of it was read.

    Attributes:
        key: its key.
        size_bytes: its length as the store tells it.
        modified_at: when it was stored, by the store's clock, with its time zone.
    """

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ObjectStoreError:
    """What went wrong.

    Attributes:
        error_type: which kind of failure it is.
        message: one sentence that says what is wrong and how to mend it; it never holds a secret.
        retryable: whether the same call may succeed later with nothing changed.
    """

    error_type: ObjectStoreErrorType
    message: str
    retryable: bool = False


class ObjectStoreException(ProviderError):  # noqa: N818 - the plan's name; the value is the Error
    """An object store did not do what it was asked.

    Attributes:
        error: what went wrong.
    """

    def __init__(self, error: ObjectStoreError) -> None:
        super().__init__(error.message, reason=error.error_type, retryable=error.retryable)
        self.error = error


class ObjectStore(Protocol):
    """Where large contents lie. Every method may raise :class:`ObjectStoreException`.

    Implementations may be called by several threads at once.
    """

    @property
    def name(self) -> str:
        """Which kind of store it is; the store part of its objects' addresses."""
        ...

    @property
    def durable(self) -> bool:
        """Whether an acknowledged object outlives the process and a loss of power."""
        ...

    def put(self, request: ObjectStoreRequest) -> ObjectStoreResponse:
        """Store an object whole, or not at all; return once it is durable.

        An object that is there already is read back: it stays as it is, and the put succeeds only
        when it is undamaged.
        """
        ...

    def get(self, key: str) -> bytes:
        """Return an object's content, checked against its key."""
        ...

    def exists(self, key: str) -> bool:
        """Return whether there is such an object. Its content is not checked."""
        ...

    def delete(self, key: str) -> NoReturn:
        """Refuse: nothing is ever removed."""
        ...

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object; what else lies in the store is passed over."""
        ...


def failure(
    error_type: ObjectStoreErrorType, message: str, *, retryable: bool = False
) -> ObjectStoreException:
    """Return the exception for a failure."""
    return ObjectStoreException(ObjectStoreError(error_type, message, retryable))


def object_key(content: bytes) -> str:
    """Return the key of a content: `sha256/` and its digest in 64 lower-case hex digits."""
    return f"{KEY_FOLDER}/{hashlib.sha256(content).hexdigest()}"


def object_uri(store: str, key: str) -> str:
    """Return the address of an object.

    Args:
        store: the name of the store that has it.
        key: its key.
    """
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

    Args:
        key: the object's key.
        content: what the store holds, or its first :data:`MAX_OBJECT_BYTES` and one more.

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


def stored(name: str, request: ObjectStoreRequest, *, created: bool) -> ObjectStoreResponse:
    """Return the answer to a put that succeeded.

    Args:
        name: the store's.
        request: what was put.
        created: whether this put stored it.
    """
    return ObjectStoreResponse(
        key=request.key,
        uri=object_uri(name, request.key),
        size_bytes=len(request.content),
        digest=request.key.replace("/", ":", 1),
        created=created,
    )
