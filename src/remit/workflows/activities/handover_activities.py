"""The activity of what another worker handed over, because this one has the version granted.

It is served on a queue that one worker alone polls. The same is done as for any other directive;
heartbeats tell Temporal that the worker lives, since a short module gives no sign of life itself.
"""

import asyncio
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass

from temporalio import activity

from remit.workflows.activities.execution_activities import ExecutionActivities
from remit.workflows.activities.module_activities import HEARTBEAT_SECONDS
from remit.workflows.orders import ExecutionOrder, ExecutionStep


@dataclass(frozen=True)
class HandoverActivities:
    """What a worker does for others that have another version of a module.

    Attributes:
        execution: what it does for any directive.
        threads: where that is done.
    """

    execution: ExecutionActivities
    threads: Executor

    @activity.defn
    async def execute_handed_over(self, order: ExecutionOrder) -> ExecutionStep:
        """Start the directive's run; call and end it too, if its module is short."""
        # In the context of this activity: what is done there asks which workflow it serves.
        work = asyncio.wrap_future(
            self.threads.submit(copy_context().run, self.execution.execute_directive, order)
        )
        while True:
            activity.heartbeat()
            # A thread cannot be stopped: when this is canceled, what it does still ends there.
            done, _ = await asyncio.wait([work], timeout=HEARTBEAT_SECONDS)
            if done:
                return work.result()
