"""The connection to a service: bounded in time and size, and never led elsewhere.

Every provider on an SDK hands one to its SDK. The SDK's own connection would follow a redirect with
the texts in hand, wait without end for an answer that drips, and read one of any size into memory.
"""

from collections.abc import Iterator
from time import monotonic
from typing import cast

import httpx2

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Largest answer read.

100 vectors of 1,536 numbers, written as text, take less than 4 MB; the longest answer of a language
model takes less than 2 MB.
"""


def bounded_client(*, timeout_seconds: float, on_this_machine: bool) -> httpx2.Client:
    """Return a connection for the SDK to use; who asks for it closes it.

    Args:
        timeout_seconds: longest wait for the connection, for the start of the answer, and for the
            whole rest of it.
        on_this_machine: the service is on loopback, so a proxy set in the environment is not asked.

    Raises:
        OSError: the certificates that the environment names cannot be read.
        ValueError: the proxy that it names is none.
    """

    def bound(response: httpx2.Response) -> None:
        _refuse_compressed(response)
        # The other kind of stream belongs to a client that is awaited, and this is none.
        whole = cast("httpx2.SyncByteStream", response.stream)
        response.stream = _BoundedAnswer(whole, monotonic() + timeout_seconds)

    try:
        return httpx2.Client(
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=not on_this_machine,
            event_hooks={"response": [bound]},
        )
    except (ImportError, httpx2.InvalidURL):
        # A SOCKS proxy needs a package of its own; whoever asks would take it for the SDK's.
        unusable = ValueError("the proxy that the environment names cannot be used")
    raise unusable


def never_connected(error: BaseException) -> bool:
    """Return whether an SDK failed for want of a connection, so that nothing was sent."""
    linked: BaseException | None = error
    while linked is not None:
        if isinstance(linked, httpx2.ConnectError | httpx2.ConnectTimeout):
            return True
        linked = linked.__cause__
    return False


def _refuse_compressed(response: httpx2.Response) -> None:
    """Refuse what was not asked for: a few kilobytes can unpack to gigabytes.

    Raises:
        httpx2.DecodingError: the answer is compressed.
    """
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise httpx2.DecodingError(
            "a compressed answer was not asked for", request=response.request
        )


class _BoundedAnswer(httpx2.SyncByteStream):
    """The bytes of an answer, as long as they are in time and not too many."""

    def __init__(self, whole: httpx2.SyncByteStream, deadline: float) -> None:
        """Wrap an answer.

        Args:
            whole: the answer.
            deadline: when its last byte must be there, in seconds of the monotonic clock.
        """
        self._whole = whole
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes.

        Raises:
            httpx2.ReadTimeout: they are late.
            httpx2.DecodingError: they are too many.
        """
        left = MAX_ANSWER_BYTES
        for chunk in self._whole:
            if monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer did not end in time")
            left -= len(chunk)
            if left < 0:
                raise httpx2.DecodingError("the answer is too long")
            yield chunk

    def close(self) -> None:
        """Give the connection back."""
        self._whole.close()
