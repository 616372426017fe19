"""Keeping a worker alive; the workers here are small scripts."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remit.errors import ConflictError, MisconfiguredError, UnavailableError
from remit.stack.layout import DataDir
from remit.stack.processes import Roster
from remit.stack.worker import (
    LLM_WORKER,
    WORKER,
    WorkerKind,
    WorkerProcess,
    restart_delay_seconds,
    worker_command,
)

READY = "import os, time, pathlib; pathlib.Path(f'worker.{os.getpid()}.ready').touch(); "
FOREVER = READY + "time.sleep(60)"
Make = Callable[..., WorkerProcess]


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    data = DataDir(tmp_path / "data")
    data.prepare()
    return data


@pytest.fixture
def make(data: DataDir, events: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.chdir(data.path)
    made = []

    def _make(code: str, kind: WorkerKind = WORKER) -> WorkerProcess:
        argv = (sys.executable, "-S", "-c", code)
        worker = WorkerProcess(data, argv, Roster(data.processes_file), events.append, kind)
        made.append(worker)
        worker.start()
        return worker

    yield _make
    for worker in made:
        worker.stop()


def test_a_worker_is_ready_when_it_says_so(make: Make, data: DataDir, events: list[str]) -> None:
    worker = make(FOREVER)
    pid = worker.wait_ready(timeout_seconds=10)
    assert (worker.pid, events) == (pid, ["worker"])
    worker.stop()
    assert worker.pid is None
    assert list(data.path.glob("worker.*.ready")) == []


def test_a_killed_worker_is_followed_by_another(make: Make, events: list[str]) -> None:
    worker = make(FOREVER)
    first = worker.wait_ready(timeout_seconds=10)
    assert worker.kill() == first
    second = worker.wait_ready(other_than=first, timeout_seconds=10)
    assert second != first
    assert events == ["worker", "worker_lost", "worker"]


def test_a_worker_for_language_models_has_files_and_events_of_its_own(
    make: Make, data: DataDir, events: list[str]
) -> None:
    other = data.worker_ready(1)
    other.touch()
    worker = make("print('thinking', flush=True); " + FOREVER.replace("f'", "f'llm-"), LLM_WORKER)
    first = worker.wait_ready(timeout_seconds=10)
    worker.kill()
    worker.wait_ready(other_than=first, timeout_seconds=10)
    worker.stop()
    assert events == ["llm_worker", "llm_worker_lost", "llm_worker"]
    assert data.log("llm-worker").read_text() == "thinking\n" * 2
    assert (data.workers_ready("llm-worker"), data.workers_ready()) == ([], [other])


def test_a_worker_for_language_models_that_refuses_its_settings_is_called_by_its_name(
    make: Make,
) -> None:
    worker = make("import sys; print('no key'); sys.exit(2)", LLM_WORKER)
    with pytest.raises(
        MisconfiguredError, match=r"^the worker for language models refuses to start: no key$"
    ):
        worker.wait_ready(timeout_seconds=10)


def test_a_worker_that_ends_before_it_is_ready_is_given_up_with_its_last_words(
    make: Make, data: DataDir
) -> None:
    worker = make("import sys; sys.exit('no memory left')")
    with pytest.raises(UnavailableError) as caught:
        worker.wait_ready(timeout_seconds=10)
    log = data.log("worker")
    assert str(caught.value) == f"the worker does not become ready: no memory left (log: {log})"


def test_a_worker_that_refuses_its_settings_is_believed_at_once(make: Make) -> None:
    worker = make("import sys; print('remit: policy.toml: no such file'); sys.exit(2)")
    with pytest.raises(
        MisconfiguredError, match=r"^the worker refuses to start: policy\.toml: no such file$"
    ):
        worker.wait_ready(timeout_seconds=10)


def test_a_worker_that_never_says_it_is_ready_is_given_up_after_the_time(make: Make) -> None:
    worker = make("import time; time.sleep(60)")
    with pytest.raises(UnavailableError, match="the worker does not become ready"):
        worker.wait_ready(timeout_seconds=0.1)


def test_waiting_for_a_worker_ends_when_it_is_stopped(make: Make) -> None:
    worker = make("import time; time.sleep(60)")
    threading.Timer(0.2, worker.stop).start()
    with pytest.raises(UnavailableError, match="stopped while it started"):
        worker.wait_ready(timeout_seconds=10)


def test_stopping_does_not_wait_out_the_pause_before_a_restart(make: Make) -> None:
    worker = make("import sys; sys.exit(1)")
    with pytest.raises(UnavailableError):
        worker.wait_ready(timeout_seconds=10)
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 0.3


def test_a_worker_that_does_not_run_cannot_be_killed(make: Make) -> None:
    worker = make(FOREVER)
    worker.wait_ready(timeout_seconds=10)
    worker.stop()
    with pytest.raises(ConflictError, match="no worker is running at this moment"):
        worker.kill()


def test_a_worker_is_asked_to_end_before_it_is_killed(make: Make, data: DataDir) -> None:
    worker = make(
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *a: sys.exit('bye')); " + FOREVER
    )
    worker.wait_ready(timeout_seconds=10)
    worker.stop()
    assert data.log("worker").read_text() == "bye\n"


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 0), (2, 0.2), (3, 0.4), (7, 6.4), (8, 10), (10**9, 10)]
)
def test_the_pause_before_a_restart_doubles_up_to_its_bound(failures: int, seconds: float) -> None:
    assert restart_delay_seconds(failures) == pytest.approx(seconds)


@pytest.mark.parametrize(("kind", "command"), [(WORKER, "worker"), (LLM_WORKER, "llm-worker")])
def test_a_worker_s_command_hands_on_its_settings_and_no_other_services(
    data: DataDir, kind: WorkerKind, command: str
) -> None:
    assert worker_command(data, {"REMIT_MODULES": "a.b:C"}, kind) == (
        "/usr/bin/env",
        *("-u", "DATABASE_URL", "-u", "TEMPORAL_ADDRESS"),
        "REMIT_MODULES=a.b:C",
        *("/bin/sh", "-c", 'exec "$0" "$@"'),
        *(sys.executable, "-m", "remit", command, "--wait-for-stack", str(data.path)),
    )


@pytest.mark.parametrize("folder", ["a=b", "a b", "$HOME", "-u"])
def test_an_interpreter_in_a_folder_of_any_name_is_started(
    data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    told = tmp_path / folder / "python"
    told.parent.mkdir()
    told.write_text('#!/bin/sh\necho "$REMIT_MODULES $*"\n')
    told.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(told))
    command = worker_command(data, {"REMIT_MODULES": "a.b:C"})
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == f"a.b:C -m remit worker --wait-for-stack {data.path}\n"


def test_the_signal_that_ends_a_worker_is_sigterm(make: Make, data: DataDir) -> None:
    worker = make(FOREVER)
    worker.wait_ready(timeout_seconds=10)
    record = data.processes_file.read_text()
    assert f'"signal": {int(signal.SIGTERM)}' in record


def test_a_machine_without_room_for_a_process_is_asked_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make(FOREVER)
    first = worker.wait_ready(timeout_seconds=10)
    spawn = worker._slot.spawn
    refused: list[bool] = []

    def refuse_once(argv: tuple[str, ...], log: Path) -> object:
        if not refused:
            refused.append(True)
            raise UnavailableError("the worker cannot be started: no room")
        return spawn(argv, log)

    monkeypatch.setattr(worker._slot, "spawn", refuse_once)
    worker.kill()
    assert worker.wait_ready(other_than=first, timeout_seconds=10) != first
    assert refused == [True]
