"""Every metric that Prometheus gets from a worker, and its labels."""

from collections.abc import Mapping

from remit.operations.evidence.overview import GAUGES
from remit.telemetry.metric_definitions import DEFINITIONS

PLACE = frozenset({"job", "instance"})
"""What Prometheus itself says of every series."""

_CORE = frozenset({"namespace", "service_name", "task_queue"})
_OTHERS: Mapping[str, frozenset[str]] = {
    "up": frozenset(),
    "telemetry_lost_total": frozenset({"reason"}),
    "temporal_worker_task_slots_available": _CORE | {"worker_type"},
    "temporal_worker_task_slots_used": _CORE | {"worker_type"},
    "temporal_workflow_task_schedule_to_start_latency_seconds": _CORE,
    "temporal_activity_schedule_to_start_latency_seconds": _CORE,
}
"""Prometheus' own, the one that tells of losses, and those of Temporal's SDK that are used.

The SDK's are named so when it counts in seconds and writes units and `_total`.
"""
_LABELED = {
    "directives_waiting": "status",
    "oldest_waiting_seconds": "status",
    "policy_unusable": "reason",
}

GAUGE_LABELS: Mapping[str, frozenset[str]] = {
    name: frozenset({_LABELED[name]} if name in _LABELED else ()) for name in GAUGES
}
"""The gauges about the database, with their labels."""

METRICS: Mapping[str, frozenset[str]] = {
    **{metric.name: frozenset(metric.labels) for metric in DEFINITIONS},
    **GAUGE_LABELS,
    **_OTHERS,
}
"""Every metric with its labels."""

HISTOGRAMS = frozenset(
    {metric.name for metric in DEFINITIONS if metric.kind == "histogram"}
    | {name for name in _OTHERS if "latency" in name}
)
"""Those that are read by their parts: `_bucket` with the label `le`, `_sum` and `_count`."""


def labels_of(name: str) -> frozenset[str] | None:
    """Return the labels of a metric as an expression names it; None when there is none such."""
    for histogram in HISTOGRAMS:
        if name == f"{histogram}_bucket":
            return METRICS[histogram] | {"le"} | PLACE
        if name in {f"{histogram}_sum", f"{histogram}_count"}:
            return METRICS[histogram] | PLACE
    if name in HISTOGRAMS or name not in METRICS:
        return None
    return METRICS[name] | PLACE


def base_of(name: str) -> str:
    """Return the metric that a part of a histogram belongs to, else the metric itself."""
    parts = ("_bucket", "_sum", "_count")
    bases = (name.removesuffix(part) for part in parts if name.endswith(part))
    return next((base for base in bases if base in HISTOGRAMS), name)
