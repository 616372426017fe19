"""Workflows of today decide what the recorded ones decided; a changed one is found out."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

# The sandbox loads this module anew for the workflows below, and native libraries load only once.
with workflow.unsafe.imports_passed_through():
    from remit.workflows import dispatcher
    from remit.workflows.activities.execution_activities import ExecutionActivities
    from remit.workflows.messages import ExecutionOrder, ExecutionStep
    from remit.workflows.worker import WORKFLOWS
    from tests.replay.scenarios import STORIES, SWEEPS

HISTORIES = Path(__file__).with_name("histories")
RECORDED = sorted(path.stem for path in HISTORIES.glob("*.json"))

CONTINUED = "dispatcher-continue-as-new"


def history(name: str) -> WorkflowHistory:
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")
    return WorkflowHistory.from_json(name, text)


def kinds(name: str) -> list[str]:
    return [str(event["eventType"]) for event in json.loads(history(name).to_json())["events"]]


def test_every_story_is_recorded() -> None:
    assert sorted(STORIES) == RECORDED


@pytest.mark.parametrize("name", sorted(set(RECORDED) - {CONTINUED}))
async def test_the_workflows_of_today_replay_the_history(name: str) -> None:
    await Replayer(workflows=list(WORKFLOWS)).replay_workflow(history(name))


async def test_the_dispatcher_of_today_replays_its_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "SWEEPS_PER_RUN", SWEEPS)
    # The sandbox would load the module anew, with the number that it really has.
    runner = UnsandboxedWorkflowRunner()
    replayer = Replayer(workflows=list(WORKFLOWS), workflow_runner=runner)
    await replayer.replay_workflow(history(CONTINUED))


@pytest.mark.parametrize(
    ("name", "last"),
    [(name, "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED") for name in RECORDED if name != CONTINUED]
    + [(CONTINUED, "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW")],
)
def test_a_history_was_recorded_to_its_end(name: str, last: str) -> None:
    assert kinds(name)[-1] == last


@pytest.mark.parametrize("name", RECORDED)
def test_a_history_names_no_machine(name: str) -> None:
    found = json.loads((HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    told = [attributes for event in found["events"] for attributes in event.values()]
    identities = {one["identity"] for one in told if isinstance(one, dict) and "identity" in one}
    assert identities <= {"recorder", "history-service"}


@workflow.defn(name="ExecutionWorkflow")
class OneStepMore:
    """What `ExecutionWorkflow` would be if somebody changed it without a thought."""

    @workflow.run
    async def run(self, order: ExecutionOrder) -> ExecutionStep:
        """Carry out the order twice."""
        for _ in range(2):
            step = await workflow.execute_local_activity_method(
                ExecutionActivities.execute_directive,
                order,
                start_to_close_timeout=timedelta(seconds=10),
            )
        return step


@workflow.defn(name="ExecutionWorkflow")
class OneStepLess:
    """The same, with its only step left out."""

    @workflow.run
    async def run(self, order: ExecutionOrder) -> ExecutionStep:
        """Do nothing."""
        return ExecutionStep("complete", None)


@pytest.mark.parametrize("name", ["short-success", "long-success", "failure", "void-grant"])
@pytest.mark.parametrize("changed", [OneStepMore, OneStepLess])
async def test_a_changed_workflow_does_not_replay(name: str, changed: type) -> None:
    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[changed]).replay_workflow(history(name))
