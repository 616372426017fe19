"""The activities of `ExecutionWorkflow`: start a run, call its module, end it.

A short module takes two transactions, one thread and one activity. A long one, and what another
worker handed over because this one has the version that was granted, work in a thread while their
activity sends heartbeats, so that a worker that dies is noticed by its silence.
"""

import asyncio
from concurrent.futures import Executor, Future
from contextvars import copy_context
from dataclasses import dataclass
from uuid import UUID

from temporalio import activity

from remit.errors import ForbiddenError
from remit.operations.gate.authority import Authority
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.starts import RunState
from remit.telemetry.tracing import directive_span
from remit.workflows.activities.attempts import Attempts
from remit.workflows.activities.calls import step_of
from remit.workflows.activities.underway import Attempt
from remit.workflows.messages import ExecutionOrder, ExecutionStep, execution_id

HEARTBEAT_SECONDS = 1.0
"""Pause between two heartbeats; a fraction of the workflow's heartbeat timeout."""


@dataclass(frozen=True)
class ExecutionActivities(Attempts):
    """What `ExecutionWorkflow` does; in `threads`, what is watched with heartbeats."""

    threads: Executor

    # Else Temporal would raise its cancellation in the middle of a module.
    @activity.defn(no_thread_cancel_exception=True)
    def execute_directive(self, order: ExecutionOrder) -> ExecutionStep:
        """Start the directive's run; call and end it too, if its module is short."""
        directive_id = UUID(order.directive_id)
        _check_workflow(order)
        with directive_span(directive_id, "execute") as span:
            step = self.carry_out(directive_id, lambda found: self._start(directive_id, found))
            span.set(status=step.status, reason=step.status_reason)
        return step

    @activity.defn
    async def execute_module(self, order: ExecutionOrder) -> ExecutionStep:
        """Begin an attempt of the directive's run, call its long module, end the run.

        When it is handed out again to the worker that is at the attempt, it waits for that one.
        """
        directive_id = UUID(order.directive_id)
        _check_workflow(order)
        with directive_span(directive_id, "execute") as span:
            attempt = self.modules.underway.find(directive_id) or self._begun(directive_id)
            step = await _watched(attempt.step)
            span.set(status=step.status, reason=step.status_reason)
        return step

    @activity.defn
    async def execute_handed_over(self, order: ExecutionOrder) -> ExecutionStep:
        """Do what `execute_directive` does, on the queue that this worker alone polls."""
        # In the context of this activity: what is done there asks which workflow it serves.
        return await _watched(
            self.threads.submit(copy_context().run, self.execute_directive, order)
        )

    def _start(self, directive_id: UUID, authority: Authority) -> ExecutionStep | RunState:
        describe = self.modules.registry.describe_module
        state = start_run(self.engine, directive_id, describe, authority)
        module = None if state.run is None else describe(state.run.module)
        if module is None or module.kind == "short":
            return state
        return step_of(state.directive, long_module=self.modules.limit(state.directive))

    def _begun(self, directive_id: UUID) -> Attempt:
        """Begin an attempt in a thread that goes on whatever becomes of this activity."""
        attempt = self.modules.underway.begin(directive_id)

        def begin(authority: Authority) -> RunState:
            describe = self.modules.registry.describe_module
            return begin_run(self.engine, directive_id, describe, authority)

        # In the context of this activity, so that spans join its trace.
        self.threads.submit(copy_context().run, self.resume, attempt, begin)
        return attempt


def _check_workflow(order: ExecutionOrder) -> None:
    """Return quietly when this activity serves the one workflow that a directive's run has.

    Whoever reaches Temporal can start the same workflow under other names. All of them together
    would begin attempt after attempt of one run, until none is left.
    """
    expected = execution_id(order.directive_id)
    if activity.in_activity() and activity.info().workflow_id != expected:
        raise ForbiddenError(f"only the workflow {expected} may run this directive")


async def _watched(future: "Future[ExecutionStep]") -> ExecutionStep:
    """Wait for a thread and send heartbeats; a thread goes on when the activity is canceled."""
    work = asyncio.wrap_future(future)
    while True:
        activity.heartbeat()
        done, _ = await asyncio.wait([work], timeout=HEARTBEAT_SECONDS)
        if done:
            return work.result()
