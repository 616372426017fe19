"""Prometheus reads the rules, each alert fires when it should, and not when it should not.

Debian's package `prometheus` has promtool. Where it is missing these tests are skipped, and in CI,
where it belongs, they fail.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from remit.operations.evidence.overview import GAUGES
from remit.telemetry.metric_definitions import DEFINITIONS, VOID_REASONS
from tests.support.promtool import promtool
from tests.unit.deploy.series import assert_read, labels_of, words_of

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
GROUPS = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
RECORDED = {rule["record"]: rule for rule in RULES if "record" in rule}
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}


def metric_of(recorded: str) -> str:
    """Return the metric that a recorded series is of."""
    return recorded.removeprefix("remit:")


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
Case = tuple[int, bool, Series]
"""The minute at which an alert is asked for, whether it fires then, and what Prometheus got."""


def fires(minute: int, series: Series) -> Case:
    """Return a case of an alert that fires."""
    return minute, True, series


def quiet(minute: int, series: Series) -> Case:
    """Return a case of an alert that does not."""
    return minute, False, series


CASES: dict[str, dict[str, Case]] = {
    "RemitDirectiveNotStarted": {
        "an approved directive that waits for two minutes and more": fires(
            10, waits("approved", "0 60+60x30")
        ),
        "an approved directive that was just late once": quiet(10, waits("approved", "0 200 0x30")),
        "one that waits as long for a person": quiet(10, waits("proposed", "0 60+60x30")),
        "the old reading of a worker that no longer sweeps": quiet(
            20,
            FRESH
            | of("oldest_waiting_seconds", "0x60", status="approved")
            | {'overview_timestamp_seconds{job="remit",instance="b"}': "0x60"}
            | {'oldest_waiting_seconds{job="remit",instance="b",status="approved"}': "900x60"},
        ),
    },
    "RemitDirectiveExecutingTooLong": {
        "a run of three hours": fires(10, waits("executing", "10800x60")),
        "a run of one hour": quiet(10, waits("executing", "3600x60")),
    },
    "RemitDirectiveInDoubt": {
        "one": fires(6, FRESH | of("directives_in_doubt", "0x4 1x60")),
        "none such": quiet(6, FRESH | of("directives_in_doubt", "0x60")),
    },
    "RemitDirectiveUnattended": {
        "one that nobody was asked about": fires(10, FRESH | of("directives_unattended", "1x60")),
        "none such": quiet(10, FRESH | of("directives_unattended", "0x60")),
    },
    "RemitApprovalsExpiring": {
        "an approval about to run out": fires(6, FRESH | of("approvals_expiring_soon", "0x4 2x60")),
        "approvals with time left": quiet(6, FRESH | of("approvals_expiring_soon", "0x60")),
    },
    "RemitQueueLagHigh": {
        "one directive in ten that waits for more than five seconds": fires(
            20, lag("0+100x60", "0+90x60")
        ),
        "one directive in a hundred that does": quiet(20, lag("0+100x60", "0+99x60")),
    },
    "RemitMostRunsFail": {
        "more failures than completed ones": fires(
            20,
            of("execution_failures_total", "0+5x60", failure_type="module_failed")
            | of("directives_total", "0+4x60", status="complete"),
        ),
        "alone": fires(20, of("execution_failures_total", "0+5x60", failure_type="module_error")),
        "fewer failures than completed ones": quiet(
            20,
            of("execution_failures_total", "0+4x60", failure_type="module_failed")
            | of("directives_total", "0+5x60", status="complete"),
        ),
        "a few failures and nothing else": quiet(
            20, of("execution_failures_total", "0 1 2 2x60", failure_type="module_failed")
        ),
    },
    "RemitPolicyUnusable": {
        "a policy that nobody has confirmed": fires(
            6, FRESH | of("policy_unusable", "0x3 1x60", reason="policy_unconfirmed")
        ),
        "a policy that is in force": quiet(
            6, FRESH | of("policy_unusable", "0x60", reason="policy_unreadable")
        ),
    },
    "RemitAuditChainBroken": {
        "a broken chain at once": fires(5, of("audit_chain_broken", "0x4 1x60")),
        "a chain that was broken half an hour ago, seen by a worker that is gone": fires(
            30, of("audit_chain_broken", "0 1 1 _x60")
        ),
        "chains that verify": quiet(30, of("audit_chain_broken", "0x60")),
    },
    "RemitGrantUnverifiable": {
        "the first grant that no trusted key signed": fires(
            6, of("grants_voided_total", "_x4 1x60", reason="approval_unverifiable")
        ),
        "the same an hour later": quiet(
            60, of("grants_voided_total", "_x4 1x90", reason="approval_unverifiable")
        ),
        "a grant for an action that was changed": fires(
            12, of("grants_voided_total", "3x9 4x60", reason="action_changed")
        ),
        "grants that a policy made void": quiet(
            12, of("grants_voided_total", "0+1x60", reason="policy_changed")
        ),
    },
    "RemitRowUnreadable": {
        "the first row that cannot be read": fires(
            6, of("rows_unreadable_total", "_x4 1x60", table="directives")
        ),
        "one that every sweep meets": fires(
            60, of("rows_unreadable_total", "0+2x90", table="directives")
        ),
        "one that was met an hour ago": quiet(
            90, of("rows_unreadable_total", "_x4 1x120", table="directives")
        ),
    },
    "RemitWorkerDown": {
        "a worker that does not answer": fires(7, of("up", "1x4 0x60")),
        "a worker that was missed once": quiet(7, of("up", "1x4 0 1x60")),
        "another job that is down": quiet(7, of("up", "0x60", job="node")),
    },
    "RemitNoWorker": {
        "no worker at all": fires(10, of("up", "1x60", job="node")),
        "a worker": quiet(10, UP),
    },
    "RemitNotSwept": {
        "no sweep for ten minutes": fires(12, UP | of("overview_timestamp_seconds", "0x60")),
        "no sweep ever": fires(12, UP),
        "a sweep each minute, by the other worker": quiet(
            12, UP | FRESH | {'overview_timestamp_seconds{job="remit",instance="b"}': "0x60"}
        ),
    },
    "RemitWorkerFull": {
        "a worker without a slot for a quarter of an hour": fires(
            15, of("temporal_worker_task_slots_available", "5 0x60", worker_type="ActivityWorker")
        ),
        "a worker that has one slot now and then": quiet(
            15,
            of("temporal_worker_task_slots_available", "0x6 1 0x60", worker_type="ActivityWorker"),
        ),
    },
    "RemitTelemetryLost": {
        "telemetry that is dropped all the time": fires(
            20, of("telemetry_lost_total", "0+3x60", reason="overflow")
        ),
        "telemetry that was dropped long ago": quiet(
            30, of("telemetry_lost_total", "0 9 9x60", reason="overflow")
        ),
    },
}


def test_prometheus_reads_the_configuration_and_its_rules() -> None:
    assert "SUCCESS" in promtool("check", "config", str(FOLDER / "prometheus.yml"))
    found = promtool("check", "rules", str(FOLDER / "alerts.yml"))
    assert f"{len(RULES)} rules found" in found


def test_each_alert_fires_when_it_should_and_not_when_it_should_not(tmp_path: Path) -> None:
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": k, "values": v} for k, v in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0',
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if it_fires else [],
                }
            ],
        }
        for alert, cases in CASES.items()
        for name, (minute, it_fires, series) in cases.items()
    ]
    file = tmp_path / "alerts_test.yml"
    content = {"rule_files": [str(FOLDER / "alerts.yml")], "evaluation_interval": "1m"}
    file.write_text(json.dumps(content | {"tests": tests}), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(file))


def test_each_alert_is_tried_both_ways() -> None:
    tried = {
        alert: {it_fires for _, it_fires, _ in cases.values()} for alert, cases in CASES.items()
    }
    assert tried == {alert: {True, False} for alert in ALERTS}


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
    assert_read(rule["expr"], {name: labels_of(metric_of(name)) for name in RECORDED})


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_has_the_name_of_what_it_reads(name: str) -> None:
    assert metric_of(name) in words_of(RECORDED[name]["expr"])


def test_every_gauge_of_the_database_is_a_metric() -> None:
    assert {metric.name for metric in DEFINITIONS if metric.kind == "gauge"} == set(GAUGES)


def test_the_words_that_a_rule_looks_for_are_words_that_there_are() -> None:
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    reasons = {
        word for found in re.findall(r'reason=~"([^"]+)"', text) for word in found.split("|")
    }
    assert reasons <= set(VOID_REASONS)


def test_the_page_lists_every_alert_with_its_severity() -> None:
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(Remit\w+)` \| (\w+) \|", page, re.MULTILINE)
    assert listed == [(name, rule["labels"]["severity"]) for name, rule in ALERTS.items()]


def test_the_page_lists_every_gauge_of_the_database() -> None:
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == list(GAUGES)
