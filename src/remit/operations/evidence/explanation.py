"""What a directive still needs, who could give it, and what would fail. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import latest_grant, latest_request
from remit.approval.rules import approvers
from remit.approval.types import ApprovalRequest
from remit.budget.ledger import read_accounts
from remit.db.session import snapshot, wall_clock
from remit.directives.models import DirectiveRead, intent_of
from remit.directives.repository import get_directive
from remit.errors import PolicyUnconfirmedError
from remit.execution.grants import void_reason
from remit.execution.module_repository import Announced
from remit.identity.repository import list_principals
from remit.identity.token_repository import list_tokens
from remit.operations.gate.authority import Authority
from remit.operations.gate.ballots import objection_to, read_answers
from remit.operations.gate.decisions import gate_findings
from remit.operations.gate.policies import confirmed_in
from remit.operations.gate.routing import announced_module, route
from remit.operations.gate.spending import Spending, limits_on
from remit.policy.engine import decide
from remit.policy.types import PolicyInput


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person, why they may not vote (None: they may), and whether they approved already."""

    name: str
    objection: str | None
    voted: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an open request still waits for.

    Attributes:
        rules: the rules that ask, each with its reason.
        groups: whose members may vote; empty: every voter.
        candidates: every person who is known, those who may vote first.
    """

    rules: tuple[str, ...]
    required: int
    approved_by: tuple[str, ...]
    groups: tuple[str, ...]
    missing: int
    candidates: tuple[Candidate, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a directive stands, and why.

    Attributes:
        because: why it was blocked, as the gate found it; empty when it was not the gate.
        obstacles: what would fail if it were approved or started now; empty when nothing would.
        module_version: version of the module that it is granted for, or would be if it were now;
            empty, with `module_digest`, when no worker has announced one, or it has come to its
            end.
    """

    directive: DirectiveRead
    waiting: Waiting | None
    because: tuple[str, ...]
    obstacles: tuple[str, ...]
    module_version: str = ""
    module_digest: str = ""


def explain(engine: sa.Engine, directive_id: UUID, authority: Authority) -> Explanation:
    """Return where a directive stands and what is missing.

    Raises:
        NotFoundError: there is no such directive.
    """
    with snapshot(engine) as connection:
        directive = get_directive(connection, directive_id)
        request = latest_request(connection, directive_id)
        pending = request if request is not None and request.status == "pending" else None
        evaluation = gate_findings(connection, directive_id)
        blocked = directive.status_reason == "policy"
        version, digest = _version(connection, directive, authority)
        return Explanation(
            directive=directive,
            waiting=_waiting(connection, directive, pending, authority) if pending else None,
            because=evaluation.blocks if evaluation and blocked else (),
            obstacles=tuple(_obstacles(connection, directive, pending, authority)),
            module_version=version,
            module_digest=digest,
        )


def version_to_come(engine: sa.Engine, name: str, authority: Authority) -> tuple[str, str]:
    """Return version and digest of the module that a grant would be for now; empty when unknown."""
    with snapshot(engine) as connection:
        found = announced_module(connection, name, authority)
    return found.version, found.digest


def _version(
    connection: sa.Connection, directive: DirectiveRead, authority: Authority
) -> tuple[str, str]:
    if directive.status in {"approved", "executing"}:
        grant = latest_grant(connection, directive.id)
        return ("", "") if grant is None else (grant.module_version, grant.module_digest)
    if directive.status != "proposed":
        return "", ""
    found = announced_module(connection, directive.type, authority)
    return found.version, found.digest


def _waiting(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest,
    authority: Authority,
) -> Waiting:
    answers = read_answers(connection, directive, request, authority)
    tokens = {one.id: one for one in list_tokens(connection)}
    now = wall_clock(connection)
    given = approvers(answers.counted)
    people = [
        Candidate(
            one.principal.name,
            objection_to(one, answers, tokens, authority, now=now),
            one.principal.name in given,
        )
        for one in list_principals(connection)
        if one.disabled_at is None and one.principal.kind == "human"
    ]
    return Waiting(
        rules=request.rules,
        required=request.required_approvals,
        approved_by=tuple(given),
        groups=request.approver_groups,
        missing=max(request.required_approvals - len(given), 0),
        candidates=tuple(sorted(people, key=lambda one: (one.objection is not None, one.name))),
        expires_at=request.expires_at,
    )


def _obstacles(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest | None,
    authority: Authority,
) -> list[str]:
    """Return what would fail if nothing changed; a directive that has ended has no obstacles."""
    if directive.status not in {"proposed", "approved", "blocked"}:
        return []
    found = []
    try:
        confirmed_in(connection, authority.policy, authority.keys)
    except PolicyUnconfirmedError as error:
        found.append(error.message)
    if directive.action_digest != directive.content_digest:
        found.append("action_changed: its content was changed after it was frozen; propose it anew")
    announced = announced_module(connection, directive.type, authority)
    # Of what has not passed the gate, the gate says so, once it knows what there is.
    if not announced.digest and (directive.status == "approved" or not announced.names):
        found.append(f"module_not_found: no worker has announced the module {directive.type}")
    found += _at_the_gate(connection, directive, request, authority, announced)
    if directive.status == "approved":
        found += _of_the_grant(connection, directive, announced, authority)
    return found


def _at_the_gate(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest | None,
    authority: Authority,
    announced: Announced,
) -> list[str]:
    """Return what the policy in force would say to it."""
    policy, content = authority.policy, intent_of(directive)
    found = []
    if request is not None and request.policy_digest != policy.digest:
        now = (
            "another one of that version"
            if request.policy_version == policy.version
            else policy.version
        )
        found.append(
            f"policy_changed: policy {request.policy_version} asked, and {now} is in force now, "
            "under which an approval is void; retry it, or all by `remit retry --voided`"
        )
    if request is not None and wall_clock(connection) >= request.expires_at:
        found.append("expired: its time to be approved is over; retry it")
    limits = limits_on(directive, policy)
    spending = Spending(policy, read_accounts(connection, limits))
    committed = spending.seen(directive)
    seen = PolicyInput(content, directive.content_digest, committed, announced.names)
    if directive.status != "approved":
        found += [f"policy: {reason}" for reason in decide(seen, policy).block_reasons]
    if request is not None:
        left = spending.obstacles(directive, agreed=request.rules)
        found += [f"budget_exhausted: {reason}" for reason in left]
    return found


def _of_the_grant(
    connection: sa.Connection,
    directive: DirectiveRead,
    announced: Announced,
    authority: Authority,
) -> Sequence[str]:
    grant = latest_grant(connection, directive.id)
    if grant is not None and not grant.module_digest:
        # It was issued before any worker had announced anything: the gate decides anew.
        return []
    void_for = partial(
        void_reason,
        grant,
        directive,
        keys=authority.keys,
        policy_digest=authority.policy.digest,
        now=wall_clock(connection),
    )
    void = void_for(module_digest=announced.digest)
    if grant and void == "action_changed" and not void_for(module_digest=grant.module_digest):
        elsewhere = route(connection, grant, authority)
        if elsewhere is not None and elsewhere.worker_id is None:
            version = f"version {grant.module_version} of {grant.module}"
            return [f"no worker that lives has {version}, which was granted: it waits for one"]
        void = None if elsewhere is not None else void
    return [] if void is None else [f"{void}: its grant does not hold; it will be blocked"]
