"""What a decision of the gate leaves behind: evidence, a request or a grant, events, a status.

`remit.operations.gate` decides and calls :func:`record_cases` inside its transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import TypeAdapter

from remit.approval.repository import NewGrant, NewRequest, issue_grants, open_requests
from remit.artifacts.repository import (
    NewArtifact,
    latest_artifact,
    new_artifact,
)
from remit.audit.repository import Entry, evidence
from remit.db.together import write_together
from remit.directives.digest import action_digest
from remit.directives.lifecycle import DirectiveStatus
from remit.directives.models import Intent, StatusReason, intent_of
from remit.directives.mutator import Move, moves
from remit.json_types import JsonObject
from remit.policy.budget import parse_budget
from remit.policy.config import PolicyConfig
from remit.policy.engine import decide
from remit.policy.types import (
    PolicyDecision,
    PolicyInput,
    PolicyResult,
    PolicyVerdict,
    combine,
)

_AFTER: Mapping[PolicyVerdict, DirectiveStatus] = {
    PolicyVerdict.ALLOW: "approved",
    PolicyVerdict.REQUIRE_APPROVAL: "proposed",
    PolicyVerdict.BLOCK: "blocked",
}


_CHANGED = PolicyResult(
    PolicyVerdict.BLOCK,
    "frozen_content",
    "the content was changed after it was frozen; propose a new directive",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One directive before the gate: all decided, nothing written."""

    directive_id: UUID
    intent: Intent
    digest: str
    opening: Entry
    decision: PolicyDecision
    evaluation: NewArtifact

    @property
    def status(self) -> DirectiveStatus:
        """Where the decision leaves the directive."""
        return _AFTER[self.decision.verdict]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the gate last found about a directive, as the evidence has it.

    Attributes:
        policy_version: version of the policy it used.
        blocks: every reason to block; empty when there was none.
        artifact_uri: the stored evaluation.
    """

    policy_version: str
    blocks: tuple[str, ...]
    artifact_uri: str


@dataclass(frozen=True)
class _StoredEvaluation:
    """The parts of a `policy_evaluation` artifact that are read back."""

    policy: PolicyConfig
    results: list[PolicyResult]


_STORED = TypeAdapter(_StoredEvaluation)


def last_evaluation(connection: sa.Connection, directive_id: UUID) -> Evaluation | None:
    """Return what the gate last found about a directive; None when it has not looked yet."""
    artifact = latest_artifact(connection, directive_id, "policy_evaluation")
    if artifact is None:
        return None
    found = _STORED.validate_python(artifact.metadata)
    blocks = [each.reason for each in found.results if each.verdict is PolicyVerdict.BLOCK]
    return Evaluation(found.policy.version, tuple(blocks), artifact.uri)


def decide_case(
    directive_id: UUID,
    intent: Intent,
    opening: Entry,
    policy: PolicyConfig,
    *,
    frozen_as: str | None = None,
) -> Case:
    """Decide about one intent and prepare the evidence of the decision.

    Args:
        directive_id: the directive.
        intent: its content, as it is now.
        opening: the event that brings it to the gate.
        policy: the policy in force.
        frozen_as: the digest it was frozen with; None when it freezes now. Content that no longer
            has that digest was changed behind Remit's back, and is blocked whatever it says.
    """
    content = intent_of(intent)
    digest = action_digest(content)
    decision = decide(PolicyInput(content, digest), policy)
    if frozen_as not in {None, digest}:
        results = (*decision.results, _CHANGED)
        decision = replace(decision, verdict=combine(results), results=results)
    evaluation = _evaluation(directive_id, content, digest, policy, decision)
    return Case(directive_id, intent, digest, opening, decision, evaluation)


def _evaluation(
    directive_id: UUID,
    content: JsonObject,
    digest: str,
    policy: PolicyConfig,
    decision: PolicyDecision,
) -> NewArtifact:
    """Return a decision as evidence, with its whole input, so that it can be made again."""
    return new_artifact(
        "policy_evaluation",
        {
            "intent": content,
            "action_digest": digest,
            "policy": policy.canonical(),
            "policy_digest": decision.policy_digest,
            "verdict": decision.verdict.value,
            "results": [
                {"policy": r.policy, "verdict": r.verdict.value, "reason": r.reason}
                for r in decision.results
            ],
        },
        directive_id=directive_id,
    )


def record_cases(connection: sa.Connection, cases: Sequence[Case], policy: PolicyConfig) -> None:
    """Write what the gate decided: evidence, requests, grants, events, then the statuses."""
    entries = [entry for case in cases for entry in _entries(case)]
    write_together(
        connection,
        [
            open_requests([_request(c, policy) for c in cases if c.status == "proposed"]),
            issue_grants([_grant(c, policy) for c in cases if c.status == "approved"]),
            moves([_move(c) for c in cases if c.status != "proposed"]),
            *evidence(entries, [case.evaluation for case in cases]),
        ],
    )


def _move(case: Case) -> Move:
    reason: StatusReason | None = "policy" if case.status == "blocked" else None
    return Move(case.directive_id, "proposed", case.status, reason)


def _request(case: Case, policy: PolicyConfig) -> NewRequest:
    approval = policy.approval
    return NewRequest(
        id=uuid4(),
        directive_id=case.directive_id,
        action_digest=case.digest,
        policy_version=case.decision.policy_version,
        policy_digest=case.decision.policy_digest,
        required_approvals=approval.required_approvals,
        allow_self_approval=approval.allow_self_approval,
        approver_groups=approval.approver_groups,
        rules=case.decision.approval_reasons,
        valid_for=approval.expires_after,
    )


def _grant(case: Case, policy: PolicyConfig) -> NewGrant:
    budget = case.intent.budget
    return NewGrant(
        id=uuid4(),
        directive_id=case.directive_id,
        request_id=None,
        action_digest=case.digest,
        policy_version=case.decision.policy_version,
        policy_digest=case.decision.policy_digest,
        module=case.intent.type,
        votes=(),
        budget=None if budget is None else parse_budget(budget),
        valid_for=policy.grant_valid_for,
    )


def _entries(case: Case) -> list[Entry]:
    """Return what the log says of one case, in order."""
    decision, about = case.decision, case.directive_id
    evaluated = Entry(
        about,
        "policy.evaluated",
        data={
            "verdict": decision.verdict.value,
            "policy_version": decision.policy_version,
            "policy_digest": decision.policy_digest,
            "artifact": case.evaluation.uri,
        },
    )
    if case.status == "blocked":
        data: JsonObject = {"reason": "policy", "because": list(decision.block_reasons)}
        return [case.opening, evaluated, Entry(about, "directive.blocked", data=data)]
    if case.status == "proposed":
        data = {"because": list(decision.approval_reasons)}
        return [case.opening, evaluated, Entry(about, "approval.requested", data=data)]
    granted = Entry(about, "grant.issued", data={"by": "policy"})
    return [case.opening, evaluated, granted, Entry(about, "directive.approved")]
