"""The single things that a bundle holds, as the loop makes them, without a database."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from remit.approval.statements import sign_grant, sign_vote
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact, artifact_uri
from remit.audit.bundle.types import BudgetEntry
from remit.audit.chain import Event
from remit.base.canonical import canonical_json, sha256_digest
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.execution.models import ExecutionRunRead, output_to_json
from remit.execution.modules.types import ModuleOutput
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide
from remit.policy.types import PolicyInput
from remit.vocabulary import ArtifactType
from tests.support.keys import new_keys
from tests.unit.audit.chains import NOON, linked

KEYS = new_keys()
STRANGERS = new_keys()
"""Keys that nobody trusts."""

POLICY = PolicyConfig.model_validate(
    {
        "version": "1",
        "budget_ceiling": "$100.00",
        "budget_limits": [{"name": "daily", "ceiling": "$100.00", "period": "day"}],
        "allowed_tools": ["echo"],
        "allowed_scopes": ["staging", "test"],
        "approval": {
            "required_approvals": 2,
            "rejection_ends": False,
            "rules": [{"name": "staging", "scope": "staging"}],
        },
    }
)
DIRECTIVE = UUID(int=1)
REQUEST, GRANT, RUN = UUID(int=2), UUID(int=3), UUID(int=4)
AMOUNT = Decimal("12.50")


def at(minutes: int) -> datetime:
    """Return a moment some minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def directive(status: str, reason: str | None = None, **changes: Any) -> DirectiveRead:
    """Return a directive with a budget, frozen as it is."""
    fields: dict[str, Any] = {
        "role": "operations",
        "type": "echo",
        "payload": {"say": "hello", "n": 0.5},
        "issued_by": "agent-1",
        "objective": "Say hello.",
        "scope": "staging",
        "budget": "$12.50",
        "id": DIRECTIVE,
        "status": status,
        "status_reason": reason,
        "action_digest": None,
        "idempotency_key": "k",
        "created_at": NOON,
        "updated_at": at(9),
    }
    found = DirectiveRead.model_validate(fields | changes)
    return found.model_copy(update={"action_digest": action_digest(intent_of(found))})


def artifact(number: int, kind: ArtifactType, metadata: Any, run: UUID | None = None) -> Artifact:
    """Return an artifact that gives its digest."""
    content = canonical_json(metadata)
    key = UUID(int=100 + number)
    return Artifact(
        id=key,
        type=kind,
        uri=artifact_uri(key),
        directive_id=DIRECTIVE,
        run_id=run,
        metadata=metadata,
        digest=sha256_digest(content),
        size_bytes=len(content),
        created_at=at(number),
    )


def evaluation(found: DirectiveRead, **changes: Any) -> Artifact:
    """Return the decision of the gate about a directive."""
    content = intent_of(found)
    committed = {"daily": "50.00"}
    decision = decide(PolicyInput(content, action_digest(content), committed), POLICY)
    return artifact(
        1,
        "policy_evaluation",
        {
            "intent": content,
            "action_digest": action_digest(content),
            "committed": committed,
            "policy": POLICY.canonical(),
            "policy_digest": decision.policy_digest,
            "verdict": decision.verdict.value,
            "results": [
                {"policy": one.policy, "verdict": one.verdict.value, "reason": one.reason}
                for one in decision.results
            ],
        }
        | changes,
    )


def events(*said: tuple[str, dict[str, Any]], actor: str = "remit") -> tuple[Event, ...]:
    """Return a chain; the first event is the issuer's, and a vote's data names its voter."""
    found = []
    for minute, (kind, data) in enumerate(said):
        who = data.pop("voter", "agent-1" if minute == 0 else actor)
        text = canonical_json(data).decode()
        found.append(Event(DIRECTIVE, 0, kind, who, at(minute), text, "", ""))
    return tuple(linked(found))


def evaluated(decision: Artifact) -> tuple[str, dict[str, Any]]:
    """Return the event of a decision."""
    data: dict[str, Any] = {name: decision.metadata[name] for name in ("verdict", "policy_digest")}
    return "policy.evaluated", {**data, "policy_version": "1", "artifact": decision.uri}


def naming(*made: Artifact) -> dict[str, Any]:
    """Return what the last event of a step says of the artifacts that it left."""
    return {"evidence": {one.uri: one.digest for one in made}}


def opening(found: DirectiveRead) -> tuple[str, dict[str, Any]]:
    """Return the event of a directive that is proposed."""
    return "directive.proposed", {"action_digest": found.action_digest}


def request(found: DirectiveRead, **changes: Any) -> ApprovalRequest:
    """Return what people are asked about a directive."""
    terms = approval_terms(PolicyInput(intent_of(found), str(found.action_digest)), POLICY)
    fields: dict[str, Any] = {
        "id": REQUEST,
        "directive_id": DIRECTIVE,
        "action_digest": found.action_digest,
        "policy_version": "1",
        "policy_digest": POLICY.digest,
        "status": "pending",
        "required_approvals": terms.required_approvals,
        "allow_self_approval": terms.allow_self_approval,
        "rejection_ends": terms.rejection_ends,
        "approver_groups": terms.approver_groups,
        "rules": ('staging: scope is "staging"',),
        "requested_at": at(1),
        "expires_at": at(1) + POLICY.approval.expires_after,
        "resolved_at": None,
    }
    return ApprovalRequest(**(fields | changes))


def vote(asked: ApprovalRequest, voter: str, minutes: int, reason: str | None = None) -> Vote:
    """Return a signed vote: with a reason against, without one for it."""
    decision = "reject" if reason else "approve"
    new = Vote(voter, decision, reason, asked.action_digest, at(minutes))  # type: ignore[arg-type]
    return sign_vote(new, asked, KEYS)


def voted(one: Vote) -> tuple[str, dict[str, Any]]:
    """Return the event of a vote."""
    return "approval.voted", {"voter": one.voter, "decision": one.decision, "reason": one.reason}


def grant(found: DirectiveRead, **changes: Any) -> Grant:
    """Return a signed grant by policy alone."""
    fields: dict[str, Any] = {
        "id": GRANT,
        "directive_id": DIRECTIVE,
        "request_id": None,
        "action_digest": found.action_digest,
        "policy_version": "1",
        "policy_digest": POLICY.digest,
        "module": "echo",
        "module_version": "1",
        "module_digest": "sha256:m",
        "required_approvals": 0,
        "votes": (),
        "budget": AMOUNT,
        "issued_at": at(5),
        "expires_at": at(65),
    }
    return sign_grant(Grant(**(fields | changes)), KEYS)


def entry(kind: Any, minutes: int, **changes: Any) -> BudgetEntry:
    """Return an entry of the ledger on the account of the policy's limit."""
    ceiling = Decimal("100.00") if kind == "reserve" else None
    new = BudgetEntry("daily", NOON, GRANT, kind, AMOUNT, ceiling, at(minutes))
    return replace(new, **changes)


OUTPUT = ModuleOutput.success({"said": "hello", "n": 0.5})


def run(found: Grant, **changes: Any) -> ExecutionRunRead:
    """Return the run that a grant was used for, complete."""
    fields: dict[str, Any] = {
        "id": RUN,
        "directive_id": DIRECTIVE,
        "grant_id": GRANT,
        "module": found.module,
        "module_version": found.module_version,
        "idempotency_key": f"{DIRECTIVE}:{GRANT}",
        "status": "completed",
        "attempts": 1,
        "result": output_to_json(OUTPUT),
        "error_type": None,
        "error_message": None,
        "created_at": at(6),
        "started_at": at(6),
        "ended_at": at(7),
    }
    return ExecutionRunRead.model_validate(fields | changes)


def started(found: Grant, ran: ExecutionRunRead) -> dict[str, Any]:
    """Return what the artifact of a run's beginning says."""
    return {
        "run": str(ran.id),
        "grant": str(ran.grant_id),
        "action_digest": found.action_digest,
        "policy_digest": found.policy_digest,
        "approved_by": [*found.votes],
        "module": ran.module,
        "module_version": ran.module_version,
        "module_digest": found.module_digest,
        "idempotency_key": ran.idempotency_key,
    }


def of_run(found: Grant, ran: ExecutionRunRead) -> tuple[Artifact, ...]:
    """Return the artifacts of a complete run."""
    start = started(found, ran)
    left = artifact(3, "module_output", {"text": "hello"}, ran.id)
    given = {"run": str(ran.id), "attempt": 1, "output": ran.result}
    end = {"run": str(ran.id), "status": ran.status, "artifacts": [left.uri]}
    return (
        artifact(2, "execution_start", start, ran.id),
        left,
        artifact(4, "execution_checkpoint", given, ran.id),
        artifact(5, "execution_end", end, ran.id),
    )
