"""Braintrust's SDK on a bounded connection, and what its errors mean; imports the SDK.

Its client of the API is used, which does one request at a time. Its logger is not: that one has
threads and a flush at exit without an end, and it sends the caller's file names and the state of
the git repository along.
"""

import http.cookiejar
import io
from time import monotonic
from typing import Any

import requests
import urllib3
from braintrust.api import (
    BraintrustClient,
    BraintrustHTTPError,
    BraintrustJSONDecodeError,
    BraintrustTransportError,
)
from requests.adapters import HTTPAdapter

from remit.cognition.addresses import ServiceAddress
from remit.cognition.bodies import is_plain
from remit.cognition.failures import Failure, Words, late, refused, unknown, unreachable
from remit.vocabulary import FailureKind

MAX_ANSWER_BYTES = 1024 * 1024
"""Largest answer read: ids and scores take a few kilobytes."""

_CHUNK_BYTES = 65536


def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> BraintrustClient:
    """Return the SDK's client; whoever asks for it closes its `transport.session`.

    Nothing but what Remit was told decides where a request goes and with which key: no variable of
    the SDK's, no `.netrc`, and no redirect. The time is as `sdk.client_options` has it.

    Raises:
        ValueError: a variable of the SDK's own holds nonsense.
    """
    session = requests.Session()
    session.trust_env = not address.is_loopback  # certificates and proxies, elsewhere
    session.max_redirects = 0
    session.auth = _Key(key)
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _BoundedAdapter(timeout_seconds))
    # The addresses that are never used are given too: the SDK would take them from variables.
    return BraintrustClient(
        api_key=key,
        app_url=address.url,
        api_url=address.url,
        proxy_url=address.url,
        session=session,
    )


class _Key(requests.auth.AuthBase):
    """Sends the key; without it, requests would look into `.netrc` for another."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._key}"
        return r


class _BoundedAdapter(HTTPAdapter):
    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 - the form of requests
        **options: Any,  # noqa: ANN401 - as above
    ) -> requests.Response:
        """Send a request, with the wait that Remit allows in place of the SDK's."""
        options |= {"stream": True, "timeout": self._timeout_seconds}
        return super().send(request, *args, **options)

    def build_response(
        self, req: requests.PreparedRequest, resp: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        """Return the answer, read whole.

        Raises:
            requests.RequestException: it is late, too long, compressed, or broke off.
        """
        try:
            body = self._read(resp)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.ReadTimeout(error, request=req) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error, request=req) from error
        finally:
            resp.close()
        whole = urllib3.HTTPResponse(
            io.BytesIO(body), headers=resp.headers, status=resp.status, preload_content=False
        )
        return super().build_response(req, whole)

    def _read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        if not is_plain(answer.headers.get("content-encoding")):
            # A few kilobytes can unpack to gigabytes.
            raise requests.exceptions.ContentDecodingError("a compressed answer")
        deadline = monotonic() + self._timeout_seconds
        read = bytearray()
        while chunk := answer.read1(_CHUNK_BYTES):
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                raise requests.exceptions.ContentDecodingError("an answer that is too long")
            if monotonic() > deadline:
                raise requests.ReadTimeout("the answer did not end in time")
        return bytes(read)


WORDS = Words(
    service="the evaluation service",
    sdk="Braintrust",
    key="check BRAINTRUST_API_KEY, and what that key is allowed to do",
    place="check BRAINTRUST_API_URL",
    address="BRAINTRUST_API_URL",
    request="check BRAINTRUST_PROJECT",
    offer="evaluations",
)
"""How the failures of this service are worded."""


def failure_of(error: Exception, *, timeout_seconds: float) -> Failure[FailureKind]:
    """Return what an error of the SDK means; nothing that it or the service wrote is repeated."""
    if isinstance(error, BraintrustHTTPError):
        return refused(WORDS, error.status_code, error.response_headers)
    if isinstance(error, BraintrustJSONDecodeError):
        return Failure(
            "provider_error", "the evaluation service answered no JSON: check BRAINTRUST_API_URL"
        )
    cause = error.__cause__ if isinstance(error, BraintrustTransportError) else None
    if isinstance(error, TimeoutError) or isinstance(cause, requests.Timeout):
        return late(WORDS, timeout_seconds)
    if isinstance(cause, requests.TooManyRedirects) and cause.response is not None:
        return refused(WORDS, cause.response.status_code, {})
    return unreachable(WORDS) if isinstance(error, BraintrustTransportError) else unknown(WORDS)
