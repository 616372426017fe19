"""Anthropic's official SDK on a bounded connection; `anthropic` asks it for a client.

The extra `remit[anthropic]` installs it. Nothing but what Remit was told decides where a request
goes and with which key.
"""

from typing import TYPE_CHECKING

from remit.cognition.addresses import ServiceAddress
from remit.cognition.sdk_clients import client_options
from remit.cognition.sdk_logs import sdk_logs_shut

if TYPE_CHECKING:
    from anthropic import Anthropic


def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "Anthropic":
    """Return the SDK's client, as :func:`client_options` describes; who asks for it closes it.

    Raises:
        ImportError: the SDK is not installed.
        OSError, ValueError: the environment allows no connection; the error may quote a password.
    """
    with sdk_logs_shut("anthropic"):
        from anthropic import Anthropic
    return Anthropic(
        **client_options(address, key=key, timeout_seconds=timeout_seconds),
        # A variable could have the SDK write every message into spans of its own.
        open_telemetry=False,
    )
