"""The sweep: finds what a crash left behind and sets it going again.

In the ordinary course it finds nothing, because `remit.control` starts each workflow right after
the commit that calls for it. There is one dispatcher; its id keeps a second one out.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from remit.settings import APPROVAL_QUEUE
    from remit.workflows.activities.dispatch_activities import DispatchActivities
    from remit.workflows.approval import ApprovalWorkflow
    from remit.workflows.execution import GRACE, PATIENT, ExecutionWorkflow
    from remit.workflows.messages import (
        ApprovalOrder,
        ExecutionOrder,
        SweepOrder,
        approval_id,
        execution_id,
    )

SWEEPS_PER_RUN = 100
"""After so many sweeps the workflow continues as new, to keep its history short."""


@workflow.defn(name="DispatcherWorkflow")
class DispatcherWorkflow:
    """Sweep, sleep, and again; `wake` sweeps at once."""

    def __init__(self) -> None:
        self._woken = False

    @workflow.run
    async def run(self, order: SweepOrder) -> None:
        """Sweep a number of times, then continue as new."""
        for _ in range(SWEEPS_PER_RUN):
            self._woken = False
            await self._sweep()
            await self._pause(order)
        workflow.continue_as_new(order)

    @workflow.signal
    def wake(self) -> None:
        """Sweep now."""
        self._woken = True

    async def _pause(self, order: SweepOrder) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._woken, timeout=timedelta(seconds=order.interval_seconds)
            )
        except TimeoutError:
            workflow.logger.debug("time for the next sweep")

    async def _sweep(self) -> None:
        found = await workflow.execute_local_activity_method(
            DispatchActivities.fetch_approved_directives,
            start_to_close_timeout=GRACE,
            retry_policy=PATIENT,
        )
        for execution in found.executions:
            await self._execute(execution)
        for approval in found.approvals:
            await self._approve(approval)

    async def _execute(self, order: ExecutionOrder) -> None:
        try:
            await workflow.start_child_workflow(
                ExecutionWorkflow.run,
                order,
                id=execution_id(order.directive_id),
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.debug("already running: %s", order.directive_id)

    async def _approve(self, order: ApprovalOrder) -> None:
        try:
            await workflow.start_child_workflow(
                ApprovalWorkflow.run,
                order,
                id=approval_id(order.directive_id),
                task_queue=APPROVAL_QUEUE,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.debug("already waiting: %s", order.directive_id)
