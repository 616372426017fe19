"""Temporal's own spans, in the trace of the directive that they serve.

The interceptor goes on the client; its workers inherit it. Only the place in the trace travels with
a workflow: what else a caller carries along (its baggage) would stay in Temporal's history.
"""

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import (
    TracingInterceptor,
    TracingWorkflowInboundInterceptor,
)
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker import WorkflowInterceptorClassInput

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


class _PlaceAlone(TracingWorkflowInboundInterceptor):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type] # whatever Temporal hands over
        self.text_map_propagator = TraceContextTextMapPropagator()


class DirectiveTracing(TracingInterceptor):
    """Lets spans of workflows and activities join the trace around the call that started them."""

    def __init__(self, provider: "TracerProvider") -> None:
        super().__init__(provider.get_tracer("temporalio"))
        self.text_map_propagator = TraceContextTextMapPropagator()

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - temporalio's name
    ) -> type[TracingWorkflowInboundInterceptor]:
        """Return what makes the spans of a workflow."""
        super().workflow_interceptor_class(input)
        return _PlaceAlone


@lru_cache(maxsize=16)
def core_runtime(metrics_port: int) -> Runtime:
    """Return a runtime whose own metrics are served on a port of loopback, and which logs as we do.

    The process keeps it to its end: a runtime that is dropped while its timers run panics on
    standard error. `remit.telemetry` fetches the metrics, to serve them with the rest.
    """
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
            ),
            metrics=PrometheusConfig(
                bind_address=f"127.0.0.1:{metrics_port}",
                counters_total_suffix=True,
                unit_suffix=True,
                durations_as_seconds=True,
            ),
        )
    )
