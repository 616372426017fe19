"""One directive's run.

An automatically decided directive costs one workflow task: its short module is begun, called and
ended in one local activity. A long module is called in an activity of its own, with heartbeats.
A grant is for one version of a module; where the worker has another one, its answer names the queue
of a worker that has it, which then goes on in an ordinary activity.

Retries are without limit here, because the database counts: it knows which attempts really began,
and ends a run that was begun too often. Doing any step twice is safe for the same reason.
"""

from dataclasses import replace
from datetime import timedelta

from temporalio import exceptions, workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from remit.workflows.activities.execution_activities import ExecutionActivities
    from remit.workflows.messages import ExecutionOrder, ExecutionStep

SHORT_LIMIT = timedelta(seconds=30)
"""Longest time for a short module when its directive has no timebox."""

GRACE = timedelta(seconds=10)
"""What an activity may take beyond its module: its transactions, on a busy machine."""

HEARTBEAT_TIMEOUT = timedelta(seconds=5)
"""A long module's worker that is silent for this long is taken for dead."""

PICKED_UP = timedelta(seconds=10)
"""A worker that does not take up what was handed over to it for so long is gone or has no room."""

TURNS = 100
"""After so many turns the workflow continues as new, to keep its history short."""

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
        step = await self._begin(order)
        turns = 0
        while not _is_over(step):
            if turns == TURNS:
                workflow.continue_as_new(order)
            turns += 1
            step = await self._go_on(order, step)
        return step

    async def _begin(self, order: ExecutionOrder) -> ExecutionStep:
        """Have any worker begin: it does all that there is to do, or says who must go on."""
        return await workflow.execute_local_activity_method(
            ExecutionActivities.execute_directive,
            order,
            start_to_close_timeout=_limit(order) + GRACE,
            retry_policy=PATIENT,
        )

    async def _go_on(self, order: ExecutionOrder, step: ExecutionStep) -> ExecutionStep:
        if step.ask_again_seconds is not None:
            await workflow.sleep(step.ask_again_seconds)
            return await self._begin(order)
        if step.worker_queue is None:
            return await self._call(order, step)
        try:
            if step.long_module_seconds is not None:
                return await self._call(order, step, PICKED_UP)
            found = await self._hand_over(order, step.worker_queue)
        except exceptions.ActivityError as error:
            if not isinstance(error.cause, exceptions.TimeoutError):
                raise
            # That worker is gone, or has no room: whoever is asked next knows of another, if any.
            return await self._begin(order)
        if found.long_module_seconds is not None and found.worker_queue is None:
            return replace(found, worker_queue=step.worker_queue)
        return found

    async def _hand_over(self, order: ExecutionOrder, queue: str) -> ExecutionStep:
        return await workflow.execute_activity_method(
            ExecutionActivities.execute_handed_over,
            order,
            task_queue=queue,
            schedule_to_start_timeout=PICKED_UP,
            start_to_close_timeout=_limit(order) + GRACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=PATIENT,
        )

    async def _call(
        self, order: ExecutionOrder, step: ExecutionStep, picked_up: timedelta | None = None
    ) -> ExecutionStep:
        return await workflow.execute_activity_method(
            ExecutionActivities.execute_module,
            order,
            task_queue=step.worker_queue,
            schedule_to_start_timeout=picked_up,
            start_to_close_timeout=timedelta(seconds=step.long_module_seconds or 0) + GRACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=PATIENT,
        )


def _is_over(step: ExecutionStep) -> bool:
    left = (step.long_module_seconds, step.worker_queue, step.ask_again_seconds)
    return left == (None, None, None)


def _limit(order: ExecutionOrder) -> timedelta:
    timebox = order.timebox_seconds
    return SHORT_LIMIT if timebox is None else timedelta(seconds=timebox)
