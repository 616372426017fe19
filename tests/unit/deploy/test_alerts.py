"""Prometheus reads the rules, each alert fires when it should, and not when it should not.

Debian's package `prometheus` has promtool. Where it is missing these tests are skipped, and in CI,
where it belongs, they fail.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from remit.operations.overview import GAUGES
from remit.telemetry.catalog import VOID_REASONS
from tests.support.promtool import find_promtool
from tests.unit.deploy.known import base_of, labels_of
from tests.unit.deploy.promql import reads

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
GROUPS = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
RECORDED = {rule["record"]: rule for rule in RULES if "record" in rule}
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}

FRESH = {'overview_timestamp_seconds{job="remit",instance="a"}': "0+60x60"}
"""A worker that reads the database each minute; time is counted from 0."""

UP = {'up{job="remit",instance="a"}': "1x60"}


def of(metric: str, values: str, **labels: str) -> dict[str, str]:
    """Return a series of worker a, with one value a minute."""
    pairs = {"job": "remit", "instance": "a"} | labels
    chosen = ",".join(f'{name}="{value}"' for name, value in pairs.items())
    return {f"{metric}{{{chosen}}}": values}


def waits(status: str, seconds: str) -> dict[str, str]:
    """Return how long the first directive of a status waits."""
    return FRESH | of("oldest_waiting_seconds", seconds, status=status)


def lag(slow: str, fast: str) -> dict[str, str]:
    """Return a histogram of the queue lag: how many were slow, and how many fast."""
    fields = {"0.1": fast, "5": fast, "10": slow, "+Inf": slow}
    return {
        k: v
        for le, n in fields.items()
        for k, v in of("queue_lag_seconds_bucket", n, le=le).items()
    }


Series = Mapping[str, str]
QUIET, FIRES = False, True

# The alert, what Prometheus got, the minute at which it is asked, and whether it fires then.
CASES: dict[str, tuple[str, Series, int, bool]] = {
    "an approved directive that waits for two minutes and more": (
        *("RemitDirectiveNotStarted", waits("approved", "0 60+60x30"), 10, FIRES),
    ),
    "an approved directive that was just late once": (
        *("RemitDirectiveNotStarted", waits("approved", "0 200 0x30"), 10, QUIET),
    ),
    "one that waits as long for a person": (
        *("RemitDirectiveNotStarted", waits("proposed", "0 60+60x30"), 10, QUIET),
    ),
    "the old reading of a worker that no longer sweeps": (
        "RemitDirectiveNotStarted",
        FRESH
        | of("oldest_waiting_seconds", "0x60", status="approved")
        | {'overview_timestamp_seconds{job="remit",instance="b"}': "0x60"}
        | {'oldest_waiting_seconds{job="remit",instance="b",status="approved"}': "900x60"},
        20,
        QUIET,
    ),
    "a run of three hours": (
        *("RemitDirectiveExecutingTooLong", waits("executing", "10800x60"), 10, FIRES),
    ),
    "a run of one hour": (
        *("RemitDirectiveExecutingTooLong", waits("executing", "3600x60"), 10, QUIET),
    ),
    "a directive that nobody was asked about": (
        *("RemitDirectiveUnattended", FRESH | of("directives_unattended", "1x60"), 10, FIRES),
    ),
    "none such": (
        *("RemitDirectiveUnattended", FRESH | of("directives_unattended", "0x60"), 10, QUIET),
    ),
    "an approval about to run out": (
        *("RemitApprovalsExpiring", FRESH | of("approvals_expiring_soon", "0x4 2x60"), 6, FIRES),
    ),
    "approvals with time left": (
        *("RemitApprovalsExpiring", FRESH | of("approvals_expiring_soon", "0x60"), 6, QUIET),
    ),
    "one directive in ten that waits for more than five seconds": (
        *("RemitQueueLagHigh", lag("0+100x60", "0+90x60"), 20, FIRES),
    ),
    "one directive in a hundred that does": (
        *("RemitQueueLagHigh", lag("0+100x60", "0+99x60"), 20, QUIET),
    ),
    "more failures than completed ones": (
        "RemitMostRunsFail",
        of("execution_failures_total", "0+5x60", failure_type="module_failed")
        | of("directives_total", "0+4x60", status="complete"),
        *(20, FIRES),
    ),
    "failures alone": (
        "RemitMostRunsFail",
        of("execution_failures_total", "0+5x60", failure_type="module_error"),
        *(20, FIRES),
    ),
    "fewer failures than completed ones": (
        "RemitMostRunsFail",
        of("execution_failures_total", "0+4x60", failure_type="module_failed")
        | of("directives_total", "0+5x60", status="complete"),
        *(20, QUIET),
    ),
    "a few failures and nothing else": (
        "RemitMostRunsFail",
        of("execution_failures_total", "0 1 2 2x60", failure_type="module_failed"),
        *(20, QUIET),
    ),
    "a broken chain at once": (
        *("RemitAuditChainBroken", of("audit_chain_broken", "0x4 1x60"), 5, FIRES),
    ),
    "a chain that was broken half an hour ago, seen by a worker that is gone": (
        *("RemitAuditChainBroken", of("audit_chain_broken", "0 1 1 _x60"), 30, FIRES),
    ),
    "chains that verify": (
        *("RemitAuditChainBroken", of("audit_chain_broken", "0x60"), 30, QUIET),
    ),
    "the first grant that no trusted key signed": (
        "RemitGrantUnverifiable",
        of("grants_voided_total", "_x4 1x60", reason="approval_unverifiable"),
        *(6, FIRES),
    ),
    "the same an hour later": (
        "RemitGrantUnverifiable",
        of("grants_voided_total", "_x4 1x90", reason="approval_unverifiable"),
        *(60, QUIET),
    ),
    "a grant for an action that was changed": (
        "RemitGrantUnverifiable",
        of("grants_voided_total", "3x9 4x60", reason="action_changed"),
        *(12, FIRES),
    ),
    "grants that a policy made void": (
        "RemitGrantUnverifiable",
        of("grants_voided_total", "0+1x60", reason="policy_changed"),
        *(12, QUIET),
    ),
    "a worker that does not answer": (*("RemitWorkerDown", of("up", "1x4 0x60"), 7, FIRES),),
    "a worker that was missed once": (*("RemitWorkerDown", of("up", "1x4 0 1x60"), 7, QUIET),),
    "another job that is down": (*("RemitWorkerDown", of("up", "0x60", job="node"), 7, QUIET),),
    "no worker at all": (*("RemitNoWorker", of("up", "1x60", job="node"), 10, FIRES),),
    "a worker": (*("RemitNoWorker", UP, 10, QUIET),),
    "no sweep for ten minutes": (
        *("RemitNotSwept", UP | of("overview_timestamp_seconds", "0x60"), 12, FIRES),
    ),
    "no sweep ever": (*("RemitNotSwept", UP, 12, FIRES),),
    "a sweep each minute, by the other worker": (
        "RemitNotSwept",
        UP | FRESH | {'overview_timestamp_seconds{job="remit",instance="b"}': "0x60"},
        *(12, QUIET),
    ),
    "a worker without a slot for a quarter of an hour": (
        "RemitWorkerFull",
        of("temporal_worker_task_slots_available", "5 0x60", worker_type="ActivityWorker"),
        *(15, FIRES),
    ),
    "a worker that has one slot now and then": (
        "RemitWorkerFull",
        of("temporal_worker_task_slots_available", "0x6 1 0x60", worker_type="ActivityWorker"),
        *(15, QUIET),
    ),
    "telemetry that is dropped all the time": (
        "RemitTelemetryLost",
        of("telemetry_lost_total", "0+3x60", reason="overflow"),
        *(20, FIRES),
    ),
    "telemetry that was dropped long ago": (
        "RemitTelemetryLost",
        of("telemetry_lost_total", "0 9 9x60", reason="overflow"),
        *(30, QUIET),
    ),
}


@pytest.fixture(scope="module")
def promtool() -> str:
    """Return the path of Prometheus' own checker."""
    return find_promtool()


def run(*command: str) -> str:
    """Run promtool, and return what it says; it fails when that is bad."""
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=50, cwd=FOLDER
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_prometheus_reads_the_configuration_and_its_rules(promtool: str) -> None:
    assert "SUCCESS" in run(promtool, "check", "config", "prometheus.yml")
    assert f"{len(RULES)} rules found" in run(promtool, "check", "rules", "alerts.yml")


def test_each_alert_fires_when_it_should_and_not_when_it_should_not(
    promtool: str, tmp_path: Path
) -> None:
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": k, "values": v} for k, v in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0',
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for name, (alert, series, minute, fires) in CASES.items()
    ]
    file = tmp_path / "alerts_test.yml"
    content = {"rule_files": [str(FOLDER / "alerts.yml")], "evaluation_interval": "1m"}
    file.write_text(json.dumps(content | {"tests": tests}), encoding="utf-8")
    assert "SUCCESS" in run(promtool, "test", "rules", str(file))


def test_each_alert_is_tried_both_ways() -> None:
    tried = {(alert, fires) for alert, _, _, fires in CASES.values()}
    assert tried == {(alert, fires) for alert in ALERTS for fires in (True, False)}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_tells_what_is_wrong_and_what_to_type(name: str) -> None:
    rule: dict[str, Any] = ALERTS[name]
    assert re.fullmatch(r"Remit[A-Za-z]+", name)
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description", "action"}
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=[rule.get("alert") or rule["record"] for rule in RULES])
def test_a_rule_reads_metrics_that_there_are_by_labels_that_they_have(rule: dict[str, Any]) -> None:
    found = reads(rule["expr"])
    known: set[str] = set()
    for name in found.metrics:
        if name in RECORDED:
            known |= {"job", "status"}
            continue
        labels = labels_of(name)
        assert labels is not None, f"there is no metric {name}"
        known |= labels
    assert found.labels <= known


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_has_the_name_of_what_it_reads(name: str) -> None:
    metric = name.removeprefix("remit:")
    assert base_of(metric) in reads(RECORDED[name]["expr"]).metrics


def test_the_words_that_a_rule_looks_for_are_words_that_there_are() -> None:
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    reasons = {
        word for found in re.findall(r'reason=~"([^"]+)"', text) for word in found.split("|")
    }
    assert reasons <= VOID_REASONS


def test_the_page_lists_every_alert_with_its_severity() -> None:
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(Remit\w+)` \| (\w+) \|", page, re.MULTILINE)
    assert listed == [(name, rule["labels"]["severity"]) for name, rule in ALERTS.items()]


def test_the_page_lists_every_gauge_of_the_database() -> None:
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == list(GAUGES)
