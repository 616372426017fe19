"""One directive's wait for people.

The workflow only waits. A signal wakes it and carries nothing: awake, it reads the database again,
and so it does when its time is over. Whoever forges a signal gains a look at the truth.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from remit.workflows.activities.approval_activities import ApprovalActivities
    from remit.workflows.execution import GRACE, PATIENT
    from remit.workflows.messages import ApprovalOrder, ApprovalResult, ApprovalStep

AFTER_EXPIRY = timedelta(milliseconds=50)
"""Wait this much past the expiry, so that the database's clock has surely reached it."""


@workflow.defn(name="ApprovalWorkflow")
class ApprovalWorkflow:
    """Pass a directive through the gate if it has not been, then wait until it is settled."""

    def __init__(self) -> None:
        self._woken = False

    @workflow.run
    async def run(self, order: ApprovalOrder) -> ApprovalResult:
        """Return how the approval ended."""
        step = await self._look(order)
        while step.result is None:
            await self._wait(step.waits_seconds or 0.0)
            step = await self._look(order)
        return step.result

    @workflow.signal
    def wake(self) -> None:
        """Look again: a vote was cast, or the directive was canceled."""
        self._woken = True

    async def _look(self, order: ApprovalOrder) -> ApprovalStep:
        self._woken = False
        return await workflow.execute_local_activity_method(
            ApprovalActivities.settle_approval,
            order,
            start_to_close_timeout=GRACE,
            retry_policy=PATIENT,
        )

    async def _wait(self, seconds: float) -> None:
        timeout = timedelta(seconds=seconds) + AFTER_EXPIRY
        try:
            await workflow.wait_condition(lambda: self._woken, timeout=timeout)
        except TimeoutError:
            workflow.logger.debug("an approval request's time is over")
