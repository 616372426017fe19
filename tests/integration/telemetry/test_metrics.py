"""The metrics as Prometheus fetches them, checked by its own tool."""

import urllib.request
from collections.abc import Iterator
from typing import cast

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from remit.errors import ConflictError, MisconfiguredError
from remit.telemetry import metrics
from remit.telemetry.metric_definitions import DEFINITIONS
from remit.telemetry.setup import Telemetry, TelemetryOptions, start
from remit.telemetry.state import STATE, LossCounter
from remit.vocabulary import DirectiveStatus, ModuleStatus, PolicyVerdict
from tests.support import otlp
from tests.support.promtool import complaints_about

losses = otlp.losses


GAUGES = {metric.name: metric for metric in DEFINITIONS if metric.kind == "gauge"}


@pytest.fixture
def telemetry(losses: LossCounter) -> Iterator[Telemetry]:
    with start(TelemetryOptions("remit-test", "0", metrics_port=0)) as running:
        yield running


def scrape(telemetry: Telemetry) -> str:
    address = f"http://127.0.0.1:{telemetry.metrics_port}/metrics"
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def write_everything() -> None:
    metrics.count_directive("complete", 3)
    metrics.count_execution_failure("timed_out")
    metrics.record_policy_evaluation(PolicyVerdict.ALLOW, 0.002)
    metrics.count_policy_result("tool_allowlist", PolicyVerdict.BLOCK)
    metrics.count_module_execution("echo", ModuleStatus.SUCCESS)
    metrics.record_execution("echo", 0.2)
    metrics.record_approval_wait(120)
    metrics.record_queue_lag(0.02)
    metrics.count_grant_voided("policy_changed")
    metrics.add_budget_reserved(12.5)
    metrics.add_budget_settled(2.25)
    metrics.count_llm_call("openai", "timeout")
    metrics.add_llm_usage(input_tokens=10, output_tokens=5, dollars=0.01)
    metrics.add_embedding_usage("text-embedding-3-small", texts=4, dollars=0.001)
    metrics.count_memory_read("semantic_search", "answered")
    metrics.count_unreadable_rows("directives", 2)
    for name, about in GAUGES.items():
        given = {"status": "approved", "reason": "policy_unconfirmed"}
        labels = {label: given[label] for label in about.labels}
        metrics.set_gauge(name, 3, **labels)


def test_every_metric_is_served_under_its_name(telemetry: Telemetry) -> None:
    write_everything()
    found = samples(scrape(telemetry))
    names = {name for name, _ in found}
    for metric in DEFINITIONS:
        assert (f"{metric.name}_sum" if metric.kind == "histogram" else metric.name) in names
    assert found["directives_total", ("complete",)] == 3
    assert found["llm_tokens_total", ("input",)] == 10
    assert found["approval_wait_seconds_sum", ()] == 120


def test_promtool_finds_nothing_to_say(telemetry: Telemetry, losses: LossCounter) -> None:
    write_everything()
    losses.add("overflow")
    assert complaints_about(scrape(telemetry)) == (0, "")


@pytest.mark.parametrize("odd", [-1.0, float("nan"), float("inf")])
def test_a_sample_that_is_none_is_counted_and_not_written(
    telemetry: Telemetry, losses: LossCounter, odd: float
) -> None:
    metrics.add_budget_reserved(odd)
    assert "budget" not in scrape(telemetry)
    assert losses.counts() == {"recording": 1}
    assert samples(scrape(telemetry))["telemetry_lost_total", ("recording",)] == 1


def test_a_label_takes_no_value_that_nobody_bounded(telemetry: Telemetry) -> None:
    for number in range(500):
        metrics.count_module_execution(f"module-{number}", cast("ModuleStatus", f"status-{number}"))
    metrics.count_directive(cast("DirectiveStatus", "sk-" + "s" * 40))
    text = scrape(telemetry)
    assert text.count("\nmodule_executions_total{") == 65
    assert "sss" not in text


def test_a_variable_of_opentelemetry_that_it_cannot_use_is_refused_in_words(
    losses: LossCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "many")
    with pytest.raises(MisconfiguredError, match="OpenTelemetry cannot use its variables:"):
        start(TelemetryOptions("remit-test", "0", otlp_endpoint="http://127.0.0.1:1"))
    assert STATE.meter is None
    assert losses.counts() == {}


def test_while_metrics_are_off_nothing_is_written(losses: LossCounter) -> None:
    write_everything()
    with start(TelemetryOptions("remit-test", "0", metrics_port=0)) as telemetry:
        assert samples(scrape(telemetry)) == {}
    assert losses.counts() == {}


def test_the_metrics_of_temporals_core_stand_in_the_same_answer(losses: LossCounter) -> None:
    registry = CollectorRegistry()
    Gauge("temporal_worker_task_slots_used", "Slots.", registry=registry).set(7)
    core, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    options = TelemetryOptions(
        "remit-test", "0", metrics_port=0, core_metrics_port=core.server_port
    )
    try:
        with start(options) as telemetry:
            metrics.count_directive("complete")
            found = samples(scrape(telemetry))
    finally:
        core.shutdown()
        core.server_close()
        thread.join()
    assert found["temporal_worker_task_slots_used", ()] == 7
    assert found["directives_total", ("complete",)] == 1


@pytest.mark.parametrize("manner", ["refuses", "fails", "cuts"])
def test_a_core_that_does_not_answer_takes_nothing_else_along(
    losses: LossCounter, manner: otlp.Manner
) -> None:
    with otlp.bad_collector(manner) as bad:
        port = int(bad.endpoint.rsplit(":", 1)[1])
        options = TelemetryOptions("remit-test", "0", metrics_port=0, core_metrics_port=port)
        with start(options) as telemetry:
            metrics.count_directive("complete")
            assert samples(scrape(telemetry))["directives_total", ("complete",)] == 1
    assert losses.counts() == {"recording": 1}


def test_a_port_in_use_is_refused_by_the_name_of_its_setting(telemetry: Telemetry) -> None:
    telemetry.close()
    with start(TelemetryOptions("remit-test", "0", metrics_port=0)) as first:
        options = TelemetryOptions("remit-test", "0", metrics_port=first.metrics_port)
        with pytest.raises(ConflictError, match="on already"):
            start(options)
        STATE.meter = None
        with pytest.raises(MisconfiguredError, match="REMIT_METRICS_PORT"):
            start(options)


def test_a_closed_server_gives_its_port_back(losses: LossCounter) -> None:
    first = start(TelemetryOptions("remit-test", "0", metrics_port=0))
    port = first.metrics_port
    first.close()
    with start(TelemetryOptions("remit-test", "0", metrics_port=port)) as second:
        assert second.metrics_port == port
