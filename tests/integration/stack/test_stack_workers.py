"""The workers of a stack: started, replaced, believed when they refuse, and ended with it."""

import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from remit.errors import ConflictError, MisconfiguredError
from remit.stack import processes
from remit.stack.layout import DataDir
from remit.stack.options import StackEvent, StackOptions
from remit.stack.supervisor import Stack
from remit.stack.worker import LLM_WORKER, WORKER
from tests.integration.stack.conftest import STUB_WORKER, own_children

MakeStack = Callable[..., Stack]

# Stand in for both servers, which no test here needs.
NO_SERVERS: dict[str, Any] = {
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "temporal_address": "127.0.0.1:1",
}

# A worker that cannot work as it is set up.
REFUSING = (sys.executable, "-c", "import sys; print('settings: bad'); sys.exit(2)")


def test_a_killed_worker_is_replaced_and_told_of(make_stack: MakeStack) -> None:
    events: list[StackEvent] = []
    with make_stack(report=events.append, **NO_SERVERS) as stack:
        killed = stack.kill_worker()
        replacement = stack.wait_for_worker(other_than=killed)
        assert stack.worker_pid == replacement != killed
    names = [event.name for event in events]
    assert names[names.index("stack") :] == ["stack", "worker_lost", "worker"]


def test_a_killed_worker_is_replaced_whatever_becomes_of_who_is_told_and_of_the_disk(
    make_stack: MakeStack, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard(event: StackEvent) -> None:
        raise OSError(32, f"nobody hears of {event.name}")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with make_stack(report=unheard, **NO_SERVERS) as stack:
        killed = stack.kill_worker()
        assert stack.wait_for_worker(other_than=killed) != killed
        monkeypatch.setattr(processes, "write_private", full)
        killed = stack.kill_worker()
        assert stack.wait_for_worker(other_than=killed) != killed
        # And where not even a log can be made, for a while.
        data.log(WORKER.command).unlink()
        data.logs.rename(data.path / "away")
        killed = stack.kill_worker()
        time.sleep(0.5)
        (data.path / "away").rename(data.logs)
        assert stack.wait_for_worker(other_than=killed) != killed


def test_a_stack_without_a_worker_has_none_to_kill_or_wait_for(make_stack: MakeStack) -> None:
    with make_stack(worker=False, **NO_SERVERS) as stack:
        assert stack.worker_pid is None
        for call in (stack.kill_worker, stack.wait_for_worker):
            with pytest.raises(ConflictError, match="this stack runs no worker"):
                call()


def test_a_worker_for_language_models_starts_comes_back_and_ends_with_the_stack(
    make_stack: MakeStack, data: DataDir, before: set[int]
) -> None:
    events: list[str] = []
    argv = (sys.executable, str(STUB_WORKER), str(data.path), LLM_WORKER.command)
    with make_stack(
        report=lambda event: events.append(event.name),
        llm_provider="openai",
        llm_worker_argv=argv,
        **NO_SERVERS,
    ):
        assert {"worker", "llm_worker"} <= set(events)
        [ready] = data.workers_ready(LLM_WORKER.command)
        psutil.Process(int(ready.name.split(".")[1])).kill()
        deadline = time.monotonic() + 10
        while events[-1] != "llm_worker" and time.monotonic() < deadline:
            time.sleep(0.01)
    assert events[events.index("stack") :] == ["stack", "llm_worker_lost", "llm_worker"]
    assert own_children() == before
    assert data.workers_ready() + data.workers_ready(LLM_WORKER.command) == []


@pytest.mark.parametrize(
    ("options", "title"),
    [
        ({"worker_argv": REFUSING}, WORKER.title),
        (
            {"worker": False, "llm_provider": "openai", "llm_worker_argv": REFUSING},
            LLM_WORKER.title,
        ),
    ],
    ids=[WORKER.command, LLM_WORKER.command],
)
def test_a_worker_that_refuses_to_start_fails_the_start_with_its_words(
    data: DataDir, options: dict[str, Any], title: str, before: set[int]
) -> None:
    stack = Stack(data, StackOptions(**options, **NO_SERVERS), on_database_ready=lambda _: None)
    with pytest.raises(MisconfiguredError) as caught:
        stack.start()
    assert str(caught.value) == f"{title} refuses to start: settings: bad"
    assert own_children() == before
