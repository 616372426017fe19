"""What a panel of the dashboard is, and the few shapes that its queries have. Pure.

`scripts.grafana_panels` lists the panels, `scripts.grafana_dashboard` lays them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

WORKERS = 'job=~"$job",instance=~"$instance"'
"""The workers that the person at the dashboard has chosen."""

FRESH_SECONDS = 120
"""How old a reading of the database may be; another worker has a newer one then."""


@dataclass(frozen=True)
class Query:
    """One query of a panel.

    Attributes:
        expr: PromQL.
        legend: name of each series, with labels as {{label}}.
    """

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: what it shows, in a few words.
        description: what it means, and when to worry.
        unit: Grafana's name of the unit.
        queries: what it asks.
        kind: a graph over time, or the numbers now.
        stacked: whether the series add up to something.
        alarming: whether a number above 0 is shown in red.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    kind: Literal["timeseries", "stat"] = "timeseries"
    stacked: bool = False
    alarming: bool = False


def rate(metric: str, *labels: str, name: str = "") -> Query:
    """Return how often a counter rose in a second, by labels."""
    by, legend = _grouped(labels, name)
    return Query(f"sum{by} (rate({metric}{{{WORKERS}}}[$__rate_interval]))", legend)


def risen(metric: str, *labels: str, name: str = "") -> Query:
    """Return by how much a counter rose within the time that is shown, by labels."""
    by, legend = _grouped(labels, name)
    return Query(f"sum{by} (increase({metric}{{{WORKERS}}}[$__range]))", legend)


def spread(metric: str, label: str = "") -> tuple[Query, Query]:
    """Return the median and the 95th percentile of a histogram."""
    by = f"le, {label}" if label else "le"
    of = f"{{{{{label}}}}} " if label else ""

    def quantile(share: str, name: str) -> Query:
        rates = f"sum by ({by}) (rate({metric}_bucket{{{WORKERS}}}[$__rate_interval]))"
        return Query(f"histogram_quantile({share}, {rates})", f"{of}{name}")

    return quantile("0.5", "median"), quantile("0.95", "p95")


def reading(metric: str, *labels: str, name: str = "") -> Query:
    """Return a gauge about the database, from the worker that read it last.

    Each worker keeps what it read when it was its turn to sweep, so the others' are old.
    """
    fresh = f"time() - overview_timestamp_seconds < {FRESH_SECONDS}"
    by, legend = _grouped(labels, name)
    return Query(f"max{by} ({metric}{{{WORKERS}}} and on (job, instance) ({fresh}))", legend)


def _grouped(labels: tuple[str, ...], name: str) -> tuple[str, str]:
    """Return the clause that groups by labels, and the legend: the labels, or `name` for none."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return by, " ".join(f"{{{{{label}}}}}" for label in labels) or name
