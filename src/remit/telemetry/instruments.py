"""The metrics on the OpenTelemetry SDK. Loaded by `running` alone, when metrics are on.

One sample is written once, and read twice if both are configured: by Prometheus, who comes for it,
and by the collector, to whom it is sent.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Observation
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from remit.telemetry.catalog import CATALOG, Bounded, Metric
from remit.telemetry.losses import Losses


class Instruments:
    """Every metric of the catalog.

    Args:
        readers: who reads them.
        resource: what they say about this process.
        losses: what was lost; it becomes `telemetry_lost_total`.
    """

    def __init__(self, readers: Sequence[MetricReader], resource: Resource, losses: Losses) -> None:
        self._provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("remit")
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._bounds = {metric.name: _bounds(metric) for metric in CATALOG}
        for metric in CATALOG:
            if metric.kind == "counter":
                counter = meter.create_counter(metric.name, metric.unit, metric.description)
                self._counters[metric.name] = counter
            elif metric.kind == "gauge":
                gauge = meter.create_gauge(metric.name, metric.unit, metric.description)
                self._gauges[metric.name] = gauge
            else:
                self._histograms[metric.name] = meter.create_histogram(
                    metric.name,
                    metric.unit,
                    metric.description,
                    explicit_bucket_boundaries_advisory=metric.buckets,
                )

        def lost(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(count, {"reason": why}) for why, count in losses.counts().items()]

        meter.create_observable_counter(
            "telemetry_lost_total", [lost], description="Spans, samples and log lines lost, by why."
        )

    def write(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Write a sample; see :class:`remit.telemetry.active.Samples`.

        Raises:
            ValueError: a counter would fall, or the amount is no finite number.
        """
        if not math.isfinite(amount) or amount < 0:
            raise ValueError(f"{name} takes no {amount}")
        bounds = self._bounds[name]
        bounded = {label: bound.bound(labels[label]) for label, bound in bounds.items()}
        if name in self._counters:
            self._counters[name].add(amount, bounded)
        elif name in self._gauges:
            self._gauges[name].set(amount, bounded)
        else:
            self._histograms[name].record(amount, bounded)

    def close(self, seconds: float) -> None:
        """Send what was not sent yet, for about so many seconds."""
        self._provider.shutdown(timeout_millis=max(1.0, seconds * 1000))


def _bounds(metric: Metric) -> Mapping[str, Bounded]:
    return {label: make() for label, make in metric.labels.items()}
