"""One directive's run.

An automatically decided directive costs one workflow task: its short module is begun, called and
ended in one local activity. A long module is called in an activity of its own, with heartbeats.

Retries are without limit here, because the database counts: it knows which attempts really began,
and ends a run that was begun too often. Doing any step twice is safe for the same reason.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from remit.workflows.activities.execution_activities import ExecutionActivities
    from remit.workflows.activities.module_activities import ModuleActivities
    from remit.workflows.orders import ExecutionOrder, ExecutionStep

SHORT_LIMIT = timedelta(seconds=30)
"""Longest time for a short module when its directive has no timebox."""

GRACE = timedelta(seconds=10)
"""What an activity may take beyond its module: its transactions, on a busy machine."""

HEARTBEAT_TIMEOUT = timedelta(seconds=5)
"""A long module's worker that is silent for this long is taken for dead."""

PATIENT = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)
)
"""Tried again until the database answers; also used by the other workflows."""


@workflow.defn(name="ExecutionWorkflow")
class ExecutionWorkflow:
    """Consume a directive's grant, run its module, end its run."""

    @workflow.run
    async def run(self, order: ExecutionOrder) -> ExecutionStep:
        """Carry out `order` and return how the directive stands afterwards."""
        timebox = order.timebox_seconds
        limit = SHORT_LIMIT if timebox is None else timedelta(seconds=timebox)
        step = await workflow.execute_local_activity_method(
            ExecutionActivities.execute_directive,
            order,
            start_to_close_timeout=limit + GRACE,
            retry_policy=PATIENT,
        )
        if step.long_module_seconds is None:
            return step
        return await workflow.execute_activity_method(
            ModuleActivities.execute_module,
            order,
            start_to_close_timeout=timedelta(seconds=step.long_module_seconds) + GRACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=PATIENT,
        )
