"""An object store on Cloudflare R2, or on any other S3.

Every put is conditional (`If-None-Match: *`), so the server itself refuses to replace an object.
A server that answers that it knows no conditions is refused in turn: there is no way around it in
which two writers could not replace one another. A server that ignores the condition without a word
can do no harm, for a key is the digest of what is put: it can only be replaced by itself.

obstore signs and sends (`r2_client` says how). What it tells of an error may quote the request, so
nothing of it is passed on but the status and the server's error code.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from remit.artifacts.checked_store import CheckedStore
from remit.artifacts.r2_client import R2Options, connect
from remit.artifacts.store import (
    KEY_FOLDER,
    MAX_OBJECT_BYTES,
    ObjectStoreException,
    ObjectStoreRequest,
    StoredObject,
    damaged,
    failure,
    is_key,
    not_found,
)

_CHUNK_BYTES = 1024 * 1024
_STATUS = re.compile(r"status code: ([0-9]{3})")
# What obstore says of a redirect that names no place: S3 answers so for a bucket of another region.
_REDIRECTED = "redirect without LOCATION"
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_REFUSED = frozenset({401, 403})
_MOVED = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})


class R2ObjectStore(CheckedStore):
    """Keeps objects in a bucket."""

    name = "r2"
    durable = True

    def __init__(self, options: R2Options) -> None:
        """Prepare the client; nothing is sent.

        Raises:
            ObjectStoreException: `misconfigured`: the endpoint or the bucket is not usable.
        """
        self._bucket = options.bucket
        self._store = connect(options)

    def keep(self, request: ObjectStoreRequest) -> bool:
        """Keep an object; the server has acknowledged it when this returns."""
        try:
            with self._reporting("put", AlreadyExistsError):
                obstore.put(
                    self._store,
                    request.key,
                    request.content,
                    attributes={"Content-Type": request.media_type},
                    mode="create",
                )
        except AlreadyExistsError:
            self._confirm(request.key)
            return False
        return True

    def read(self, key: str) -> bytes:
        """Return an object's first :data:`MAX_OBJECT_BYTES` and some more."""
        try:
            with self._reporting("get", FileNotFoundError):
                return self._fetched(key)
        except FileNotFoundError:
            self._check_bucket(key)
            raise not_found(key) from None

    def holds(self, key: str) -> bool:
        """Return whether there is such an object."""
        try:
            with self._reporting("look up", FileNotFoundError):
                obstore.head(self._store, key)
        except FileNotFoundError:
            self._check_bucket(key)
            return False
        return True

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every object, as the server orders them; other keys are passed over."""
        with self._reporting("list"):
            for page in obstore.list(self._store, prefix=KEY_FOLDER):
                for found in page:
                    if is_key(found["path"]):
                        yield StoredObject(found["path"], found["size"], found["last_modified"])

    def _fetched(self, key: str) -> bytes:
        answer = obstore.get(self._store, key)
        # What the server announces is not even begun when it is too much.
        if answer.meta["size"] > MAX_OBJECT_BYTES:
            raise damaged(key, f"it is over {MAX_OBJECT_BYTES} bytes")
        content = bytearray()
        for chunk in answer.stream(min_chunk_size=_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_OBJECT_BYTES:
                break
        return bytes(content)

    def _confirm(self, key: str) -> None:
        """Read back an object that the server says is there.

        Raises:
            ObjectStoreException: it is damaged, or is not there: somebody puts it just now.
        """
        try:
            self.get(key)
        except ObjectStoreException as error:
            if error.error.error_type != "not_found":
                raise
            raise failure(
                "storage_error",
                f"somebody else is putting object {key}, and has not finished",
                retryable=True,
            ) from None

    def _check_bucket(self, key: str) -> None:
        """Tell a missing object from a missing bucket: a server answers 404 to both.

        Raises:
            ObjectStoreException: the bucket does not answer.
        """
        with self._reporting("look into the bucket for"):
            obstore.list_with_delimiter(self._store, prefix=key)

    def _no_bucket(self) -> ObjectStoreException:
        return failure(
            "misconfigured",
            f"there is no bucket {self._bucket} at OBJECT_STORE_ENDPOINT: make it, or name "
            "another with OBJECT_STORE_BUCKET",
        )

    @contextmanager
    def _reporting(self, action: str, *answers: type[Exception]) -> Iterator[None]:
        """Turn obstore's errors into a store's, but for those that answer the question."""
        try:
            yield
        except answers:
            raise
        except (BaseError, OSError, ValueError) as error:
            # Not chained: the original may quote the request.
            raise self._translated(action, str(error)) from None

    def _translated(self, action: str, text: str) -> ObjectStoreException:
        status, coded = _status(text), _CODE.search(text)
        if status is None:
            return failure(
                "storage_error",
                f"the object store did not {action} an object: no answer, or a cut one",
                retryable=True,
            )
        if status == HTTPStatus.NOT_FOUND:  # to a put or a listing
            return self._no_bucket()
        answer = f"{status:d} {coded[1]}" if coded else f"{status:d}"
        advice = _advice(status)
        if advice is not None:
            return failure("misconfigured", f"the object store answered {answer}: {advice}")
        return failure(
            "storage_error",
            f"the object store did not {action} an object: it answered {answer}",
            retryable=status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        )


def _status(text: str) -> int | None:
    """Return the status code in an error of obstore; None when there was no answer."""
    found = _STATUS.search(text)
    if found is None:
        return HTTPStatus.MOVED_PERMANENTLY if _REDIRECTED in text else None
    return int(found[1])


def _advice(status: int) -> str | None:
    """Return what to change about the installation; None when it is not at fault."""
    if status in _REFUSED:
        return (
            "OBJECT_STORE_ACCESS_KEY_ID and OBJECT_STORE_SECRET_ACCESS_KEY must name a key that "
            "may read, write and list the bucket"
        )
    if status in _MOVED:
        return "the bucket is elsewhere; check OBJECT_STORE_ENDPOINT and OBJECT_STORE_REGION"
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return "it must know conditional writes (If-None-Match), so that no object is replaced"
    return None
