"""The activity of an ordinary run: consume the grant, call a short module, end the run.

Two transactions, one thread, no other activity: nearly every directive takes this path.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity

from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.operations.results import end_run
from remit.operations.runs import start_run
from remit.telemetry.tracing import directive_span, span
from remit.workflows.activities.calls import (
    AuthoritySource,
    ModuleCaller,
    check_workflow,
    step_of,
    too_late,
)
from remit.workflows.lease import Lease
from remit.workflows.orders import ExecutionOrder, ExecutionStep


@dataclass(frozen=True)
class ExecutionActivities:
    """What `ExecutionWorkflow` does by itself.

    Attributes:
        engine: the database.
        authority: what it verifies grants with.
        modules: this worker's modules.
        lease: this worker's, without which it begins nothing.
    """

    engine: sa.Engine
    authority: AuthoritySource
    modules: ModuleCaller
    lease: Lease

    @activity.defn
    def execute_directive(self, order: ExecutionOrder) -> ExecutionStep:
        """Start the directive's run; call and end it too, if its module is short."""
        directive_id = UUID(order.directive_id)
        check_workflow(order)
        with directive_span(directive_id, "execute") as telling:
            step = self._execute(directive_id)
            telling.set(status=step.status, reason=step.status_reason)
        return step

    def _execute(self, directive_id: UUID) -> ExecutionStep:
        self.lease.require()
        authority = self.authority.current()
        state = start_run(self.engine, directive_id, self.modules.choice, authority)
        if state.run is None:
            return step_of(state.directive)
        limit = self.modules.limit(state.directive)
        if self.modules.choice(state.run.module).kind == "long":
            return step_of(state.directive, long_module=limit)
        return self._call(state.directive, state.run, limit)

    def _call(
        self, directive: DirectiveRead, run: ExecutionRunRead, limit: timedelta
    ) -> ExecutionStep:
        evidence = self.modules.evidence_of(directive, run)
        began = time.monotonic()
        output = self.modules.call(evidence)
        if time.monotonic() - began > limit.total_seconds():
            output = too_late(limit)
        with span("run.end", count=len(evidence.artifacts)):
            ending = evidence.ending(output)
            ended = end_run(self.engine, ending)
        return self.modules.tell(directive, ending, ended, began)
