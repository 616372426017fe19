"""The dashboard is current, complete, and asks only for metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.generate_docs import ROOT
from scripts.grafana_dashboard import dashboard, dashboard_text
from tests.support.promtool import promtool
from tests.unit.deploy.series import METRIC_OF, METRICS, assert_read, words_of

DASHBOARD = ROOT / "deploy" / "grafana" / "remit.json"
PANELS = [one for one in dashboard()["panels"] if one["type"] != "row"]
TITLES = [one["title"] for one in PANELS]
UNITS = {"short", "s", "ops", "currencyUSD"}


def expressions(panel: dict[str, Any]) -> list[str]:
    """Return what a panel asks."""
    return [target["expr"] for target in panel["targets"]]


def metrics_in(expr: str) -> set[str]:
    """Return the metrics whose series an expression names."""
    return {METRIC_OF[word] for word in words_of(expr) if word in METRIC_OF}


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


def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    every = [expr for panel in PANELS for expr in expressions(panel)]
    rules = [
        {"record": f"panel:{at}", "expr": re.sub(r"\$__\w+", "5m", expr)}
        for at, expr in enumerate(every)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "x", "rules": rules}]}), encoding="utf-8")
    assert f"{len(every)} rules found" in promtool("check", "rules", str(file))


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_panel_asks_for_metrics_that_there_are_by_labels_that_they_have(
    panel: dict[str, Any],
) -> None:
    for expr in expressions(panel):
        assert_read(expr, {})


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_unit_fits_what_is_measured(panel: dict[str, Any]) -> None:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    for expr in expressions(panel):
        names = metrics_in(expr) - {"overview_timestamp_seconds"}
        assert (unit == "s") == all(name.endswith("_seconds") for name in names), expr
        assert (unit == "currencyUSD") == all("dollars" in name for name in names), expr
        assert (unit == "ops") == (expr.startswith("sum") and " (rate(" in expr), expr


def test_every_metric_has_its_place_on_the_dashboard() -> None:
    shown = {name for panel in PANELS for expr in expressions(panel) for name in metrics_in(expr)}
    assert set(METRICS) - shown == set()
