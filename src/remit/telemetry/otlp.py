"""To a collector: OTLP over HTTP, in protobuf.

HTTP and not gRPC: its client is pure Python, loads in a fraction of the time, keeps no threads of
its own and survives a fork. Every collector takes it, by custom on port 4318.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from remit.errors import MisconfiguredError

if TYPE_CHECKING:
    import requests
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.trace import ReadableSpan

EXPORT_SECONDS = 5.0
"""How long one export may take, its retries included."""

_GRPC_PORT = 4317
_FIELD = "OTEL_EXPORTER_OTLP_ENDPOINT"


def signal_address(endpoint: str, signal: str) -> str:
    """Return where one signal goes: `traces` or `metrics` of the collector at `endpoint`.

    Raises:
        MisconfiguredError: the endpoint is no HTTP address, or is the port that speaks gRPC.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    is_plain = host and not (parts.query or parts.fragment or re.search(r"\s", endpoint))
    if parts.scheme not in {"http", "https"} or not is_plain:
        raise MisconfiguredError(
            "this is not the address of a collector: give it as http://host:4318", field=_FIELD
        )
    if port == _GRPC_PORT:
        raise MisconfiguredError(
            "port 4317 speaks gRPC, and Remit sends OTLP over HTTP: give the collector's HTTP "
            f"port, by custom {parts.scheme}://{host}:4318",
            field=_FIELD,
        )
    return f"{endpoint.rstrip('/')}/v1/{signal}"


class OtlpSpans:
    """Sends spans to a collector.

    Args:
        address: of its traces, as :func:`signal_address` gives it.
    """

    def __init__(self, address: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult

        self._inner = OTLPSpanExporter(
            endpoint=address, timeout=EXPORT_SECONDS, session=_direct_session()
        )
        self._success = SpanExportResult.SUCCESS

    def export(self, spans: Sequence["ReadableSpan"]) -> bool:
        """Send spans; return whether the collector took them."""
        return self._inner.export(spans) is self._success

    def close(self) -> None:
        """Send nothing more; a retry under way is given up."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]


def otlp_metrics(address: str) -> "OTLPMetricExporter":
    """Return what sends metrics to a collector, at an address of :func:`signal_address`."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter(endpoint=address, timeout=EXPORT_SECONDS, session=_direct_session())


def _direct_session() -> "requests.Session":
    """Return a session that takes no proxy, no `.netrc` and no certificates of other programs.

    Given one, the exporters look for no provider of credentials either.
    """
    import requests

    session = requests.Session()
    session.trust_env = False
    return session
