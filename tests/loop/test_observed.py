"""The loop, observed: one directive is one trace, whichever processes it went through.

One process proposes, another votes, a worker executes; a real collector takes what they tell.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from remit.telemetry.ids import root_span_id_of
from remit.telemetry.span_reader import read_trace
from tests.support import otlp
from tests.support.installation import Installation, installed, scraped
from tests.support.promtool import complaints_about

pytestmark = pytest.mark.slow

WISHES: Mapping[str, Mapping[str, Any]] = {
    "short": {"type": "validate", "payload": {"act": "succeed"}},
    "failing": {"type": "validate", "payload": {"act": "fail"}},
    "long": {"type": "test", "payload": {"act": "succeed"}},
    "approved": {"type": "echo", "scope": "staging", "budget": "$20.00"},
    "blocked": {"type": "echo", "scope": "moon"},
}


PATIENT = "import remit.cli.base.telemetry; remit.cli.base.telemetry.SHORT_SECONDS = 20.0"
"""A quick command waits long enough for its spans to arrive, however busy the machine is."""


@dataclass(frozen=True)
class Seen:
    """What was seen of one directive of each kind.

    Attributes:
        collector: what received it.
        here: the installation.
        ids: the directives.
        metrics: the worker's metrics, as Prometheus fetched them.
    """

    collector: otlp.Collector
    here: Installation
    ids: Mapping[str, UUID]
    metrics: str

    def spans(self) -> list[otlp.Received]:
        """Return every span that was received."""
        lines = [line for line in self.collector.text().splitlines() if line.startswith("{")]
        return [otlp.Received(each) for each in map(json.loads, lines) if "spanId" in each]

    def tree(self, kind: str) -> dict[str, list[otlp.Received]]:
        """Return the spans of a trace by their place in it: their names from the root on."""
        own = [each for each in self.spans() if each.ids[0] == self.ids[kind].hex]
        by_id = {each.ids[1]: each for each in own}

        def place(span: otlp.Received) -> str:
            parent = by_id.get(span.ids[2])
            above = "" if not span.ids[2] else "?" if parent is None else place(parent)
            return f"{above}/{span.name}"

        tree: dict[str, list[otlp.Received]] = {}
        for each in own:
            tree.setdefault(place(each), []).append(each)
        return tree


@pytest.fixture(scope="module")
def seen(
    database_url: str,
    temporal_address: str,
    client: Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Seen]:
    """Take one directive of each kind round the loop."""
    folder = tmp_path_factory.mktemp("observed")
    log = folder / "worker.log"
    common = {"role": "operator", "objective": "Tell.", "scope": "test", "payload": {}}
    with (
        otlp.collector(folder) as collector,
        installed(folder / "data", database_url, temporal_address, client.namespace) as here,
    ):
        to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "prelude": PATIENT}
        with here.worker(log, REMIT_METRICS_PORT="0", **to):
            found = here.propose([{**common, **each} for each in WISHES.values()], **to)
            ids = dict(zip(WISHES, found, strict=True))
            voted = here.remit("approve", str(ids["approved"]), "--yes", "--as", "bob", **to)
            assert (voted.returncode, voted.stderr) == (0, "")
            here.await_ends(found)
            seen = Seen(collector, here, ids, scraped(log))
            last = "/propose/start/StartWorkflow:ApprovalWorkflow/CompleteWorkflow:ApprovalWorkflow"
            otlp.until(lambda: last in seen.tree("approved"), "the last span")
        yield seen


def run_of(above: str, *, kind: str = "short") -> set[str]:
    """Return the places of the spans of a run, below the step that started it."""
    workflow = f"{above}/StartWorkflow:ExecutionWorkflow"
    steps = {workflow, *(f"{workflow}/{each}Workflow:ExecutionWorkflow" for each in RUN)}
    activities = ["execute_directive"] + ["execute_module"] * (kind == "long")
    for name in activities:
        called = f"{workflow}/StartActivity:{name}"
        steps |= {called, f"{called}/RunActivity:{name}", f"{called}/RunActivity:{name}/execute"}
    last = f"{workflow}/StartActivity:{activities[-1]}/RunActivity:{activities[-1]}/execute"
    return steps | {f"{last}/{each}" for each in ("module", "module/artifact", "run.end")}


RUN = ("Run", "Complete")
GATE = {"/propose", "/propose/policy.evaluate"}
WAIT = "/propose/start/StartWorkflow:ApprovalWorkflow"
SETTLING = f"{WAIT}/StartActivity:settle_approval"
TREES: Mapping[str, set[str]] = {
    "short": GATE | {"/propose/start"} | run_of("/propose/start"),
    "failing": GATE | {"/propose/start"} | run_of("/propose/start"),
    "long": GATE | {"/propose/start"} | run_of("/propose/start", kind="long"),
    "blocked": GATE,
    "approved": {
        *GATE,
        *("/propose/start", "/propose/vote", "/propose/vote/SignalWorkflow:wake"),
        *(WAIT, *(f"{WAIT}/{each}Workflow:ApprovalWorkflow" for each in RUN)),
        *(f"{WAIT}/HandleSignal:wake", SETTLING, f"{SETTLING}/RunActivity:settle_approval"),
        *run_of("/propose/vote"),
    },
}


@pytest.mark.parametrize("kind", WISHES)
def test_a_directive_is_one_whole_tree_from_its_proposal_to_its_artifacts(
    seen: Seen, kind: str
) -> None:
    tree = seen.tree(kind)
    assert tree.keys() == TREES[kind]
    often = {place for place, spans in tree.items() if len(spans) > 1}
    assert often <= {SETTLING, f"{SETTLING}/RunActivity:settle_approval"}
    [root] = tree["/propose"]
    assert root.ids == (seen.ids[kind].hex, f"{root_span_id_of(seen.ids[kind]):016x}", "")


def test_no_trace_is_told_but_those_of_directives(seen: Seen) -> None:
    traces = Counter(each.ids[0] for each in seen.spans())
    assert traces.keys() == {each.hex for each in seen.ids.values()}
    linked = {link for each in seen.spans() for link in each.links}
    assert linked <= traces.keys()


@pytest.mark.parametrize(
    ("kind", "verdict", "status"),
    [
        ("short", "allow", "approved"),
        ("approved", "require_approval", "proposed"),
        ("blocked", "block", "blocked"),
    ],
)
def test_the_gates_span_has_the_verdict_and_the_root_the_status(
    seen: Seen, kind: str, verdict: str, status: str
) -> None:
    tree = seen.tree(kind)
    [root], [gate] = tree["/propose"], tree["/propose/policy.evaluate"]
    about = {"directive_id": str(seen.ids[kind]), "verdict": verdict}
    assert gate.attributes == about | {"policy_version": "1"}
    assert root.attributes == about | {"status": status, "directive_type": WISHES[kind]["type"]}


@pytest.mark.parametrize(
    ("kind", "module", "said", "ended"),
    [
        ("short", "validate", "success", {"status": "complete"}),
        ("long", "test", "success", {"status": "complete"}),
        ("approved", "echo", "success", {"status": "complete"}),
        ("failing", "validate", "failure", {"status": "aborted", "reason": "module_failed"}),
    ],
)
def test_a_runs_spans_have_the_module_its_outcome_and_the_directives_status(
    seen: Seen, kind: str, module: str, said: str, ended: Mapping[str, str]
) -> None:
    tree = seen.tree(kind)
    [[called]] = [spans for place, spans in tree.items() if place.endswith("/module")]
    assert called.attributes == {"module_name": module, "status": said, "attempt": "1"}
    [[left]] = [spans for place, spans in tree.items() if place.endswith("/artifact")]
    assert left.attributes == {"artifact_type": "module_output", "store": "postgres"}
    executed = [span for spans in tree.values() for span in spans if span.name == "execute"]
    about = {"directive_id": str(seen.ids[kind])}
    assert {**about, **ended} in [each.attributes for each in executed]


def test_the_vote_is_cast_in_the_trace_by_another_process_than_asked_and_executed(
    seen: Seen,
) -> None:
    [vote] = seen.tree("approved")["/propose/vote"]
    assert vote.attributes == {
        "directive_id": str(seen.ids["approved"]),
        "decision": "approve",
        "outcome": "approved",
        "status": "approved",
    }
    kept = read_trace(seen.here.data / "spans", seen.ids["approved"])
    by = {each.span.name: each.span for each in kept}
    assert len({by[name].pid for name in ("propose", "vote", "execute")}) == 3
    assert by["propose"].service == by["vote"].service == "remit-cli"
    assert by["execute"].service == "remit-worker"


def test_what_was_kept_on_this_machine_is_what_the_collector_has(seen: Seen) -> None:
    for directive_id in seen.ids.values():
        kept = {each.span.span_id for each in read_trace(seen.here.data / "spans", directive_id)}
        assert kept == {each.ids[1] for each in seen.spans() if each.ids[0] == directive_id.hex}


def test_remit_trace_prints_that_tree_and_where_it_was_sent(seen: Seen) -> None:
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://bot:hunter2-canary@127.0.0.1:4318"}
    shown = seen.here.remit("trace", str(seen.ids["long"])[:13], **to)
    assert (shown.returncode, shown.stderr) == (0, "")
    first, *lines = shown.stdout.splitlines()
    trace = seen.ids["long"].hex
    assert first == f"trace {trace}, sent to http://bot:[redacted]@127.0.0.1:4318 too"
    # Names alone, by how far they are moved in.
    places, above = set[str](), list[str]()
    for line in lines:
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], name]
        places.add("".join(f"/{each}" for each in above))
    assert places == TREES["long"]


SERVED = {
    ("directives_total", "executing"): 4,
    ("directives_total", "complete"): 3,
    ("directives_total", "aborted"): 1,
    ("execution_failures_total", "module_failed"): 1,
    ("module_executions_total", "validate", "success"): 1,
    ("module_executions_total", "validate", "failure"): 1,
    ("module_executions_total", "test", "success"): 1,
    ("module_executions_total", "echo", "success"): 1,
    ("execution_duration_seconds_count", "validate"): 2,
    ("execution_duration_seconds_count", "test"): 1,
    ("queue_lag_seconds_count",): 4,
}
"""What the worker counted."""


def test_the_workers_metrics_count_what_was_run(seen: Seen) -> None:
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(seen.metrics)
        for sample in family.samples
    }
    assert {each: found.get(each) for each in SERVED} == SERVED
    assert sum(value for key, value in found.items() if key[0] == "directives_total") == 8
    assert "temporal_workflow_completed_total{" in seen.metrics
    assert "temporal_local_activity_execution_latency_seconds_bucket{" in seen.metrics


def test_promtool_finds_nothing_to_say_about_a_workers_metrics(seen: Seen) -> None:
    assert complaints_about(seen.metrics) == (0, "")


def test_the_collector_has_the_metrics_of_quick_commands_too(seen: Seen) -> None:
    counted: Counter[tuple[str, ...]] = Counter()
    for line in seen.collector.text().splitlines():
        if line.startswith("{") and "sum" in (metric := json.loads(line)):
            for point in metric["sum"]["dataPoints"]:
                labels = sorted((each["key"], each["value"]) for each in point["attributes"])
                words = (value["stringValue"] for _, value in labels)
                counted[metric["name"], *words] += int(point.get("asInt", 0))
    policies = {words: n for words, n in counted.items() if words[0].startswith("policy_")}
    assert policies == {
        ("policy_evaluations_total", "allow"): 3,
        ("policy_evaluations_total", "require_approval"): 1,
        ("policy_evaluations_total", "block"): 1,
        ("policy_results_total", "human_approval", "require_approval"): 1,
        ("policy_results_total", "scope_allowlist", "block"): 1,
    }
    assert counted["directives_total", "blocked"] == 1
    # One approved by the vote, three by the gate.
    assert counted["directives_total", "approved"] == 4
