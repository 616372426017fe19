"""Anthropic's official SDK on a bounded connection; `anthropic` asks it for a client.

The extra `remit[anthropic]` installs it. Nothing but what Remit was told decides where a request
goes and with which key.
"""

from typing import TYPE_CHECKING

from remit.cognition.addresses import ServiceAddress
from remit.cognition.sdk_logs import sdk_logs_shut

if TYPE_CHECKING:
    from anthropic import Anthropic


def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "Anthropic":
    """Return the SDK's client; who asks for it closes it.

    Args:
        address: the service.
        key: the key to send.
        timeout_seconds: longest wait for the connection, for the start of an answer, and for the
            rest of it.

    Raises:
        ImportError: the SDK is not installed.
        OSError, ValueError: the environment allows no connection; the error may quote a password.
    """
    with sdk_logs_shut("anthropic"):
        from anthropic import Anthropic

    from remit.cognition.bounded_http import bounded_client

    return Anthropic(
        api_key=key,
        base_url=address.url,
        timeout=timeout_seconds,
        # Who asks decides whether to ask again.
        max_retries=0,
        default_headers={
            "Accept-Encoding": "identity",
            # Said here, no variable of the SDK's own can replace it.
            "Authorization": f"Bearer {key}",
        },
        # A variable could have the SDK write every message into spans of its own.
        open_telemetry=False,
        http_client=bounded_client(
            timeout_seconds=timeout_seconds, on_this_machine=address.is_loopback
        ),
    )
