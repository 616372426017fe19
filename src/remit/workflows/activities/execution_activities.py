"""The activity of an ordinary run: consume the grant, call a short module, end the run.

Two transactions, one thread, no other activity: nearly every directive takes this path.
"""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity

from remit.operations.gate.authority import Authority
from remit.operations.runs.beginning import start_run
from remit.operations.runs.starts import RunState
from remit.telemetry.tracing import directive_span
from remit.workflows.activities.attempts import Attempts
from remit.workflows.activities.calls import (
    AuthoritySource,
    ModuleCaller,
    check_workflow,
    step_of,
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

    # Else Temporal would raise its cancellation in the middle of a module.
    @activity.defn(no_thread_cancel_exception=True)
    def execute_directive(self, order: ExecutionOrder) -> ExecutionStep:
        """Start the directive's run; call and end it too, if its module is short."""
        directive_id = UUID(order.directive_id)
        check_workflow(order)
        attempts = Attempts(self.engine, self.authority, self.modules, self.lease)
        with directive_span(directive_id, "execute") as telling:
            step = attempts.carry_out(directive_id, lambda found: self._begin(directive_id, found))
            telling.set(status=step.status, reason=step.status_reason)
        return step

    def _begin(self, directive_id: UUID, authority: Authority) -> ExecutionStep | RunState:
        state = start_run(self.engine, directive_id, self.modules.choice, authority)
        if state.run is None or self.modules.choice(state.run.module).kind == "short":
            return state
        return step_of(state.directive, long_module=self.modules.limit(state.directive))
