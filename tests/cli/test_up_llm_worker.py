"""`remit up` with a provider of language models: one variable, and a second worker asks them."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from examples.summarize_workflow import Evidence, SummarizeEvidence, Summary
from temporalio.worker import Worker

from remit.cli.commands.workers import beside_a_worker, usable_provider
from remit.db.engine import create_database_engine
from remit.errors import MisconfiguredError
from remit.settings import LLM_QUEUE, Settings, load_settings
from remit.signing.sealing import load_seal
from remit.stack.discovery import find_stack
from remit.workflows.client import connect
from remit.workflows.sealing import sealed
from tests.cli.conftest import Remit, environment, program
from tests.cli.test_up import said_at_the_start
from tests.support.llm_server import LLMServer
from tests.support.thinking import kept

TEXT = "No space left on /var, twice."


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that the system user who runs Postgres for root may enter."""
    with tempfile.TemporaryDirectory(prefix="remit-up-") as name:
        yield Path(name) / "data"


@contextmanager
def up(folder: Path, **variables: str) -> "Iterator[subprocess.Popen[str]]":
    """Run `remit up`, yield it at once, and end it."""
    with subprocess.Popen(
        program("up", "--data-dir", str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**variables),
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


async def summarized(folder: Path) -> Summary:
    """Serve the example's workflow, but none of the calls that it makes, and return its answer."""
    info = find_stack(folder)
    assert info is not None
    client = sealed(await connect(info.temporal_address, "default"), load_seal(folder / "keys"))
    async with Worker(client, task_queue=LLM_QUEUE, workflows=[SummarizeEvidence]):
        return await client.execute_workflow(
            SummarizeEvidence.run, Evidence(TEXT), id="summary", task_queue=LLM_QUEUE
        )


def statuses(folder: Path) -> Sequence[object]:
    """Return how the calls of language models ended that are on record."""
    info = find_stack(folder)
    assert info is not None
    engine = create_database_engine(info.database_url, pool_size=1)
    found = [one.metadata["status"] for one in kept(engine, "llm_call")]
    engine.dispose()
    return found


def test_one_variable_plugs_a_language_model_in_and_its_worker_ends_with_the_stack(
    folder: Path, server: LLMServer
) -> None:
    chosen = {"LLM_PROVIDER": "openai", "LLM_MODEL": "tiny", "OPENAI_BASE_URL": server.url}
    with up(folder, **chosen) as process:
        text = said_at_the_start(process)
        assert "• a worker for language models polls its queue (openai), " in text
        answered = asyncio.run(summarized(folder))
        assert (answered, statuses(folder)) == (Summary(TEXT[::-1]), ["success"])
        [ready] = folder.glob("llm-worker.*.ready")
        os.kill(int(ready.name.split(".")[1]), signal.SIGKILL)
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [
            "• the worker for language models has ended by itself; another is started\n",
            "• a worker for language models polls its queue again\n",
        ]
        below = psutil.Process(process.pid).children(recursive=True)
    assert process.returncode == 0
    psutil.wait_procs(below, timeout=10)
    assert [each for each in below if each.is_running()] == []
    assert (folder / "logs" / "llm-worker.log").exists()
    assert list(folder.glob("*.ready")) == []


@pytest.mark.parametrize("variables", [{}, {"LLM_PROVIDER": "noop"}, {"LLM_PROVIDER": ""}])
def test_with_no_provider_chosen_no_second_worker_runs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    monkeypatch.delenv("LLM_PROVIDER", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert usable_provider(load_settings()) is None


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"LLM_PROVIDER": "nope"}, 'LLM_PROVIDER is "nope": set it to noop, anthropic or openai'),
        ({"LLM_PROVIDER": "openai"}, "no key for the language model: set OPENAI_API_KEY, or "),
        (
            {"LLM_PROVIDER": "anthropic"},
            "no key for the language model: set ANTHROPIC_API_KEY, or ",
        ),
    ],
)
def test_a_provider_that_cannot_be_used_is_told_in_one_line_before_anything_starts(
    remit: Remit,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    problem: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shown = remit("up", "--data-dir", str(tmp_path / "data"))
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert shown.err.startswith(f"remit: {problem}")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("port", "next_port"), [(None, None), (0, 0), (9464, 9465), (65535, 0)])
def test_the_stack_s_two_workers_serve_their_metrics_on_ports_of_their_own(
    port: int | None, next_port: int | None
) -> None:
    settings = Settings(remit_metrics_port=port)
    assert beside_a_worker(settings).remit_metrics_port == next_port


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_a_missing_sdk_is_told_with_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    key: dict[str, Any] = {f"{name}_api_key": "sk-test"}
    with pytest.raises(MisconfiguredError) as caught:
        usable_provider(Settings(llm_provider=name, **key))
    assert f"`pip install {name}`" in str(caught.value)
