"""The connection that every SDK is given: bounded in time and size, and never led elsewhere.

The SDK's own would follow a redirect with the texts in hand, wait without end for an answer that
drips, and read one of any size into memory.
"""

from collections.abc import Iterator
from time import monotonic
from typing import cast

import httpx2

from remit.cognition.bodies import is_plain

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Largest answer read; 100 vectors written as text take less than 4 MB."""


def bounded_client(*, timeout_seconds: float, on_this_machine: bool) -> httpx2.Client:
    """Return a connection for the SDK to use; who asks for it closes it.

    `timeout_seconds` is the longest wait for the connection, for the start of the answer, and for
    the whole rest of it. A service on this machine is not asked through the environment's proxy.

    Raises:
        OSError: the certificates that the environment names cannot be read.
        ValueError: the proxy that it names is none.
    """

    def bound(response: httpx2.Response) -> None:
        limit = MAX_ANSWER_BYTES
        if not is_plain(response.headers.get("content-encoding")):
            # It was not asked for, and a few kilobytes can unpack to gigabytes.
            if response.is_success:
                raise UnreadableAnswerError("answered compressed though not asked for")
            # The status of a refusal says enough, as that of a proxy's page does.
            del response.headers["content-encoding"]
            limit = 0
        # The other kind of stream belongs to a client that is awaited, and this is none.
        whole = cast("httpx2.SyncByteStream", response.stream)
        response.stream = _BoundedAnswer(whole, monotonic() + timeout_seconds, limit)

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


class UnreadableAnswerError(httpx2.DecodingError):
    """An answer that is not read to its end, in words that follow the name of the service."""


def never_connected(error: BaseException) -> bool:
    """Return whether an SDK failed for want of a connection, so that nothing was sent."""
    return any(
        isinstance(each, httpx2.ConnectError | httpx2.ConnectTimeout) for each in _chain(error)
    )


def unreadable(error: BaseException) -> str | None:
    """Return what is wrong with an answer that an SDK could not get; None when nothing is known."""
    return next(
        (str(each) for each in _chain(error) if isinstance(each, UnreadableAnswerError)), None
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    linked: BaseException | None = error
    while linked is not None:
        yield linked
        linked = linked.__cause__


class _BoundedAnswer(httpx2.SyncByteStream):
    """The bytes of an answer, as long as they are in time and not too many."""

    def __init__(self, whole: httpx2.SyncByteStream, deadline: float, limit: int) -> None:
        """Wrap an answer: `deadline` by the monotonic clock, `limit` in bytes, 0 to read none."""
        self._whole = whole
        self._deadline = deadline
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes, or raise when they are late or too many."""
        left = self._limit
        for chunk in self._whole if left else ():
            if monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer did not end in time")
            left -= len(chunk)
            if left < 0:
                raise UnreadableAnswerError(
                    f"sent more than {self._limit} bytes, where its answer broke off"
                )
            yield chunk

    def close(self) -> None:
        """Give the connection back."""
        self._whole.close()
