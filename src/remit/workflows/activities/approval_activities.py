"""What `ApprovalWorkflow` does when it wakes: pass the gate if need be, and look at the votes."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity

from remit.identity.types import SYSTEM
from remit.operations.gate.approvals import settle
from remit.operations.gate.proposals import submit
from remit.workflows.activities.calls import AuthoritySource
from remit.workflows.messages import ApprovalOrder, ApprovalResult, ApprovalStep


@dataclass(frozen=True)
class ApprovalActivities:
    """What `ApprovalWorkflow` does."""

    engine: sa.Engine
    authority: AuthoritySource

    @activity.defn
    def settle_approval(self, order: ApprovalOrder) -> ApprovalStep:
        """Evaluate what was never evaluated, expire what is over, and tell the outcome."""
        directive_id = UUID(order.directive_id)
        state = settle(self.engine, directive_id)
        if state.directive.status == "proposed" and state.waits_seconds is None:
            submit(self.engine, directive_id, self.authority.current(), by=SYSTEM)
            state = settle(self.engine, directive_id)
        if state.waits_seconds is not None:
            return ApprovalStep(max(state.waits_seconds, 0.0), None)
        evaluation = state.evaluation
        result = ApprovalResult(
            approved=state.directive.status in {"approved", "executing", "complete", "aborted"},
            policy_version=evaluation.policy_version if evaluation else None,
            policy_blocks=list(evaluation.blocks) if evaluation else [],
            human_override=state.by_people,
            artifact_uri=evaluation.artifact_uri if evaluation else None,
        )
        return ApprovalStep(None, result)
