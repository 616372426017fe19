"""OpenAI's official SDK on a bounded connection, as every kind of OpenAI provider uses it.

The extra `remit[openai]` installs it; it is imported when a provider is first asked. Nothing but
what Remit was told decides where a request goes and with which key.
"""

from typing import TYPE_CHECKING

from remit.cognition.addresses import ServiceAddress
from remit.cognition.sdk_clients import client_options
from remit.cognition.sdk_logs import sdk_logs_shut

if TYPE_CHECKING:
    from openai import OpenAI

VENDOR_URL = "https://api.openai.com/v1"
"""Where OpenAI's own service is."""


def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "OpenAI":
    """Return the SDK's client, as :func:`client_options` describes; who asks for it closes it.

    Raises:
        ImportError: the SDK is not installed.
        OSError, ValueError: the environment allows no connection; the error may quote a password.
    """
    with sdk_logs_shut("openai"):
        from openai import OpenAI
    client = OpenAI(**client_options(address, key=key, timeout_seconds=timeout_seconds))
    # The SDK read these from variables that are not Remit's.
    client.organization = client.project = None
    return client
