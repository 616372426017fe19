"""The life of a directive, told step by step: rows and log as the loop would leave them.

Each method is one step of the loop, as one transaction of it. Nothing is signed while it goes on;
:func:`tests.unit.audit.bundle_speakers.signed_by_all` lets everybody sign in the end.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from remit.approval.types import Grant, Vote
from remit.artifacts.types import Artifact, ArtifactType, artifact_uri
from remit.audit.bundle_records import Asked, BudgetEntry, Evidence
from remit.audit.chain import Event
from remit.directives.digest import canonical_json, sha256_digest
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from tests.support.keys import INSTALLATION
from tests.unit.audit.bundle_parts import (
    AMOUNT,
    DIRECTIVE,
    POLICY,
    directive,
    evaluation,
    grant,
    request,
    run,
    started,
)
from tests.unit.audit.chains import NOON, linked

Said = tuple[str, dict[str, Any]]


class Story:
    """One directive on its way.

    Attributes:
        found: the directive as it is now; `scope` decides whether people are asked.
    """

    def __init__(self, **content: Any) -> None:
        self.found = directive("proposed", **({"scope": "test", "budget": None} | content))
        self._minutes, self._ids = 0, 1000
        self._events: list[Event] = []
        self._artifacts: list[Artifact] = []
        self._asked: list[Asked] = []
        self._grants: list[Grant] = []
        self._runs: list[ExecutionRunRead] = []
        self._budget: list[BudgetEntry] = []
        digest = self.found.action_digest
        self._tell(("directive.proposed", {"action_digest": digest}), actor="agent-1")

    @property
    def now(self) -> datetime:
        """The time of the step that is told next."""
        return NOON + timedelta(minutes=self._minutes)

    def decide(self, verdict: str) -> "Story":
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

    def vote(self, voter: str, reason: str | None = None) -> "Story":
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

    def give_up(self, outcome: str) -> "Story":
        """Let the open request end without a grant."""
        self._resolve(outcome)
        self._status("blocked", outcome)
        return self._tell(
            ("approval.resolved", {"outcome": outcome}),
            ("directive.blocked", {"reason": outcome, "because": []}),
        )

    def retry(self) -> "Story":
        """Bring it to the gate again."""
        self._status("proposed")
        again: Said = ("directive.retried", {"action_digest": self.found.action_digest})
        return self._tell(again, actor="agent-1")

    def start(self) -> "Story":
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

    def end(self, output: ModuleOutput) -> "Story":
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
        if error is None:
            self._status("complete")
            return self._tell(ended, ("directive.completed", {}), left=made)
        self._status("aborted", "module_failed")
        because = {"reason": "module_failed", "because": [error.message]}
        return self._tell(ended, ("directive.aborted", because), left=made)

    def cancel(self, by: str) -> "Story":
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

    def doubt(self) -> "Story":
        """Say that nobody knows how the run ended."""
        self._status("executing", "in_doubt")
        said = {"reason": "in_doubt", "because": ["its worker is gone"], "open": []}
        return self._tell(("directive.in_doubt", said))

    def reconcile(self, by: str, reason: str) -> "Story":
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

    def file(self, name: str) -> "Story":
        """Let the issuer file an attachment."""
        said = {"name": name, "labels": {}, "filed_by": "agent-1"}
        made = self._artifact("attachment", said)
        return self._tell(("artifact.stored", {"artifact": made.uri}), left=[made], actor="agent-1")

    def rows(self, **changes: Any) -> Evidence:
        """Return what there is now; nobody has signed any of it."""
        given: dict[str, Any] = {
            "exported_at": self.now,
            "exported_by": "audrey",
            "directive": self.found,
            "requests": tuple(self._asked),
            "grants": tuple(self._grants),
            "runs": tuple(self._runs),
            "budget": tuple(self._budget),
            "artifacts": tuple(self._artifacts),
            "events": tuple(linked(self._events)),
            "installation": INSTALLATION,
        }
        return Evidence(**(given | changes))

    def _granted(
        self, told: Sequence[Said], left: list[Artifact], voters: Sequence[str], asked: UUID | None
    ) -> "Story":
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

    def _close(self, spent: Decimal) -> None:
        if self.found.budget is not None:
            self._enter("settle" if spent else "release", spent or AMOUNT)

    def _enter(self, kind: Any, amount: Decimal, ceiling: Decimal | None = None) -> None:
        about = self._grants[-1].id
        new = BudgetEntry("daily", NOON, about, kind, amount, ceiling, self.now)
        self._budget.append(new)

    def _resolve(self, status: Any) -> None:
        asked = self._asked[-1]
        resolved_at = asked.request.resolved_at or self.now
        changed = replace(asked.request, status=status, resolved_at=resolved_at)
        self._asked[-1] = replace(asked, request=changed)

    def _run(self, **changes: Any) -> None:
        ended = {"ended_at": self.now}
        self._runs[-1] = self._runs[-1].model_copy(update=ended | changes)

    def _status(self, status: str, reason: str | None = None) -> None:
        moved = {"status": status, "status_reason": reason, "updated_at": self.now}
        self.found: DirectiveRead = self.found.model_copy(update=moved)

    def _id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def _artifact(self, kind: ArtifactType, metadata: Any, run: UUID | None = None) -> Artifact:
        content, key = canonical_json(metadata), self._id()
        made = Artifact(
            id=key,
            type=kind,
            uri=artifact_uri(key),
            directive_id=DIRECTIVE,
            run_id=run,
            metadata=metadata,
            digest=sha256_digest(content),
            size_bytes=len(content),
            created_at=self.now,
        )
        self._artifacts.append(made)
        return made

    def _tell(self, *said: Said, left: Sequence[Artifact] = (), actor: str = "remit") -> "Story":
        """Append the events of a step; the last names what was left, and takes the actor."""
        for place, (kind, data) in enumerate(said):
            last = place == len(said) - 1
            named = {"evidence": {one.uri: one.digest for one in left}} if last and left else {}
            text = canonical_json({**data, **named}).decode()
            who = actor if last else "remit"
            self._events.append(Event(DIRECTIVE, 0, kind, who, self.now, text, "", ""))
        self._minutes += 1
        return self
