"""Turns telemetry on for a process, and off again; called by doors with what the settings say.

With nothing configured it loads and changes nothing. What is not understood is refused here, at the
start; once it runs, telemetry fails in silence and counts.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Self

from remit.errors import ConflictError, MisconfiguredError
from remit.redaction.masking import redact_text
from remit.telemetry.logging import get_logger
from remit.telemetry.state import STATE, count_failures

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from remit.telemetry.span_processor import Exporter

CLOSE_SECONDS = 2.0
"""How long a process may wait at its end for what was not sent yet."""

_COLLECTOR_DELAY = 1.0  # seconds a span waits for others, on its way to the collector
_FILE_DELAY = 0.2  # the same on its way to a file, where a person may look for it at once


@dataclass(frozen=True)
class TelemetryOptions:
    """What is wanted; None turns a thing off.

    Attributes:
        service: name of this process, as `remit-worker`.
        otlp_endpoint: the collector, as http://host:4318.
        span_folder: where recent spans are kept as files.
        metrics_port: where Prometheus comes for the metrics, on loopback; 0 for any free port.
        core_metrics_port: where Temporal's core serves its own on loopback; they join the former.
    """

    service: str
    version: str
    otlp_endpoint: str | None = None
    span_folder: Path | None = None
    metrics_port: int | None = None
    core_metrics_port: int | None = None


class Telemetry:
    """What was turned on; close it before the process ends."""

    def __init__(self) -> None:
        self.tracer_provider: TracerProvider | None = None
        """What Temporal's tracing interceptor makes its spans with; None while tracing is off."""
        self.metrics_port: int | None = None
        """Where the metrics are served; None if they are not."""
        self._closings: list[Callable[[float], None]] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def start_metrics(self, options: TelemetryOptions, resource: "Resource") -> None:
        """Turn metrics on, if they are wanted."""
        if options.otlp_endpoint is None and options.metrics_port is None:
            return
        from remit.telemetry.sdk_metrics import SdkMeter

        readers: list[MetricReader] = []
        if options.otlp_endpoint is not None:
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

            from remit.telemetry.exporters import otlp_metrics, signal_address

            exporter = otlp_metrics(signal_address(options.otlp_endpoint, "metrics"))
            readers.append(PeriodicExportingMetricReader(exporter))
        if options.metrics_port is not None:
            from remit.telemetry.prometheus import MetricsServer

            server = MetricsServer(options.metrics_port, options.core_metrics_port, STATE.losses)
            self.metrics_port = server.port
            self._closings.append(lambda _: server.close())
            readers.append(server.reader)
        meter = SdkMeter(readers, resource, STATE.losses)
        self._closings.append(meter.close)
        STATE.meter = meter

    def start_tracing(self, options: TelemetryOptions, resource: "Resource") -> None:
        """Turn tracing on, if it is wanted."""
        endpoint, folder = options.otlp_endpoint, options.span_folder
        if endpoint is None and folder is None:
            return
        from remit.telemetry.exporters import FileSpanExporter, OtlpSpanExporter, signal_address
        from remit.telemetry.sdk_tracing import SdkTracer, make_provider

        provider = make_provider(resource)
        if endpoint is not None:
            address = signal_address(endpoint, "traces")
            self._send_spans(provider, lambda: OtlpSpanExporter(address), _COLLECTOR_DELAY)
        if folder is not None:
            self._send_spans(provider, lambda: FileSpanExporter(folder), _FILE_DELAY)
        self.tracer_provider = provider
        STATE.tracer = SdkTracer(provider)

    def _send_spans(
        self,
        provider: "TracerProvider",
        make_exporter: "Callable[[], Exporter]",
        delay_seconds: float,
    ) -> None:
        from remit.telemetry.span_processor import CountingSpanProcessor

        processor = CountingSpanProcessor(make_exporter, STATE.losses, delay_seconds=delay_seconds)
        provider.add_span_processor(processor)
        self._closings.append(processor.close)

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Send what was not sent yet, for so many seconds at most, and turn everything off.

        What is still under way then is left behind in its own thread, which ends with the process.
        """

        def close_within(close: Callable[[float], None], limit: float) -> None:
            with count_failures():
                close(limit)

        if self.tracer_provider is not None:
            STATE.tracer = None
        if self._closings:
            STATE.meter = None
        deadline = time.monotonic() + seconds
        closings, self._closings = self._closings, []
        # A little less for each, so that what it gives up is counted before the count is read.
        threads = [
            Thread(target=close_within, args=(each, seconds * 0.9), daemon=True)
            for each in closings
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        lost = STATE.losses.counts()
        if closings and lost:
            get_logger(__name__).info("telemetry_lost", **{str(why): n for why, n in lost.items()})


def start(options: TelemetryOptions) -> Telemetry:
    """Turn on what is wanted, and return it.

    Raises:
        MisconfiguredError: the endpoint, the port, or a variable of OpenTelemetry's own is not
            usable; nothing was turned on.
        ConflictError: it is on already.
    """
    telemetry = Telemetry()
    wanted = (options.otlp_endpoint, options.span_folder, options.metrics_port)
    if all(each is None for each in wanted):
        return telemetry
    if STATE.tracer is not None or STATE.meter is not None:
        raise ConflictError("telemetry is on already: a process turns it on once")
    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    if not any(isinstance(each, _Complaints) for each in logger.handlers):
        logger.addHandler(_Complaints())
    from remit.telemetry.sdk_tracing import make_resource

    try:
        resource = make_resource(options.service, options.version)
        telemetry.start_metrics(options, resource)
        telemetry.start_tracing(options, resource)
    except ValueError as error:
        telemetry.close(0.0)
        raise MisconfiguredError(
            f"OpenTelemetry cannot use its variables: {redact_text(str(error))}"
        ) from error
    except BaseException:
        telemetry.close(0.0)
        raise
    return telemetry


class _Complaints(logging.Handler):
    """Takes what the SDK complains about: nobody at a terminal can mend it, so it is counted."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            STATE.losses.add("sdk")
