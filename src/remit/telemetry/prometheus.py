"""The metrics at http://127.0.0.1:PORT/metrics, for Prometheus to fetch.

Temporal's SDK serves its own metrics from its Rust core, on an address of its own. They are fetched
from there when somebody asks: a buffer drained by Python would cost a call for each sample.
"""

import http.client
from collections.abc import Iterable, Iterator

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from remit.errors import MisconfiguredError
from remit.telemetry.state import LossCounter

HOST = "127.0.0.1"
"""The only address that is listened on."""

_FETCH_SECONDS = 2.0
_FETCH_BYTES = 8 * 1024 * 1024


class MetricsServer:
    """Serves the metrics until it is closed; `port` may be 0 for any free one.

    `core_port` is where Temporal's core serves its own on loopback, None if it does not; `losses`
    counts answers of the core that could not be read.

    Raises:
        MisconfiguredError: the port cannot be had.
    """

    def __init__(self, port: int, core_port: int | None, losses: LossCounter) -> None:
        registry = CollectorRegistry(auto_describe=False)
        self.reader = PrometheusMetricReader(
            disable_target_info=True, scope_info_enabled=False, registry=registry
        )
        if core_port is not None:
            registry.register(_CoreMetrics(core_port, losses))
        try:
            self._server, self._thread = start_http_server(port, HOST, registry)
        except (OSError, OverflowError) as error:
            raise MisconfiguredError(
                f"port {port} cannot be listened on ({error}): choose a free one",
                field="REMIT_METRICS_PORT",
            ) from error
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _CoreMetrics(Collector):
    def __init__(self, port: int, losses: LossCounter) -> None:
        self._port = port
        self._losses = losses

    def collect(self) -> Iterable[Metric]:
        """Return them; none if the core does not answer, which is counted."""
        try:
            return list(self._fetched())
        except (OSError, http.client.HTTPException, ValueError):
            self._losses.add("recording")
            return []

    def _fetched(self) -> Iterator[Metric]:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=_FETCH_SECONDS)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            text = answer.read(_FETCH_BYTES).decode("utf-8")
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ValueError(f"the core answered {answer.status}")
        yield from text_string_to_metric_families(text)
