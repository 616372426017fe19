"""The metrics on the OpenTelemetry SDK. Loaded by `setup` alone, when metrics are on."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from remit.telemetry.metric_definitions import DEFINITIONS, Metric
from remit.telemetry.state import LossCounter

_Write = Callable[[float, dict[str, str]], None]


class SdkMeter:
    """Every metric of `metric_definitions`; `losses` becomes `telemetry_lost_total`."""

    def __init__(
        self, readers: Sequence[MetricReader], resource: Resource, losses: LossCounter
    ) -> None:
        self._provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        meter = self._provider.get_meter("remit")
        self._writes = {metric.name: _instrument(meter, metric) for metric in DEFINITIONS}
        self._bounds = {
            metric.name: {label: make() for label, make in metric.labels.items()}
            for metric in DEFINITIONS
        }

        def lost(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(count, {"reason": why}) for why, count in losses.counts().items()]

        meter.create_observable_counter(
            "telemetry_lost_total", [lost], description="Spans, samples and log lines lost, by why."
        )

    def write(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Add to the counter, set the gauge, or record in the histogram, of this name.

        Raises:
            ValueError: a counter would fall, or the amount is no finite number.
        """
        if not math.isfinite(amount) or amount < 0:
            raise ValueError(f"{name} takes no {amount}")
        bounds = self._bounds[name]
        self._writes[name](
            amount, {label: bound.bound(labels[label]) for label, bound in bounds.items()}
        )

    def close(self, seconds: float) -> None:
        """Send what was not sent yet, for about so many seconds."""
        self._provider.shutdown(timeout_millis=max(1.0, seconds * 1000))


def _instrument(meter: Meter, metric: Metric) -> _Write:
    described = (metric.name, metric.unit, metric.description)
    if metric.kind == "counter":
        return meter.create_counter(*described).add
    if metric.kind == "gauge":
        return meter.create_gauge(*described).set
    return meter.create_histogram(
        *described, explicit_bucket_boundaries_advisory=metric.buckets
    ).record
