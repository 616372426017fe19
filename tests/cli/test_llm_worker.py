"""`remit llm-worker`, as a process of its own, and the example that it serves."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from tests.architecture.tree import ROOT
from tests.cli.conftest import VARIABLES
from tests.support.keys import put_keys
from tests.support.llm_server import LLMServer
from tests.support.thinking import kept

Variables = Mapping[str, str]
EXAMPLES = ROOT / "examples"
REFERENCE = "summarize_workflow:SummarizeEvidence"
TEXT = "No space left on /var, twice."


@pytest.fixture
def variables(
    client: Client, empty_engine: sa.Engine, temporal_address: str, tmp_path: Path
) -> Variables:
    """Return the environment of an installation."""
    keys = tmp_path / "keys"
    put_keys(keys)
    inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    path = os.pathsep.join(filter(None, (str(EXAMPLES), os.environ.get("PYTHONPATH"))))
    return inherited | {
        "PYTHONPATH": path,
        "DATABASE_URL": empty_engine.url.render_as_string(hide_password=False),
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": client.namespace,
        "REMIT_DATA_DIR": str(tmp_path / "data"),
        "REMIT_KEYS_DIR": str(keys),
    }


@contextmanager
def worker(variables: Variables, log: Path, *arguments: str) -> Iterator[str]:
    """Run a worker while the block runs, and yield what it says first; `log` gets its log."""
    command = [sys.executable, "-m", "remit", "llm-worker", *arguments]
    with (
        log.open("a") as lines,
        subprocess.Popen(
            command, env=variables, text=True, stdout=subprocess.PIPE, stderr=lines
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def ask(variables: Variables) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "summarize_workflow.py")]
    return subprocess.run(
        command, env=variables, input=TEXT, text=True, capture_output=True, check=False, timeout=40
    )


@pytest.mark.slow
def test_the_example_is_refused_until_a_provider_is_chosen_and_then_answered(
    variables: Variables, empty_engine: sa.Engine, server: LLMServer, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with worker(variables, log, "--workflow", REFERENCE) as said:
        assert said == "llm worker ready (noop)"
        asked = ask(variables)
    assert asked.returncode == 1
    assert "no summary: LLM usage disabled. Configure LLM_PROVIDER to enable." in asked.stdout
    chosen = {"LLM_PROVIDER": "openai", "LLM_MODEL": "tiny", "OPENAI_BASE_URL": server.url}
    with worker({**variables, **chosen}, log, "--workflow", REFERENCE) as said:
        assert said == "llm worker ready (openai)"
        asked = ask(variables)
    assert (asked.stdout.strip(), asked.returncode, asked.stderr) == (TEXT[::-1], 0, "")
    statuses = [one.metadata["status"] for one in kept(empty_engine, "llm_call")]
    assert statuses == ["success", "error"]
    lines = log.read_text()
    assert lines.count('"llm_called"') == 2
    assert TEXT not in lines
    assert TEXT[::-1] not in lines


def test_where_no_worker_has_run_the_example_says_so_on_one_line(variables: Variables) -> None:
    asked = ask(variables)
    assert (asked.returncode, asked.stderr, asked.stdout.count("\n")) == (1, "", 1)
    assert asked.stdout.startswith("no summary: there is no key in ")
    assert "`remit llm-worker` makes one" in asked.stdout


def test_a_workflow_that_does_not_exist_is_refused_at_the_start(variables: Variables) -> None:
    command = [sys.executable, "-m", "remit", "llm-worker", "--workflow", "no.such:Thing"]
    ran = subprocess.run(
        command, env=variables, text=True, capture_output=True, check=False, timeout=40
    )
    assert ran.returncode == 2
    assert "workflow no.such:Thing cannot be loaded" in ran.stderr
