"""An object store on Cloudflare R2, or on any other S3.

Every put is conditional (`If-None-Match: *`), so the server itself refuses to replace an object.
A server that answers that it knows no conditions is refused in turn: there is no way around it in
which two writers could not replace one another. A server that ignores the condition without a word
can do no harm, for a key is the digest of what is put: it can only be replaced by itself.

obstore signs and sends. What it says of an error may quote the request, so nothing of it is passed
on but the status and the server's error code. It also reads every `AWS_*` variable of the process,
which would send evidence elsewhere or as somebody else, so each one that matters is set here.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from remit.artifacts.store import (
    KEY_FOLDER,
    MAX_OBJECT_BYTES,
    ObjectStore,
    ObjectStoreException,
    ObjectStoreRequest,
    StoredObject,
    damaged,
    failure,
    is_key,
    not_found,
)

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3Credential

MAX_RETRIES = 3
"""How often a request is sent again after a failure that may pass, within the timeout."""

CONNECT_SECONDS = 5.0
_CHUNK_BYTES = 1024 * 1024
_STATUS = re.compile(r"status code: ([0-9]{3})")
# What obstore says of a redirect that names no place: S3 answers so for a bucket of another region.
_REDIRECTED = "redirect without LOCATION"
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_ADVICE: Mapping[int, str] = {
    **dict.fromkeys(
        (401, 403),
        "OBJECT_STORE_ACCESS_KEY_ID and OBJECT_STORE_SECRET_ACCESS_KEY must name a key that "
        "may read, write and list the bucket",
    ),
    **dict.fromkeys(
        (301, 302, 303, 307, 308),
        "the bucket is elsewhere; check OBJECT_STORE_ENDPOINT and OBJECT_STORE_REGION",
    ),
    501: "it must know conditional writes (If-None-Match), so that no object is replaced",
}
"""By status: what to change about the installation."""
_PASSING = frozenset({408, 425, 429})
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class R2Options:
    """Where the bucket is, and how to reach it; the endpoint is `http` only on this machine.

    `timeout_seconds` is the longest wait for one answer with its body, and for all that is sent
    again after it: a call ends within about twice that. `backoff_seconds` doubles with each
    repetition.
    """

    endpoint: str
    bucket: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    timeout_seconds: float
    backoff_seconds: float = 0.1


def _connect(options: R2Options) -> S3Store:
    _check_endpoint(options.endpoint)
    if _BUCKET.fullmatch(options.bucket) is None:
        raise failure("misconfigured", "OBJECT_STORE_BUCKET is not the name of a bucket")
    credential: S3Credential = {
        "access_key_id": options.access_key_id,
        "secret_access_key": options.secret_access_key,
        "token": None,
        "expires_at": None,
    }
    try:
        return S3Store(
            options.bucket,
            config=_config(options),
            client_options=_limits(options),
            retry_config={
                "max_retries": MAX_RETRIES,
                "retry_timeout": timedelta(seconds=options.timeout_seconds),
                "backoff": {"init_backoff": timedelta(seconds=options.backoff_seconds)},
            },
            # Unlike keys in `config`, this leaves no room for a session token of the environment.
            credential_provider=lambda: credential,
        )
    except (BaseError, ValueError):
        raise failure(
            "misconfigured",
            "the object store cannot be used: check OBJECT_STORE_ENDPOINT, and unset "
            "AWS_SERVER_SIDE_ENCRYPTION and AWS_CHECKSUM_ALGORITHM",
        ) from None


def _limits(options: R2Options) -> "ClientConfig":
    """Return how long to wait; given at all, it replaces what `AWS_*` say of proxies and more."""
    url = urlsplit(options.endpoint)
    limits: ClientConfig = {
        "allow_http": url.scheme == "http",
        "connect_timeout": timedelta(seconds=min(options.timeout_seconds, CONNECT_SECONDS)),
        "timeout": timedelta(seconds=options.timeout_seconds),
    }
    if _is_loopback(host := url.hostname or ""):
        # Only a proxy that is named, and left out for this very host, keeps out HTTP_PROXY.
        limits |= {"proxy_url": "http://127.0.0.1:9", "proxy_excludes": host}
    return limits


def _config(options: R2Options) -> "S3Config":
    """Return every setting that the environment could otherwise make for us.

    `AWS_SERVER_SIDE_ENCRYPTION` and `AWS_CHECKSUM_ALGORITHM` have no value that means none, and
    some servers know neither header. They change nothing of what is stored, where and by whom.
    """
    endpoint = options.endpoint.rstrip("/")
    return {
        "aws_endpoint_url_s3": endpoint,
        "conditional_put": "etag",
        "endpoint": endpoint,
        "region": options.region,
        "request_payer": False,
        "s3_express": False,
        "skip_signature": False,
        "sse_bucket_key_enabled": False,
        "sse_customer_key_base64": "",
        "sse_kms_key_id": "",
        "unsigned_payload": False,
        "virtual_hosted_style_request": False,
    }


def _check_endpoint(endpoint: str) -> None:
    try:
        url = urlsplit(endpoint)
        host, _ = url.hostname, url.port
    except ValueError:
        host = None
    if host is None or url.username is not None or url.query or url.fragment:
        raise failure("misconfigured", "OBJECT_STORE_ENDPOINT is no address; it reads https://host")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise failure(
            "misconfigured",
            "OBJECT_STORE_ENDPOINT must be https:// (http:// only on this machine): evidence does "
            "not travel in the clear",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class R2ObjectStore(ObjectStore):
    """Keeps objects in a bucket."""

    name = "r2"
    durable = True

    def __init__(self, options: R2Options) -> None:
        """Prepare the client, or raise `misconfigured`; nothing is sent."""
        self._bucket = options.bucket
        self._store = _connect(options)

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
        """Read back an object that the server says is there; it may not be whole yet."""
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
        """Tell a missing object from a missing bucket: a server answers 404 to both."""
        with self._reporting("look into the bucket for"):
            obstore.list_with_delimiter(self._store, prefix=key)

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
        moved = HTTPStatus.MOVED_PERMANENTLY if _REDIRECTED in text else None
        told, coded = _STATUS.search(text), _CODE.search(text)
        status = int(told[1]) if told else moved
        if status is None:
            return failure(
                "storage_error",
                f"the object store did not {action} an object: no answer, or a cut one",
                retryable=True,
            )
        if status == HTTPStatus.NOT_FOUND:  # to a put or a listing
            return failure(
                "misconfigured",
                f"there is no bucket {self._bucket} at OBJECT_STORE_ENDPOINT: make it, or name "
                "another with OBJECT_STORE_BUCKET",
            )
        answer = f"{status:d} {coded[1]}" if coded else f"{status:d}"
        if advice := _ADVICE.get(status):
            return failure("misconfigured", f"the object store answered {answer}: {advice}")
        return failure(
            "storage_error",
            f"the object store did not {action} an object: it answered {answer}",
            retryable=status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        )
