"""Which workers a stack runs, and what each of them is told; no process is started here."""

from pathlib import Path

import pytest

from remit.stack.layout import DataDir
from remit.stack.options import StackOptions
from remit.stack.processes import Roster
from remit.stack.worker import Workers, llm_worker_settings, worker_settings


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    data = DataDir(tmp_path / "data")
    data.prepare()
    return data


@pytest.mark.parametrize(
    ("options", "acts", "thinks"),
    [
        (StackOptions(), True, False),
        (StackOptions(llm_provider="openai"), True, True),
        (StackOptions(worker=False), False, False),
        (StackOptions(worker=False, llm_provider="openai"), False, True),
    ],
)
def test_a_worker_that_thinks_runs_only_where_a_provider_is_chosen(
    data: DataDir, options: StackOptions, *, acts: bool, thinks: bool
) -> None:
    workers = Workers(data, options, Roster(data.processes_file), lambda _: None)
    assert (workers.worker is not None, workers.llm_worker is not None) == (acts, thinks)
    workers.stop()


def test_what_workers_of_a_killed_stack_left_is_cleared_away(data: DataDir) -> None:
    left = [data.worker_ready(1), data.worker_ready(2, "llm-worker")]
    for file in left:
        file.touch()
    nobody = StackOptions(worker=False)
    Workers(data, nobody, Roster(data.processes_file), lambda _: None).start()
    assert [file for file in left if file.exists()] == []


def test_the_worker_that_acts_is_given_what_the_stack_was_given(data: DataDir) -> None:
    policy = data.path / "policy.toml"
    options = StackOptions(
        modules="a.b:C", policy_file=policy, temporal_namespace="mine", llm_provider="openai"
    )
    assert worker_settings(data, options) == {
        "REMIT_DATA_DIR": str(data.path),
        "REMIT_MODULES": "a.b:C",
        "REMIT_POLICY_FILE": str(policy),
        "TEMPORAL_NAMESPACE": "mine",
    }
    assert "REMIT_POLICY_FILE" not in worker_settings(data, StackOptions())


def test_the_worker_that_thinks_is_given_no_modules_and_no_policy(data: DataDir) -> None:
    options = StackOptions(
        modules="a.b:C",
        policy_file=data.path / "policy.toml",
        temporal_namespace="mine",
        llm_provider="openai",
    )
    assert llm_worker_settings(data, options) == {
        "REMIT_DATA_DIR": str(data.path),
        "TEMPORAL_NAMESPACE": "mine",
        "LLM_PROVIDER": "openai",
    }
