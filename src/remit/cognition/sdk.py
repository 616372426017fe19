"""What every vendor's SDK is told, and its client, made once. No SDK is imported with this module.

Each would otherwise read variables of its own, ask again by itself, write requests into the log,
and use a connection without bounds.
"""

import logging
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from operator import attrgetter
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from remit.cognition.addresses import ServiceAddress

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
"""Where OpenAI's own service is."""

_NO_CONNECTION = (
    "no connection can be made with the certificates or the proxy that the environment names: "
    "check SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, which may not be "
    "socks5://"
)

_T = TypeVar("_T")


def no_sdk(title: str, package: str, *, otherwise: str) -> str:
    """Return what to do where an SDK is not installed; `otherwise` is the other way out."""
    return f"the SDK of {title} is not installed: run `pip install {package}`, or {otherwise}"


def client_options(address: ServiceAddress, *, key: str, timeout_seconds: float) -> dict[str, Any]:
    """Return what an SDK's client is made with; closing that client closes the connection.

    The time is as :func:`bounded_http.bounded_client` has it.

    Raises:
        OSError, ValueError: the environment allows no connection; the error may quote a password.
    """
    # The HTTP client comes with an SDK.
    from remit.cognition.bounded_http import bounded_client

    return {
        "api_key": key,
        "base_url": address.url,
        "timeout": timeout_seconds,
        # Who asks decides whether to ask again.
        "max_retries": 0,
        "default_headers": {
            "Accept-Encoding": "identity",
            # Said here, no variable of the SDK's own can replace it.
            "Authorization": f"Bearer {key}",
        },
        "http_client": bounded_client(
            timeout_seconds=timeout_seconds, on_this_machine=address.is_loopback
        ),
    }


def connect_openai(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "OpenAI":
    """Return the client of OpenAI's SDK; raises as :func:`client_options` does, or ImportError."""
    with sdk_logs_shut("openai"):
        from openai import OpenAI
    client = OpenAI(**client_options(address, key=key, timeout_seconds=timeout_seconds))
    # The SDK read these from variables that are not Remit's.
    client.organization = client.project = None
    return client


class Opened(Generic[_T]):
    """An SDK's client, made at the first request, once however many threads ask.

    It is closed with whoever owns this object.
    """

    def __init__(
        self,
        connect: Callable[[], _T],
        *,
        without_sdk: str,
        misconfigured: Callable[[str], Exception],
        unusable: str = _NO_CONNECTION,
        close: str = "close",
    ) -> None:
        """Keep how to make it: `connect` does, and imports the SDK.

        Where that raises ImportError, `misconfigured` makes the provider's own error of
        `without_sdk`; where it raises OSError or ValueError, of `unusable`. `close` is the client's
        method that closes it, as a dotted path.
        """
        self._connect = connect
        self._without_sdk = without_sdk
        self._misconfigured = misconfigured
        self._unusable = unusable
        self._close = close
        self._opening = Lock()
        self._client: _T | None = None

    def get(self) -> _T:
        """Return the client.

        Raises:
            ProviderError: `misconfigured`: there is no SDK, or no connection can be made.
        """
        with self._opening:
            if self._client is None:
                self._client = self._open()
                weakref.finalize(self, attrgetter(self._close)(self._client))
            return self._client

    def _open(self) -> _T:
        try:
            return self._connect()
        except ImportError:
            problem = self._without_sdk
        except (OSError, ValueError):
            problem = self._unusable
        # Outside the handlers: an error in there may quote the proxy's password.
        raise self._misconfigured(problem)


@contextmanager
def sdk_logs_shut(name: str) -> Iterator[None]:
    """Import an SDK without letting it set up logging, and shut its logger `name` up to warnings.

    By a variable of its own (`OPENAI_LOG`) an SDK would write whole requests into the log.
    """
    try:
        with logging_left_alone():
            yield
    finally:
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def logging_left_alone() -> Iterator[None]:
    """Import a package without letting it set up this process's logging."""
    root, guard = logging.getLogger(), logging.NullHandler()
    # `logging.basicConfig` does nothing where the root logger has a handler.
    root.addHandler(guard)
    try:
        yield
    finally:
        root.removeHandler(guard)


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """Return what a call returns, or raise what it raises; it sees the caller's context variables.

    A connection bounds each of its steps, but neither the look-up of a name nor an answer whose
    first line drips. A call that is late is left to itself, in a thread that keeps no process
    alive; its own bounds end it.

    Raises:
        TimeoutError: it took longer than `seconds`.
    """
    outcome: Future[_T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            outcome.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - raised again, where it is waited for
            outcome.set_exception(error)

    Thread(target=run, name="within-deadline", daemon=True).start()
    return outcome.result(timeout=seconds)
