"""`remit up`, in a process of its own: it starts, is found, and stops leaving nothing."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from remit.cli.base.token_files import account_name
from tests.cli.conftest import environment, program, propose_arguments
from tests.support.golden import golden
from tests.support.otlp import free_port
from tests.support.processes import seen


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that the system user who runs Postgres for root may enter."""
    with tempfile.TemporaryDirectory(prefix="remit-up-") as name:
        yield Path(name) / "data"


def remit(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end in a process of its own."""
    return subprocess.run(
        program(*arguments),
        capture_output=True,
        text=True,
        check=False,
        env=environment(**variables),
        timeout=50,
    )


def said_at_the_start(process: "subprocess.Popen[str]") -> str:
    """Return what `remit up` prints until it waits to be stopped."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != "Ctrl-C stops everything.\n":
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()
    return "".join(lines)


def lets_fail(folder: Path) -> Path:
    """Write the built-in policy with one tool more, and return its file."""
    built_in = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
    file = folder.with_name("policy.toml")
    file.write_text(built_in.replace('allow = ["noop"', 'allow = ["fail_intentionally", "noop"'))
    return file


def check_the_log_of_what_is_raised(folder: Path) -> None:
    """Let a module raise, and find its traceback where `remit show` says that it is."""
    failing = propose_arguments(type="fail_intentionally", payload='{"mode": "raise"}')
    done = remit(*failing, "--wait", "--json", REMIT_DATA_DIR=str(folder))
    assert done.returncode == 1
    identifier = json.loads(done.stdout)["outcomes"][0]["directive"]["id"]
    log = folder / "logs" / "worker.log"
    shown = remit("show", identifier, REMIT_DATA_DIR=str(folder)).stdout
    assert f"  log          {log}: the traceback, if the module raised\n" in shown
    lines = [json.loads(one) for one in log.read_text().splitlines() if one.startswith("{")]
    [line] = [one for one in lines if one["event"] == "module_raised"]
    assert (line["directive_id"], line["attempt"]) == (identifier, 1)
    assert line["traceback"].endswith("IntentionalError: failed on purpose\n")


def check_what_is_told(folder: Path, text: str) -> None:
    """Hold what is printed when all is up, but for time and ports, against the golden file."""
    assert "\x1b" not in text
    token = (folder / "tokens" / account_name()).read_text().strip()
    values = {"folder": folder, "quoted": quote(str(folder), safe=""), "token": token}
    values["policy"] = folder.with_name("policy.toml")
    told = re.sub(r"after [\d.]+ s\n|127\.0\.0\.1:\d+\n", "N\n", text[text.index("Remit is up ") :])
    assert golden("up", "what is told when it is up", **values) == told


def test_up_runs_directives_restarts_its_worker_and_stops_clean(folder: Path) -> None:
    process = subprocess.Popen(
        program("up", "--data-dir", str(folder), "--policy-file", str(lets_fail(folder))),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    text = said_at_the_start(process)
    check_what_is_told(folder, text)
    done = remit(*propose_arguments(), "--wait", REMIT_DATA_DIR=str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    check_the_log_of_what_is_raised(folder)
    policy = json.loads(remit("policy", "show", "--json", REMIT_DATA_DIR=str(folder)).stdout)
    assert policy["confirmation"]["by"] == "remit"
    second = remit("up", "--data-dir", str(folder))
    assert second.returncode == 2
    assert second.stderr.startswith(f"remit: a stack is already running (pid {process.pid}) in ")

    ready = next(folder.glob("worker.*.ready"))
    os.kill(int(ready.name.split(".")[1]), signal.SIGKILL)
    said = [process.stdout.readline() for _ in range(2)]
    assert said == [
        "• the worker has ended by itself; another one is started\n",
        "• a worker polls its queues again\n",
    ]

    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)  # impatience changes nothing
    _, err = process.communicate(timeout=40)
    assert (process.returncode, err) == (0, "stopping ...\nstopped\n")
    psutil.wait_procs(below, timeout=10)
    assert [each for each in below if each.is_running()] == []


def test_up_as_json_is_one_document_and_a_lost_server_is_exit_code_1(folder: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        program("up", "--data-dir", str(folder), "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(REMIT_METRICS_PORT=str(port)),
    )
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        text += process.stdout.readline()
    where = json.loads(text)
    assert (where["pid"], where["data_dir"]) == (process.pid, str(folder))
    assert where["admin_token"].startswith("remit_")
    assert where["metrics"] == f"http://127.0.0.1:{port}/metrics"
    servers = psutil.Process(process.pid).children(recursive=True)
    temporal = next(each for each, name in seen(servers, psutil.Process.name) if name == "temporal")
    temporal.kill()
    out, err = process.communicate(timeout=40)
    assert (process.returncode, out) == (1, "")
    assert "remit: Temporal has ended by itself (log: " in err


def test_a_port_in_use_is_refused_with_its_option(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = remit("up", "--data-dir", str(folder), "--temporal-port", str(port))
    assert (shown.returncode, shown.stderr.count(f"port {port} ")) == (2, 1)
    assert "--temporal-port" in shown.stderr
    assert shown.stderr.startswith("remit: ")


def test_ctrl_c_while_it_starts_is_exit_code_130(folder: Path) -> None:
    process = subprocess.Popen(
        program("up", "--data-dir", str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    deadline = time.monotonic() + 20
    while not (folder / "lock").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=40)
    assert (process.returncode, err) == (130, "")
    assert not (folder / "stack.json").exists()
