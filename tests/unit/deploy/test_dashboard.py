"""The dashboard is current, complete, and asks only for metrics that there are."""

import json
from typing import Any

import pytest

from scripts.generate_docs import ROOT
from scripts.grafana_dashboard import dashboard, dashboard_text
from tests.unit.deploy.known import METRICS, base_of, labels_of
from tests.unit.deploy.promql import reads

DASHBOARD = ROOT / "deploy" / "grafana" / "remit.json"
PANELS = [one for one in dashboard()["panels"] if one["type"] != "row"]
TITLES = [one["title"] for one in PANELS]
UNITS = {"short", "s", "ops", "currencyUSD"}


def expressions(panel: dict[str, Any]) -> list[str]:
    """Return what a panel asks."""
    return [target["expr"] for target in panel["targets"]]


def test_the_file_is_current() -> None:
    assert DASHBOARD.read_text(encoding="utf-8") == dashboard_text()


def test_the_file_is_json_that_grafana_can_import_as_it_is() -> None:
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert found["schemaVersion"] >= 42
    assert (found["uid"], found["title"]) == ("remit", "Remit")
    assert "id" not in found, "an id of another Grafana would be taken for one of this"
    assert "__inputs" not in found
    assert len({one["id"] for one in found["panels"]}) == len(found["panels"])


def test_the_source_of_data_is_a_variable_everywhere() -> None:
    variables = {one["name"]: one for one in dashboard()["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in PANELS:
        assert panel["datasource"] == source
        assert all(target["datasource"] == source for target in panel["targets"])
    assert all(variables[name]["datasource"] == source for name in ("job", "instance"))


def test_no_panel_lies_over_another_or_beside_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        fields = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not fields & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= fields


def test_the_titles_differ() -> None:
    assert len(set(TITLES)) == len(TITLES)


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_panel_says_what_it_shows_and_in_what_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert all(target["legendFormat"] for target in panel["targets"])
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_panel_asks_for_metrics_that_there_are_by_labels_that_they_have(
    panel: dict[str, Any],
) -> None:
    for expr in expressions(panel):
        found = reads(expr)
        assert found.metrics, expr
        known: set[str] = set()
        for name in found.metrics:
            labels = labels_of(name)
            assert labels is not None, f"there is no metric {name}"
            known |= labels
        assert found.labels <= known, expr


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_unit_fits_what_is_measured(panel: dict[str, Any]) -> None:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    for expr in expressions(panel):
        names = {base_of(name) for name in reads(expr).metrics} - {"overview_timestamp_seconds"}
        assert (unit == "s") == all(name.endswith("_seconds") for name in names), expr
        assert (unit == "currencyUSD") == all("dollars" in name for name in names), expr
        assert (unit == "ops") == (expr.startswith("sum") and " (rate(" in expr), expr


def test_every_metric_has_its_place_on_the_dashboard() -> None:
    shown = {
        base_of(name) for panel in PANELS for e in expressions(panel) for name in reads(e).metrics
    }
    assert set(METRICS) - shown == set()


@pytest.mark.parametrize(
    ("expr", "metrics", "labels"),
    [
        ("up == 0", {"up"}, set()),
        ('sum by (a, b) (rate(x_total{c="d", e=~"f_g"}[5m]))', {"x_total"}, {"a", "b", "c", "e"}),
        ("time() - m_seconds > 300 or absent(up)", {"m_seconds", "up"}, set()),
        ("a unless a offset 15m", {"a"}, set()),
        ("max (x and on (job) (y < 2))", {"x", "y"}, {"job"}),
        ("histogram_quantile(0.5, sum by (le) (rate(h_bucket[1m])))", {"h_bucket"}, {"le"}),
    ],
)
def test_the_reader_of_expressions_finds_metrics_and_labels(
    expr: str, metrics: set[str], labels: set[str]
) -> None:
    found = reads(expr)
    assert (set(found.metrics), set(found.labels)) == (metrics, labels)
