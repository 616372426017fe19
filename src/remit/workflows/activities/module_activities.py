"""The activity of a long module: begun, watched with heartbeats, and ended.

The module works in a thread while this activity tells Temporal that its worker lives. A worker that
dies is noticed by its silence; the next one begins another attempt under the same idempotency key.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity

from remit.execution.modules.types import ModuleOutput
from remit.operations.results import Ended, Ending, end_run
from remit.operations.runs import begin_run
from remit.telemetry.tracing import directive_span, span
from remit.workflows.activities.calls import (
    AuthoritySource,
    Evidence,
    ModuleCaller,
    check_workflow,
    step_of,
    too_late,
)
from remit.workflows.lease import Lease
from remit.workflows.orders import ExecutionOrder, ExecutionStep

HEARTBEAT_SECONDS = 1.0
"""Pause between two signs of life; a fraction of the workflow's heartbeat timeout."""

T = TypeVar("T")


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
            step = await self._execute(directive_id)
            telling.set(status=step.status, reason=step.status_reason)
        return step

    async def _execute(self, directive_id: UUID) -> ExecutionStep:
        await self._in_thread(self.lease.require)
        authority = self.authority.current()
        state = await self._in_thread(
            lambda: begin_run(self.engine, directive_id, self.modules.choice, authority)
        )
        if state.run is None:
            return step_of(state.directive)
        evidence = self.modules.evidence_of(state.directive, state.run)
        limit = self.modules.limit(state.directive)
        began = time.monotonic()
        work = self.threads.submit(copy_context().run, self.modules.call, evidence)
        try:
            output = await _watched(asyncio.wrap_future(work), limit.total_seconds())
        except asyncio.CancelledError:
            self._let_go(work, evidence, began)
            raise
        late = output is None
        ending = evidence.ending(too_late(limit), ()) if output is None else evidence.ending(output)
        ended = await self._end(ending)
        if late:
            self._let_go(work, evidence, began)
        return self.modules.tell(state.directive, ending, ended, began)

    async def _end(self, ending: Ending) -> Ended:
        with span("run.end", count=len(ending.emitted)):
            return await self._in_thread(lambda: end_run(self.engine, ending))

    def _let_go(self, work: Future[ModuleOutput], evidence: Evidence, began: float) -> None:
        """Leave a module that nobody waits for to itself; what it returns still goes on record."""

        def hand_in(work: Future[ModuleOutput]) -> None:
            if work.exception() is None:
                ending = evidence.ending(work.result())
                ended = end_run(self.engine, ending)
                self.modules.tell(evidence.directive, ending, ended, began)

        if not work.cancel():
            work.add_done_callback(hand_in)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        # In the context of this activity, so that what is told joins its trace.
        work = copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, call)


async def _watched(
    work: "asyncio.Future[ModuleOutput]", limit_seconds: float
) -> ModuleOutput | None:
    """Wait for `work` and send heartbeats; None when the limit passes first.

    A thread cannot be stopped: work that is late goes on, and what it returns is not waited for.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + limit_seconds
    while True:
        activity.heartbeat()
        pause = min(HEARTBEAT_SECONDS, ends - loop.time())
        if pause <= 0:
            return None
        done, _ = await asyncio.wait([work], timeout=pause)
        if done:
            return work.result()
