"""How the store `r2` reaches its service: addresses, credentials, limits of time.

obstore reads every `AWS_*` variable of the process. Those would quietly send evidence elsewhere or
as somebody else, so each one that matters is set here, explicitly.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store

from remit.artifacts.store import failure

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3Credential

MAX_RETRIES = 3
"""How often a request is sent again after a failure that may pass, within the timeout."""

CONNECT_SECONDS = 5.0
"""Longest wait for a connection, in seconds."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class R2Options:
    """Where the bucket is, and how to reach it.

    Attributes:
        endpoint: address of the service, `https://host`; http only on this machine.
        bucket: the bucket, which exists.
        region: its region.
        access_key_id: name of the key.
        secret_access_key: the key.
        timeout_seconds: longest wait for one answer with its body, and for all that is sent again
            after it; a call ends within about twice that.
        backoff_seconds: wait before a request is sent again, about; it doubles each time.
    """

    endpoint: str
    bucket: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    timeout_seconds: float
    backoff_seconds: float = 0.1


def connect(options: R2Options) -> S3Store:
    """Return a client for the bucket; nothing is sent.

    Raises:
        ObjectStoreException: `misconfigured`: the endpoint or the bucket is not usable.
    """
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
        # Only a proxy that is named, and left out for this very host, keeps out HTTP_PROXY and its
        # kin.
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
    """Refuse an address that would send evidence and signatures in the clear.

    Raises:
        ObjectStoreException: `misconfigured`. The address is not quoted: it may hold a password.
    """
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
