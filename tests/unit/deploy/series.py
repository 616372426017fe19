"""Every series that Prometheus gets from a worker, and which of them an expression names."""

import re
from collections.abc import Mapping

from remit.telemetry.metric_definitions import DEFINITIONS

_PLACE = frozenset({"job", "instance"})  # what Prometheus itself says of every series
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

METRICS: Mapping[str, frozenset[str]] = {
    **{metric.name: frozenset(metric.labels) for metric in DEFINITIONS},
    **_OTHERS,
}
"""Every metric with its labels."""

_HISTOGRAMS = {metric.name for metric in DEFINITIONS if metric.kind == "histogram"} | {
    name for name in _OTHERS if "latency" in name
}

METRIC_OF: Mapping[str, str] = {
    series: name
    for name in METRICS
    for series in (
        (f"{name}_bucket", f"{name}_sum", f"{name}_count") if name in _HISTOGRAMS else (name,)
    )
}
"""The metric of each series; a histogram is read by its parts."""

_LANGUAGE = frozenset(
    {
        *("absent", "and", "by", "histogram_quantile", "increase", "max", "max_over_time", "min"),
        *("offset", "on", "or", "rate", "sum", "time", "unless"),
    }
)
_WORD = re.compile(r"(?<![\w.])[a-zA-Z_][\w:]*")


def labels_of(series: str) -> frozenset[str]:
    """Return the labels of a series."""
    parts = frozenset({"le"}) if series.endswith("_bucket") else frozenset[str]()
    return METRICS[METRIC_OF[series]] | _PLACE | parts


def words_of(expr: str) -> set[str]:
    """Return the words of an expression that are none of PromQL: names of series and of labels.

    What is no PromQL at all `promtool` finds.
    """
    return set(_WORD.findall(re.sub(r'"[^"]*"|\[[^]]*\]', " ", expr))) - _LANGUAGE


def assert_read(expr: str, recorded: Mapping[str, frozenset[str]]) -> None:
    """Fail if an expression names what there is not, or a label that its series do not have."""
    words = words_of(expr)
    series = words & (METRIC_OF.keys() | recorded.keys())
    assert series, expr
    labels = {label for each in series for label in recorded.get(each) or labels_of(each)}
    assert words - series <= labels, expr
