"""What every vendor's SDK is told, and its client, made once. No SDK is imported here.

The SDKs are made alike and take the same options. Each would otherwise read variables of its own,
ask again by itself, and use a connection without bounds.
"""

import weakref
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Generic, Protocol, TypedDict, TypeVar

from remit.cognition.addresses import ServiceAddress

if TYPE_CHECKING:
    import httpx2

NO_CONNECTION = (
    "no connection can be made with the certificates or the proxy that the environment names: "
    "check SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, which may not be "
    "socks5://"
)
"""What to do where :func:`client_options` raises."""


def no_sdk(title: str, package: str, *, otherwise: str) -> str:
    """Return what to do where an SDK is not installed.

    Args:
        title: whose SDK it is.
        package: what it is called, to be installed.
        otherwise: the other way out.
    """
    return f"the SDK of {title} is not installed: run `pip install {package}`, or {otherwise}"


class ClientOptions(TypedDict):
    """Options of an SDK's client."""

    api_key: str
    base_url: str
    timeout: float
    max_retries: int
    default_headers: dict[str, str]
    http_client: "httpx2.Client"


def client_options(address: ServiceAddress, *, key: str, timeout_seconds: float) -> ClientOptions:
    """Return what an SDK's client is made with; closing that client closes the connection.

    Args:
        address: the service.
        key: the key to send.
        timeout_seconds: longest wait for the connection, for the start of an answer, and for the
            rest of it.

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


class _Closable(Protocol):
    def close(self) -> None: ...


_Client = TypeVar("_Client", bound=_Closable)


class Opened(Generic[_Client]):
    """An SDK's client, made at the first request, once however many threads ask.

    It is closed with whoever owns this object.
    """

    def __init__(
        self,
        connect: Callable[[], _Client],
        *,
        without_sdk: str,
        misconfigured: Callable[[str], Exception],
    ) -> None:
        """Keep how to make it.

        Args:
            connect: makes it; imports the SDK.
            without_sdk: what to do where the SDK is not installed.
            misconfigured: makes the provider's own error of a message.
        """
        self._connect = connect
        self._without_sdk = without_sdk
        self._misconfigured = misconfigured
        self._opening = Lock()
        self._client: _Client | None = None

    def get(self) -> _Client:
        """Return the client.

        Raises:
            ProviderError: `misconfigured`: there is no SDK, or no connection can be made.
        """
        with self._opening:
            if self._client is None:
                self._client = self._open()
                weakref.finalize(self, self._client.close)
            return self._client

    def _open(self) -> _Client:
        try:
            return self._connect()
        except ImportError:
            problem = self._without_sdk
        except (OSError, ValueError):
            problem = NO_CONNECTION
        # Outside the handlers: an error in there may quote the proxy's password.
        raise self._misconfigured(problem)
