"""The text of `deploy/grafana/remit.json`, the dashboard, from `scripts.grafana_panels`. Pure.

It is a classic dashboard, the form that every Grafana imports; its source of data is a variable.
"""

import json
from typing import Any

from scripts.grafana_panels import ROWS
from scripts.grafana_queries import Panel

SCHEMA_VERSION = 42
"""The last version of the classic form; Grafana brings older ones up to it by itself."""

_WIDTH, _HEIGHT, _ROW_HEIGHT = 8, 8, 1
_COLUMNS = 24


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    return {
        "uid": "remit",
        "title": "Remit",
        "description": "Governed execution: what waits, what runs, what it costs, what went wrong.",
        "tags": ["remit"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                    "refresh": 1,
                },
                _choice("job", "Job", "label_values(overview_timestamp_seconds, job)"),
                _choice("instance", "Worker", 'label_values(up{job=~"$job"}, instance)'),
            ]
        },
        "panels": _panels(),
    }


def _choice(name: str, label: str, query: str) -> dict[str, Any]:
    """Return a variable that offers the values of a label, all of them at first."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _source(),
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    y = 0
    for heading, panels in ROWS:
        place = {"x": 0, "y": y, "w": _COLUMNS, "h": _ROW_HEIGHT}
        number = len(found) + 1
        found.append(
            {
                "id": number,
                "type": "row",
                "title": heading,
                "collapsed": False,
                "gridPos": place,
                "panels": [],
            }
        )
        y += _ROW_HEIGHT
        for index, panel in enumerate(panels):
            row, column = divmod(index, _COLUMNS // _WIDTH)
            at = {"x": column * _WIDTH, "y": y + row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            found.append({"id": len(found) + 1, "gridPos": at, **_panel(panel)})
        y += -(-len(panels) * _WIDTH // _COLUMNS) * _HEIGHT
    return found


def _panel(panel: Panel) -> dict[str, Any]:
    graph = {
        "drawStyle": "line",
        "fillOpacity": 20 if panel.stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
    }
    custom = {"custom": graph} if panel.kind == "timeseries" else {}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _source(),
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, **_color(panel), **custom},
            "overrides": [],
        },
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _source(),
                "expr": query.expr,
                "legendFormat": query.legend,
                # A number now is asked for once, and a graph at every step.
                "instant": panel.kind == "stat",
                "range": panel.kind == "timeseries",
            }
            for place, query in enumerate(panel.queries)
        ],
    }


def _color(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        return {"color": {"mode": "palette-classic"}}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.alarming:
        steps.append({"color": "red", "value": 1})
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "value_and_name",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }


def _source() -> dict[str, str]:
    return {"type": "prometheus", "uid": "${datasource}"}


def dashboard_text() -> str:
    """Return the file."""
    return json.dumps(dashboard(), indent=2) + "\n"
