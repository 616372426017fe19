"""The activity of a long module: begun, watched with heartbeats, and ended.

The module works in a thread while this activity tells Temporal that its worker lives. A worker that
dies is noticed by its silence; the next one begins another attempt under the same idempotency key
once the lease of the first is over. An activity that is handed out again to the worker that is at
the attempt already waits for that one.
"""

import asyncio
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity

from remit.operations.gate.authority import Authority
from remit.operations.runs.beginning import begin_run
from remit.operations.runs.starts import RunState
from remit.telemetry.tracing import directive_span
from remit.workflows.activities.attempts import Attempts
from remit.workflows.activities.calls import AuthoritySource, ModuleCaller, check_workflow
from remit.workflows.activities.underway import Attempt
from remit.workflows.lease import Lease
from remit.workflows.orders import ExecutionOrder, ExecutionStep

HEARTBEAT_SECONDS = 1.0
"""Pause between two signs of life; a fraction of the workflow's heartbeat timeout."""


@dataclass(frozen=True)
class ModuleActivities:
    """What a worker does for long modules.

    Attributes:
        engine: the database.
        modules: this worker's modules.
        authority: what it verifies grants with.
        threads: where modules and transactions run.
        lease: this worker's, without which it begins nothing.
    """

    engine: sa.Engine
    modules: ModuleCaller
    authority: AuthoritySource
    threads: Executor
    lease: Lease

    @activity.defn
    async def execute_module(self, order: ExecutionOrder) -> ExecutionStep:
        """Begin an attempt of the directive's run, call its module, end the run."""
        directive_id = UUID(order.directive_id)
        check_workflow(order)
        with directive_span(directive_id, "execute") as telling:
            attempt = self.modules.underway.find(directive_id) or self._begun(directive_id)
            step = await _watched(attempt)
            telling.set(status=step.status, reason=step.status_reason)
        return step

    def _begun(self, directive_id: UUID) -> Attempt:
        """Begin an attempt in a thread that goes on whatever becomes of this activity."""
        attempts = Attempts(self.engine, self.authority, self.modules, self.lease)
        attempt = self.modules.underway.begin(directive_id)

        def begin(authority: Authority) -> RunState:
            return begin_run(self.engine, directive_id, self.modules.choice, authority)

        # In the context of this activity, so that what is told joins its trace.
        self.threads.submit(copy_context().run, attempts.resume, attempt, begin)
        return attempt


async def _watched(attempt: Attempt) -> ExecutionStep:
    """Wait until an attempt has ended, and send heartbeats.

    When Temporal cancels the activity, the attempt goes on: it ends by itself, and says so.
    """
    work = asyncio.wrap_future(attempt.step)
    while True:
        activity.heartbeat()
        done, _ = await asyncio.wait([work], timeout=HEARTBEAT_SECONDS)
        if done:
            return work.result()
