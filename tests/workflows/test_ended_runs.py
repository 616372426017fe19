"""What is told of a run that has ended is what was kept of it."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remit.artifacts.noop import NoOpObjectStore
from remit.execution.models import EndedRun, LeftArtifact
from remit.execution.modules.registry import discover_modules
from remit.execution.modules.types import ModuleOutput
from remit.operations.runs.results import end_run
from remit.workflows.activities.calls import EmittedArtifacts, ModuleCaller, too_late
from tests.support.keys import WORKER
from tests.support.thinking import executing


@pytest.mark.parametrize("late", [False, True], ids=["in time", "too late"])
def test_what_a_module_left_that_was_too_late_is_not_told(engine: sa.Engine, *, late: bool) -> None:
    told: list[EndedRun] = []
    caller = ModuleCaller(
        discover_modules(installed=()), engine, NoOpObjectStore(), observe=told.append
    )
    found, run = executing(engine)
    emitted = EmittedArtifacts(run, caller.store)
    emitted.emit("module_output", {"step": 1})
    output = too_late(timedelta(seconds=1)) if late else ModuleOutput.success()
    kept = () if late else emitted.artifacts
    done = end_run(engine, found, run, output, worker=WORKER, emitted=kept)
    caller.report(done, kept, time.monotonic())
    [one] = told
    assert (one.run_status, one.status) == (
        ("failed", "aborted") if late else ("completed", "complete")
    )
    left = [LeftArtifact(each.type, each.digest) for each in emitted.artifacts]
    assert one.artifacts == (() if late else tuple(left))
