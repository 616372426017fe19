"""What a decision of the gate leaves behind: evidence, a request or a grant, events, a status.

`remit.operations.gate.proposals` decides and calls :func:`record_cases` inside its transaction.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from remit.approval.repository import NewRequest, issue_grants, open_requests
from remit.artifacts.repository import (
    NewArtifact,
    latest_artifact,
    new_artifact,
)
from remit.audit.repository import Entry, evidence
from remit.base.json_types import JsonObject
from remit.budget.ledger import reserve
from remit.budget.types import Reservation
from remit.db.batch import execute_batch
from remit.directives.digest import action_digest
from remit.directives.models import Intent, intent_of
from remit.directives.mutator import Move, moves
from remit.errors import UnreadableError
from remit.operations.gate.authority import Authority
from remit.operations.gate.grants import Action, Footing, make_grant, reserved_data
from remit.operations.gate.spending import Spending
from remit.operations.gate.telling import tell_reserved, tell_results
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide
from remit.policy.types import CHANGED_CONTENT, PolicyDecision, PolicyInput, PolicyResult, combine
from remit.telemetry.metrics import record_policy_evaluation
from remit.telemetry.tracing import directive_span
from remit.vocabulary import DirectiveStatus, PolicyVerdict, StatusReason

_AFTER: Mapping[PolicyVerdict, DirectiveStatus] = {
    PolicyVerdict.ALLOW: "approved",
    PolicyVerdict.REQUIRE_APPROVAL: "proposed",
    PolicyVerdict.BLOCK: "blocked",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One directive before the gate: all decided, nothing written."""

    directive_id: UUID
    intent: Intent
    digest: str
    opening: Entry
    decision: PolicyDecision
    evaluation: NewArtifact
    grant_id: UUID
    reserved: Sequence[Reservation]

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
    """Return what the gate last found about a directive; None when it has not looked yet.

    Raises:
        UnreadableError: somebody changed what it left.
    """
    artifact = latest_artifact(connection, directive_id, "policy_evaluation")
    if artifact is None:
        return None
    try:
        found = _STORED.validate_python(artifact.metadata)
    except ValidationError as error:
        raise UnreadableError(
            f"the evaluation {artifact.uri} holds what Remit never writes; `remit audit verify` "
            "says whether it was tampered with"
        ) from error
    blocks = [each.reason for each in found.results if each.verdict is PolicyVerdict.BLOCK]
    return Evaluation(found.policy.version, tuple(blocks), artifact.uri)


def decide_case(
    intent: Intent,
    opening: Entry,
    policy: PolicyConfig,
    *,
    frozen_as: str | None = None,
    spending: Spending,
    announced: Sequence[str],
) -> Case:
    """Decide about one intent and prepare the evidence of the decision.

    Args:
        intent: the directive's content, as it is now.
        opening: the event that brings the directive to the gate.
        policy: the policy in force.
        spending: what its limits have left; the directive's share is taken from it.
        frozen_as: the digest it was frozen with; None when it freezes now. Content that no longer
            has that digest was changed behind Remit's back, and is blocked whatever it says.
        announced: the names of the modules that stand announced.
    """
    content, directive_id = intent_of(intent), opening.directive_id
    digest = action_digest(content)
    seen = PolicyInput(content, digest, spending.seen(content), tuple(announced))
    began = time.perf_counter()
    with directive_span(directive_id, "policy.evaluate", policy_version=policy.version) as span:
        decision = decide(seen, policy)
        if frozen_as not in {None, digest}:
            results = (*decision.results, CHANGED_CONTENT)
            decision = replace(decision, verdict=combine(results), results=results)
        span.set(verdict=decision.verdict.value)
    record_policy_evaluation(decision.verdict.value, time.perf_counter() - began)
    tell_results(decision.results)
    evaluation = _evaluation(directive_id, seen, policy, decision)
    grant_id = uuid4()
    allowed = decision.verdict is PolicyVerdict.ALLOW
    reserved = spending.take(content, directive_id, grant_id) if allowed else []
    tell_reserved(reserved)
    return Case(directive_id, intent, digest, opening, decision, evaluation, grant_id, reserved)


def _evaluation(
    directive_id: UUID,
    seen: PolicyInput,
    policy: PolicyConfig,
    decision: PolicyDecision,
) -> NewArtifact:
    """Return a decision as evidence, with its whole input, so that it can be made again."""
    return new_artifact(
        "policy_evaluation",
        {
            "intent": {**seen.intent},
            "action_digest": seen.action_digest,
            "committed": {**seen.committed},
            "announced": [*(seen.announced or ())],
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


def record_cases(
    connection: sa.Connection,
    cases: Sequence[Case],
    authority: Authority,
    footings: Mapping[UUID, Footing],
) -> None:
    """Write what the gate decided: evidence, requests, grants, events, then the statuses.

    Args:
        connection: the operation's transaction.
        cases: what was decided.
        authority: what it was decided with.
        footings: for each directive what the database says.

    Raises:
        MisconfiguredError: a grant is due, and there is no key to sign it with.
    """
    entries = [entry for case in cases for entry in _entries(case)]
    grants = [
        make_grant(
            Action(c.grant_id, c.directive_id, c.intent, c.digest),
            authority,
            footings[c.directive_id],
        )
        for c in cases
        if c.status == "approved"
    ]
    waiting = [_request(c, authority.policy) for c in cases if c.status == "proposed"]
    execute_batch(
        connection,
        [
            open_requests(waiting),
            issue_grants(grants),
            reserve([one for case in cases for one in case.reserved]),
            moves([_move(c) for c in cases if c.status != "proposed"]),
            *evidence(entries, [case.evaluation for case in cases]),
        ],
    )


def _move(case: Case) -> Move:
    reason: StatusReason | None = "policy" if case.status == "blocked" else None
    return Move(case.directive_id, "proposed", case.status, reason)


def _request(case: Case, policy: PolicyConfig) -> NewRequest:
    terms = approval_terms(intent_of(case.intent), policy)
    return NewRequest(
        id=uuid4(),
        directive_id=case.directive_id,
        action_digest=case.digest,
        policy_version=case.decision.policy_version,
        policy_digest=case.decision.policy_digest,
        required_approvals=terms.required_approvals,
        allow_self_approval=terms.allow_self_approval,
        rejection_ends=terms.rejection_ends,
        approver_groups=terms.approver_groups,
        rules=case.decision.approval_reasons,
        valid_for=policy.approval.expires_after,
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
    granted = Entry(about, "grant.issued", data={"by": "policy", **reserved_data(case.reserved)})
    return [case.opening, evaluated, granted, Entry(about, "directive.approved")]
