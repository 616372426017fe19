"""The life of a directive, told step by step: rows and log as the loop would leave them.

Each method is one step of the loop, as one transaction of it. Nothing is signed while it goes on;
:func:`tests.unit.audit.bundle_speakers.signed_by_all` lets everybody sign in the end.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from remit.approval.types import Vote
from remit.artifacts.types import Artifact
from remit.audit.bundle.types import Asked
from remit.execution.models import output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from tests.unit.audit.bundle_parts import (
    AMOUNT,
    DIRECTIVE,
    POLICY,
    evaluation,
    grant,
    request,
    run,
    started,
)
from tests.unit.audit.bundle_telling import Said, Telling


class Story(Telling):
    """One directive on its way."""

    def decide(self, verdict: str) -> Self:
        """Let the gate decide, and do what follows from its verdict."""
        made = self._artifact("policy_evaluation", evaluation(self.found).metadata)
        assert made.metadata["verdict"] == verdict
        named = {"policy_digest": POLICY.digest, "artifact": made.uri}
        told: Said = ("policy.evaluated", {"verdict": verdict, "policy_version": "1", **named})
        if verdict == "block":
            blocked: Said = ("directive.blocked", {"reason": "policy", "because": ["tool"]})
            self._status("blocked", "policy")
            return self._tell(told, blocked, left=[made])
        if verdict == "allow":
            return self._granted([told], [made], (), None)
        until = self.now + POLICY.approval.expires_after
        made_of = {"id": self._id(), "requested_at": self.now, "expires_at": until}
        asked = request(self.found, **made_of)
        self._asked.append(Asked(asked, ()))
        return self._tell(told, ("approval.requested", {"because": [*asked.rules]}), left=[made])

    def vote(self, voter: str, reason: str | None = None) -> Self:
        """Let somebody approve, or reject with a reason; enough approvals give a grant."""
        asked = self._asked[-1]
        decision = "reject" if reason else "approve"
        new = Vote(voter, decision, reason, asked.request.action_digest, self.now)  # type: ignore[arg-type]
        self._asked[-1] = replace(asked, votes=(*asked.votes, new))
        self._tell(("approval.voted", {"decision": decision, "reason": reason}), actor=voter)
        latest = {one.voter: one.decision for one in self._asked[-1].votes}
        voters = [name for name, said in latest.items() if said == "approve"]
        if len(voters) < asked.request.required_approvals:
            return self
        self._minutes -= 1  # the same transaction
        self._resolve("approved")
        resolved: Said = ("approval.resolved", {"outcome": "approved"})
        return self._granted([resolved], [], voters, asked.request.id)

    def give_up(self, outcome: str) -> Self:
        """Let the open request end without a grant."""
        self._resolve(outcome)
        self._status("blocked", outcome)
        return self._tell(
            ("approval.resolved", {"outcome": outcome}),
            ("directive.blocked", {"reason": outcome, "because": []}),
        )

    def retry(self) -> Self:
        """Bring it to the gate again."""
        self._status("proposed")
        again: Said = ("directive.retried", {"action_digest": self.found.action_digest})
        return self._tell(again, actor="agent-1")

    def start(self) -> Self:
        """Begin the run."""
        granted = self._grants[-1]
        if granted.request_id is not None:
            self._resolve("consumed")
        begun = run(
            granted,
            id=self._id(),
            grant_id=granted.id,
            status="running",
            idempotency_key=f"{DIRECTIVE}:{granted.id}",
            result=None,
            created_at=self.now,
            started_at=self.now,
            ended_at=None,
        )
        made = self._artifact("execution_start", started(granted, begun), begun.id)
        self._runs.append(begun)
        self._status("executing")
        return self._tell(
            ("grant.consumed", {"grant": str(granted.id)}),
            ("directive.executing", {"run": str(begun.id)}),
            ("run.attempted", {"attempt": 1}),
            left=[made],
        )

    def end(self, output: ModuleOutput) -> Self:
        """End the run with what its module returned."""
        ran, result, error = self._runs[-1], output_to_json(output), output.error
        status = run_status_of(output.status)
        left = self._artifact("module_output", {"text": "hello"}, ran.id)
        given = {"run": str(ran.id), "attempt": ran.attempts, "output": result}
        end = {"run": str(ran.id), "status": status, "artifacts": [left.uri]}
        made = [
            left,
            self._artifact("execution_checkpoint", given, ran.id),
            self._artifact("execution_end", end, ran.id),
        ]
        change = {
            "status": status,
            "result": result,
            "error_type": error.error_type if error else None,
            "error_message": error.message if error else None,
        }
        self._run(**change)
        self._close(output.cost or (AMOUNT if error is None else Decimal(0)))
        ended: Said = ("run.ended", {"outcome": output.status.value, "artifact": made[-1].uri})
        if self.found.budget is None and output.cost:
            self._enter("settle", output.cost, account="not promised")
            self._tell(("budget.unpromised", {"spent": str(output.cost)}))
            self._minutes -= 1
        if error is None:
            self._status("complete")
            return self._tell(ended, ("directive.completed", {}), left=made)
        self._status("aborted", "module_failed")
        because = {"reason": "module_failed", "because": [error.message]}
        return self._tell(ended, ("directive.aborted", because), left=made)

    def cancel(self, by: str) -> Self:
        """Stop the run."""
        self._run(status="canceled")
        self._close(AMOUNT)
        self._status("aborted", "canceled")
        self._tell(
            ("run.ended", {"outcome": "canceled"}),
            ("directive.aborted", {"reason": "canceled", "because": []}),
        )
        self._events[-1] = replace(self._events[-1], actor=by)
        return self

    def withdraw(self) -> Self:
        """Cancel it before its run begins."""
        self._resolve("canceled")
        self._grants[-1] = replace(self._grants[-1], voided_at=self.now, void_reason="canceled")
        self._close(Decimal(0))
        self._status("blocked", "canceled")
        return self._tell(
            ("approval.resolved", {"outcome": "canceled"}),
            ("grant.voided", {"reason": "canceled"}),
            ("directive.blocked", {"reason": "canceled", "because": []}),
        )

    def doubt(self) -> Self:
        """Say that nobody knows how the run ended."""
        self._status("executing", "in_doubt")
        said = {"reason": "in_doubt", "because": ["its worker is gone"]}
        return self._tell(("directive.in_doubt", said))

    def reconcile(self, by: str, reason: str) -> Self:
        """Let a person say that a run in doubt did what was asked."""
        ran, result = self._runs[-1], output_to_json(ModuleOutput.success())
        given = {"run": str(ran.id), "attempt": ran.attempts, "output": result}
        end = {"run": str(ran.id), "status": "completed", "artifacts": []}
        made = [
            self._artifact("execution_checkpoint", given, ran.id),
            self._artifact("execution_end", end, ran.id),
        ]
        self._run(status="completed", result=result)
        self._status("complete")
        first = len(self._events)
        self._tell(
            ("run.reconciled", {"as": "done", "because": [reason]}),
            ("run.ended", {"outcome": "success", "artifact": made[-1].uri}),
            ("directive.completed", {}),
            left=made,
        )
        self._events[first:] = [replace(one, actor=by) for one in self._events[first:]]
        return self

    def file(self, name: str) -> Self:
        """Let the issuer file an attachment."""
        said = {"name": name, "labels": {}, "filed_by": "agent-1"}
        made = self._artifact("attachment", said)
        return self._tell(("artifact.stored", {"artifact": made.uri}), left=[made], actor="agent-1")

    def _granted(
        self, told: Sequence[Said], left: list[Artifact], voters: Sequence[str], asked: UUID | None
    ) -> Self:
        budget = None if self.found.budget is None else AMOUNT
        made_of = {
            "id": self._id(),
            "request_id": asked,
            "required_approvals": len(voters),
            "votes": tuple(voters),
            "budget": budget,
            "issued_at": self.now,
            "expires_at": self.now + timedelta(hours=1),
        }
        self._grants.append(grant(self.found, **made_of))
        issued: dict[str, Any] = {"by": [*voters] or "policy"}
        if budget is not None:
            issued["reserved"] = {"daily": str(AMOUNT)}
            self._enter("reserve", AMOUNT, Decimal("100.00"))
        self._status("approved")
        return self._tell(*told, ("grant.issued", issued), ("directive.approved", {}), left=left)
