"""What telemetry loads: nothing heavy until it is turned on, and then only what is wanted."""

import json
import subprocess
import sys

import pytest

HEAVY = ("opentelemetry", "prometheus_client", "pydantic", "requests", "structlog", "temporalio")

_PROGRAM = """
import json, sys
{code}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
_OFF = """
from uuid import uuid4
from remit.telemetry import metrics, setup, tracing
from remit.telemetry.logging import get_logger
with setup.start(setup.TelemetryOptions("remit", "0")):
    with tracing.directive_span(uuid4(), "gate"), tracing.span("policy"):
        metrics.count_directive("complete")
        get_logger("remit").info("said", x=1)
"""
_FILES = """
import sys
from pathlib import Path
from remit.telemetry import setup
setup.start(setup.TelemetryOptions("remit", "0", span_folder=Path("/nowhere"))).close()
"""
_LINES = """
from remit.telemetry.logging import configure
configure(json=True, level="info")
"""


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        pytest.param(_OFF, set(), id="off"),
        pytest.param(_FILES, {"opentelemetry"}, id="files"),
        pytest.param(_LINES, {"structlog", "pydantic"}, id="lines"),
    ],
)
def test_only_what_is_wanted_is_loaded(code: str, loaded: set[str]) -> None:
    command = [sys.executable, "-c", _PROGRAM.format(code=code)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert set(json.loads(run.stdout)).intersection(HEAVY) == loaded
