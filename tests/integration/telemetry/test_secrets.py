"""Canaries: secrets planted everywhere that telemetry is handed something, and found nowhere."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support import otlp

CANARY = "canary7f3e9b21d4"

PROGRAM = """
import logging, sys, urllib.request, uuid
from pathlib import Path
from opentelemetry import trace
from remit.telemetry import metrics
from remit.telemetry.logging import configure, get_logger
from remit.telemetry.setup import TelemetryOptions, start
from remit.telemetry.tracing import directive_root, directive_span, span

endpoint, folder = sys.argv[1], Path(sys.argv[2])
canary = "canary7f3e9b21d4"
forms = [
    f"sk-{canary}-{canary}", f"postgresql://app:{canary}@db/x", f"Bearer {canary}",
    f"password={canary}", "x" * 240 + f" sk-{canary}-{canary}", "x" * 70_000 + canary,
    f"-----BEGIN PRIVATE KEY-----{canary}",
]
configure(json=True, level="debug", file=folder / "worker.log")
log = get_logger("remit.x")
telemetry = start(TelemetryOptions("remit", "0", endpoint, folder / "spans", 0))
directive = uuid.uuid4()
for form in forms:
    with directive_span(directive, f"step {form}", reason=form, payload=canary) as step:
        step.set(status=form, content=canary, **{form: 1})
        log.info("said", text=form, token=canary, deep={"a": [{"secret": canary}, form]})
        logging.getLogger("library").warning("said %s", form)
        try:
            with span("bad"):
                raise ValueError(form)
        except ValueError:
            log.exception("it_failed", text=form)
        # A library's span, with the stack trace and the description that Temporal's has.
        tracer = telemetry.tracer_provider.get_tracer("library")
        with tracer.start_as_current_span(form, attributes={form: form, "status": form}) as other:
            error = ValueError(form)
            other.record_exception(error)
            other.set_status(trace.Status(trace.StatusCode.ERROR, f"ValueError: {form}"))
    metrics.count_directive(form)
    metrics.count_module_execution(form, form)
    directive_root(directive, form, started_ns=1, reason=form, traceparent=form)
address = f"http://127.0.0.1:{telemetry.metrics_port}/metrics"
(folder / "metrics.txt").write_bytes(urllib.request.urlopen(address).read())
telemetry.close(20)
"""


UNDEFENDED = """
from remit.telemetry import log_format, scrubbing
scrubbing.redact_text = lambda text: text
log_format.redact_object = dict
"""


def test_no_planted_secret_leaves_the_process(tmp_path: Path) -> None:
    assert written_by(PROGRAM, tmp_path) == []


def test_without_redaction_the_same_secrets_are_found_everywhere(tmp_path: Path) -> None:
    found = written_by(UNDEFENDED + PROGRAM, tmp_path)
    assert {file.suffix for file in found} == {".jsonl", ".log"}
    assert len(found) == 3


def written_by(program: str, tmp_path: Path) -> list[Path]:
    """Run a program, and return those of the files that came of it which hold the canary."""
    folder = tmp_path / "worker"
    folder.mkdir()
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://app:{CANARY}@db/x",
        "OPENAI_API_KEY": CANARY,
        "OTEL_RESOURCE_ATTRIBUTES": f"key={CANARY}",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "260",
    }
    with otlp.collector(tmp_path) as collector:
        run = subprocess.run(
            [sys.executable, "-c", program, collector.endpoint, str(folder)],
            capture_output=True,
            text=True,
            check=True,
            timeout=50,
            env=environment,
        )
        otlp.until(lambda: '"directives_total"' in collector.text(), "the metrics")
        otlp.until(lambda: '"name":"bad"' in collector.text(), "the spans")
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.name for file in written} >= {"worker.log", "metrics.txt", "collector.jsonl"}
    assert sum(file.suffix == ".jsonl" for file in written) == 2
    assert all(file.stat().st_size > 100 for file in written)
    assert run.stdout + run.stderr == ""
    # A part of it is as bad: so would a text look that was cut before it was searched.
    return [file for file in written if CANARY[:8] in file.read_text(encoding="utf-8")]
