"""OpenAI's official SDK on a bounded connection, as every kind of OpenAI provider uses it.

The extra `remit[openai]` installs it; it is imported when a provider is first asked. Nothing but
what Remit was told decides where a request goes and with which key.
"""

from typing import TYPE_CHECKING

from remit.cognition.addresses import ServiceAddress
from remit.cognition.sdk_logs import sdk_logs_shut

if TYPE_CHECKING:
    from openai import OpenAI

VENDOR_URL = "https://api.openai.com/v1"
"""Where OpenAI's own service is."""

MISSING_SDK = "the SDK of OpenAI is not installed: run `pip install 'remit[openai]'`"
"""What to do where :func:`connect` finds no SDK; the provider adds its other way out."""

NO_CONNECTION = (
    "no connection can be made with the certificates or the proxy that the environment names: "
    "check SSL_CERT_FILE, SSL_CERT_DIR and HTTPS_PROXY"
)
"""What to do where :func:`connect` raises OSError or ValueError."""


def connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "OpenAI":
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
    with sdk_logs_shut("openai"):
        from openai import OpenAI

    from remit.cognition.bounded_http import bounded_client

    client = OpenAI(
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
        http_client=bounded_client(
            timeout_seconds=timeout_seconds, on_this_machine=address.is_loopback
        ),
    )
    # The SDK read these from variables that are not Remit's.
    client.organization = client.project = None
    return client
