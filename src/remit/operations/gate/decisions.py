"""The gate: decides about directives, and records what each decision leaves behind."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from remit.approval.repository import issue_grants, open_requests
from remit.approval.types import ApprovalRequest, Grant
from remit.artifacts.repository import NewArtifact, latest_artifact, new_artifact
from remit.audit.repository import NewEvent, event_batch
from remit.base.json_types import JsonObject
from remit.budget.ledger import reserve
from remit.db.batch import execute_batch
from remit.directives.models import Intent, intent_of
from remit.directives.mutator import moves
from remit.errors import UnreadableError
from remit.operations.gate.authority import Authority
from remit.operations.gate.grants import issued_entry, make_grant
from remit.operations.gate.spending import lock_spending
from remit.operations.metrics import count_policy_results, count_reserved
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide
from remit.policy.types import CHANGED_CONTENT, PolicyDecision, PolicyInput, PolicyResult, combine
from remit.telemetry.metrics import record_policy_evaluation
from remit.telemetry.tracing import directive_span
from remit.vocabulary import DirectiveStatus, PolicyVerdict, StatusReason

STATUS_AFTER: Mapping[PolicyVerdict, tuple[DirectiveStatus, StatusReason | None]] = {
    PolicyVerdict.ALLOW: ("approved", None),
    PolicyVerdict.REQUIRE_APPROVAL: ("proposed", None),
    PolicyVerdict.BLOCK: ("blocked", "policy"),
}
"""Where each verdict leaves a directive, and why."""


@dataclass(frozen=True, slots=True)
class GateFindings:
    """What the gate last found about a directive, as its `policy_evaluation` has it.

    `blocks` is every reason to block it.
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


def gate_findings(connection: sa.Connection, directive_id: UUID) -> GateFindings | None:
    """Return what the gate last found about a directive; None when it has not looked yet."""
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
    return GateFindings(found.policy.version, tuple(blocks), artifact.uri)


def pass_gate(
    connection: sa.Connection,
    intents: Mapping[UUID, Intent],
    authority: Authority,
    *,
    opened: Mapping[UUID, NewEvent],
    modules: Mapping[UUID, tuple[str, str]],
    announced: Sequence[str],
    now: datetime,
    frozen_as: str | None = None,
    heard: JsonObject | None = None,
) -> dict[UUID, tuple[PolicyDecision, NewArtifact]]:
    """Decide about proposed directives in turn, write all that follows, and return the decisions.

    For each directive `opened` has the event that brought it here, and `modules` version and digest
    of its module; `announced` names all modules. `frozen_as` is the digest that the content froze
    with, None when it freezes now; `heard` is what people had answered before.
    """
    policy = authority.policy
    spending = lock_spending(connection, policy, intents.values())
    decided: dict[UUID, tuple[PolicyDecision, NewArtifact]] = {}
    grants: dict[UUID, Grant] = {}
    reserved: dict[UUID, list[JsonObject]] = {}
    for id_, intent in intents.items():
        committed = spending.seen(intent)
        seen = PolicyInput(intent_of(intent), intent.content_digest, committed, tuple(announced))
        decided[id_] = _evaluate(id_, seen, policy, frozen_as)
        if decided[id_][0].verdict is PolicyVerdict.ALLOW:
            grant = make_grant(id_, intent, authority, module=modules[id_], now=now, heard=heard)
            grants[id_], reserved[id_] = grant, spending.take(intent, grant)
    waiting = [
        _request(id_, intents[id_], decision, policy, now)
        for id_, (decision, _) in decided.items()
        if decision.verdict is PolicyVerdict.REQUIRE_APPROVAL
    ]
    _record(connection, opened, decided, grants=grants, reserved=reserved, waiting=waiting)
    return decided


def _evaluate(
    directive_id: UUID, seen: PolicyInput, policy: PolicyConfig, frozen_as: str | None
) -> tuple[PolicyDecision, NewArtifact]:
    """Return the decision, and as evidence the same with its whole input, to be made again."""
    began = time.perf_counter()
    with directive_span(directive_id, "policy.evaluate", policy_version=policy.version) as span:
        decision = decide(seen, policy)
        if frozen_as not in {None, seen.action_digest}:
            # Changed behind Remit's back: blocked, whatever it says.
            results = (*decision.results, CHANGED_CONTENT)
            decision = replace(decision, verdict=combine(results), results=results)
        span.set(verdict=decision.verdict.value)
    record_policy_evaluation(decision.verdict, time.perf_counter() - began)
    count_policy_results(decision.results)
    evaluation: JsonObject = {
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
    }
    return decision, new_artifact("policy_evaluation", evaluation, directive_id=directive_id)


def _request(
    directive_id: UUID,
    intent: Intent,
    decision: PolicyDecision,
    policy: PolicyConfig,
    now: datetime,
) -> ApprovalRequest:
    digest = intent.content_digest
    return ApprovalRequest(
        id=uuid4(),
        directive_id=directive_id,
        action_digest=digest,
        policy_version=decision.policy_version,
        policy_digest=decision.policy_digest,
        status="pending",
        **asdict(approval_terms(PolicyInput(intent_of(intent), digest), policy)),
        rules=decision.approval_reasons,
        requested_at=now,
        expires_at=now + policy.approval.expires_after,
        resolved_at=None,
    )


def _record(
    connection: sa.Connection,
    opened: Mapping[UUID, NewEvent],
    decided: Mapping[UUID, tuple[PolicyDecision, NewArtifact]],
    *,
    grants: Mapping[UUID, Grant],
    reserved: Mapping[UUID, Sequence[JsonObject]],
    waiting: Sequence[ApprovalRequest],
) -> None:
    """Write evidence, requests, grants, reservations, events and statuses as one statement."""
    entries = []
    for id_, (decision, evaluation) in decided.items():
        entries += [opened[id_], _evaluated(id_, decision, evaluation)]
        if id_ in grants:
            granted = issued_entry(grants[id_], reserved[id_])
            entries += [granted, NewEvent(id_, "directive.approved")]
            count_reserved(grants[id_], reserved[id_])
        elif decision.verdict is PolicyVerdict.REQUIRE_APPROVAL:
            because: JsonObject = {"because": list(decision.approval_reasons)}
            entries.append(NewEvent(id_, "approval.requested", data=because))
        else:
            because = {"reason": "policy", "because": list(decision.block_reasons)}
            entries.append(NewEvent(id_, "directive.blocked", data=because))
    moved = {id_: STATUS_AFTER[decision.verdict] for id_, (decision, _) in decided.items()}
    execute_batch(
        connection,
        [
            open_requests(waiting),
            issue_grants(list(grants.values())),
            reserve([row for rows in reserved.values() for row in rows]),
            moves({i: to for i, to in moved.items() if to[0] != "proposed"}, current="proposed"),
            *event_batch(entries, [evaluation for _, evaluation in decided.values()]),
        ],
    )


def _evaluated(directive_id: UUID, decision: PolicyDecision, evaluation: NewArtifact) -> NewEvent:
    data: JsonObject = {
        "verdict": decision.verdict.value,
        "policy_version": decision.policy_version,
        "policy_digest": decision.policy_digest,
        "artifact": evaluation.uri,
    }
    return NewEvent(directive_id, "policy.evaluated", data=data)
