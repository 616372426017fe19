"""Traces and metrics received for real, and collectors that do not work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import pytest

from remit.errors import MisconfiguredError
from remit.telemetry import metrics
from remit.telemetry.exporters import signal_address
from remit.telemetry.ids import root_span_id_of
from remit.telemetry.setup import TelemetryOptions, start
from remit.telemetry.span_reader import read_trace
from remit.telemetry.state import LossCounter
from remit.telemetry.tracing import directive_root, directive_span, span
from tests.support import otlp
from tests.support.sdk_variables import PROXIES

losses = otlp.losses

WORKER = """
import sys, uuid
from pathlib import Path
from remit.telemetry.setup import TelemetryOptions, start
from remit.telemetry.tracing import directive_span, span

endpoint, folder, directive = sys.argv[1:]
options = TelemetryOptions("remit-worker", "0", endpoint or None, Path(folder))
with start(options), directive_span(uuid.UUID(directive), "execute", attempt=1):
    with span("module", module_name="echo", status="success"):
        pass
    if not endpoint:
        from remit.telemetry.state import STATE
        for number in range(10_000):
            with span("step", count=number):
                pass
        import time
        while not any(Path(folder).glob("*.jsonl")):
            time.sleep(0.01)
        print("kept", flush=True)
        time.sleep(60)
"""


def worker_of(endpoint: str, folder: Path, directive: UUID) -> list[str]:
    return [sys.executable, "-c", WORKER, endpoint, str(folder), str(directive)]


def test_one_trace_runs_through_two_processes_and_has_one_tree(
    tmp_path: Path, losses: LossCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)  # a collector is never asked through one
    directive = uuid4()
    root = f"{root_span_id_of(directive):016x}"
    with otlp.collector(tmp_path) as collector:
        with start(TelemetryOptions("remit", "0", otlp_endpoint=collector.endpoint)) as telemetry:
            began = time.time_ns()
            with directive_span(directive, "gate", verdict="allow", cost_usd=0.5, retryable=True):
                pass
            directive_root(directive, "propose", started_ns=began, status="approved")
            metrics.count_directive("approved")
            command = worker_of(collector.endpoint, tmp_path / "spans", directive)
            subprocess.run(command, check=True, timeout=30)
            telemetry.close(20)
        otlp.until(lambda: len(collector.spans()) == 4, "four spans")
        otlp.until(lambda: "directives_total" in collector.metrics(), "the metric")
        spans = collector.spans()
    assert {each.ids[0] for each in spans.values()} == {directive.hex}
    assert spans["propose"].ids[1:] == (root, "")
    assert spans["gate"].ids[2] == spans["execute"].ids[2] == root
    assert spans["module"].ids[2] == spans["execute"].ids[1]
    assert spans["module"].attributes == {"module_name": "echo", "status": "success"}
    assert spans["gate"].attributes == {
        "directive_id": str(directive),
        "verdict": "allow",
        "cost_usd": 0.5,
        "retryable": True,
    }
    # The worker kept its own in files, too.
    kept = read_trace(tmp_path / "spans", directive)
    assert [(branch.depth, branch.span.name) for branch in kept] == [(0, "execute"), (1, "module")]
    assert losses.counts() == {}


@pytest.mark.parametrize("manner", otlp.MANNERS)
def test_a_collector_that_does_not_work_holds_nobody_up(
    losses: LossCounter, manner: otlp.Manner, capfd: pytest.CaptureFixture[str]
) -> None:
    with otlp.bad_collector(manner) as bad:
        telemetry = start(TelemetryOptions("remit", "0", otlp_endpoint=bad.endpoint))
        done = 0
        for _ in range(10_000):
            with span("step", status="success"):
                done += 1
            metrics.count_directive("complete")
        closing = Thread(target=telemetry.close, daemon=True)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()
    assert done == 10_000
    assert otlp.heard(capfd) == ("", "")
    lost = sum(losses.counts().get(why, 0) for why in ("overflow", "not_taken", "unsent"))
    assert manner == "slow" or lost > 0


def test_what_a_killed_process_had_kept_is_read(tmp_path: Path) -> None:
    directive = uuid4()
    process = subprocess.Popen(worker_of("", tmp_path, directive), stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as out:
        assert out.readline() == b"kept\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
    kept = read_trace(tmp_path, directive)
    assert kept[0].span.name in {"module", "step"}
    assert all(branch.span.trace_id == directive.hex for branch in kept)


def test_files_are_written_while_the_collector_hangs(tmp_path: Path, losses: LossCounter) -> None:
    directive = uuid4()
    with otlp.bad_collector("hangs") as bad:
        options = TelemetryOptions("remit", "0", bad.endpoint, tmp_path)
        telemetry = start(options)
        with directive_span(directive, "gate"):
            pass
        otlp.until(lambda: bad.asked, "the collector to be asked")
        otlp.until(lambda: read_trace(tmp_path, directive), "the file")
        telemetry.close(0.1)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://a b:4318", "http://host:4318"),
        ("collector:4318", "http://host:4318"),
        ("grpc://collector", "http://host:4318"),
        ("http://", "http://host:4318"),
        ("http://collector:99999", "http://host:4318"),
        ("http://collector:4318/?key=x", "http://host:4318"),
        ("http://collector:4317", "http://collector:4318"),
        ("", "http://host:4318"),
    ],
)
def test_an_endpoint_that_cannot_work_is_refused_with_what_to_write(
    losses: LossCounter, endpoint: str, said: str
) -> None:
    with pytest.raises(MisconfiguredError, match=f"OTEL_EXPORTER_OTLP_ENDPOINT.*{said}"):
        start(TelemetryOptions("remit", "0", otlp_endpoint=endpoint, metrics_port=0))
    # Nothing stays on, so that the corrected one can start.
    start(TelemetryOptions("remit", "0", metrics_port=0)).close()


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("https://c/", "https://c/v1/traces"),
        ("https://c/otlp", "https://c/otlp/v1/traces"),
    ],
)
def test_each_signal_has_its_own_address(endpoint: str, address: str) -> None:
    assert signal_address(endpoint, "traces") == address
