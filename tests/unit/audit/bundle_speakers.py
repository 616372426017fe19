"""Everybody who signs what a bundle holds, for evidence whose rows were made without a database.

:func:`signed_by_all` takes rows and lets each speaker sign what they would have said of them. So a
test changes rows before, as what truly happened, or after, as what somebody edited.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from remit.approval.answers import Answered, heard, previous_of
from remit.approval.independence import standing_of
from remit.approval.statements import (
    GRANT,
    VOTE,
    grant_statement,
    sign_grant,
    sign_vote,
    vote_statement,
)
from remit.approval.types import Grant, Vote
from remit.artifacts.statements import FILING
from remit.artifacts.types import artifact_uri
from remit.audit.bundle.facts import kept_token, principal_row
from remit.audit.bundle.types import Asked, Bundle, Person, Statement, Token
from remit.audit.chain import Event
from remit.audit.run_ends import Attempt, Worker
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.budget.costs import attempt_cost
from remit.directives.statements import intent_statement, sign_intent
from remit.execution.models import ExecutionRunRead
from remit.execution.statements import (
    ATTEMPT_END,
    RECONCILIATION,
    RUN_END,
    attempt_end_statement,
    reconciliation_statement,
    run_end_statement,
)
from remit.execution.workers import WORKER, certificate, new_worker
from remit.identity.statements import sign_principal, sign_token
from remit.identity.types import Principal, TokenRow
from remit.signing.dsse import envelope_to_json
from remit.signing.statements import Kind, canonical, sign_statement
from remit.vocabulary import AttemptOutcome, PrincipalKind
from tests.unit.audit.bundle_parts import KEYS
from tests.unit.audit.chains import NOON, linked

LONG_AGO = NOON - timedelta(days=30)
EXECUTING = new_worker(KEYS)
"""The worker that makes every attempt."""

LEFT = ("module_output", "execution_checkpoint", "execution_end")
AGENTS = {"agent-1": "human-1"}
"""The agents, and for whom they act; everybody else is a person."""


def person(name: str) -> Person:
    """Return a principal as the installation signed them."""
    kind: PrincipalKind = "agent" if name in AGENTS else "human"
    made = Person(name, kind, (), ("release",), AGENTS.get(name), "remit", LONG_AGO, None, 1, None)
    row = principal_row(made)
    return replace(made, envelope=sign_principal(row.principal, 1, KEYS, created_by="remit"))


def token(name: str, made_by: str = "remit", made_with: UUID | None = None) -> Token:
    """Return a token as the installation signed it."""
    ends = datetime(2999, 1, 1, tzinfo=UTC)
    key = uuid5(NAMESPACE_OID, name)
    made = Token(
        id=key,
        principal=name,
        hash="0" * 64,
        scopes=(),
        created_by=made_by,
        created_at=LONG_AGO,
        expires_at=ends,
        revoked_at=None,
        created_with=made_with,
        redeemed=False,
        revoked_since=None,
        envelope=None,
        revocation=None,
    )
    return replace(made, envelope=sign_token(kept_token(made), KEYS))


def token_rows(evidence: Bundle) -> dict[UUID, TokenRow]:
    """Return the tokens of a bundle as identity knows them."""
    return {one.id: kept_token(one).row for one in evidence.tokens}


def certified() -> Worker:
    """Return the worker with its certificate."""
    modules: JsonObject = {"echo": "sha256:m"}
    said = certificate(EXECUTING.id, EXECUTING.kid, EXECUTING.public_key, modules)
    envelope = sign_statement(WORKER, said, KEYS)
    return Worker(EXECUTING.id, EXECUTING.kid, EXECUTING.public_key, modules, envelope, LONG_AGO)


def signed_by_all(rows: Bundle) -> Bundle:
    """Return evidence in which everybody has signed what its rows say."""
    names = {rows.directive.issued_by, *(vote.voter for a in rows.requests for vote in a.votes)}
    names |= {str(a.metadata["filed_by"]) for a in rows.artifacts if a.type == "attachment"}
    behind = {AGENTS[name] for name in names if name in AGENTS}
    known = replace(
        rows,
        people=rows.people or tuple(map(person, sorted(names | behind))),
        tokens=rows.tokens or tuple(sorted(map(token, names), key=lambda one: one.id)),
    )
    asked = tuple(_answered(one, known) for one in known.requests)
    told = replace(known, requests=asked, issued=_issued(known))
    told = replace(told, grants=tuple(_granted(one, told) for one in told.grants))
    if told.runs:
        told = replace(told, workers=(certified(),))
    told = replace(told, attempts=tuple(a for run in told.runs for a in _attempts(run, told)))
    return _filed(replace(told, ends=tuple(_ends(told)), filings=tuple(_filings(told))))


def _filed(told: Bundle) -> Bundle:
    """Return evidence whose log has what was signed of each attachment."""
    words = {artifact_uri(one.about): one.envelope for one in told.filings}
    events = []
    for event in told.events:
        said = {name: word for name, word in json.loads(event.data).items() if name != "envelope"}
        if said.get("artifact") in words:
            said["envelope"] = words[said["artifact"]]
        events.append(replace(event, data=canonical_json(said).decode()))
    return replace(told, events=tuple(linked(events)))


def _issued(evidence: Bundle) -> JsonObject | None:
    directive = evidence.directive
    if directive.action_digest is None or directive.status == "draft":
        return None
    issued = intent_statement(
        directive.id, directive.action_digest, directive.issued_by, directive.idempotency_key
    )
    key = uuid5(NAMESPACE_OID, directive.issued_by)
    by = Principal(
        directive.issued_by, "agent", acts_for=AGENTS.get(directive.issued_by), token=key
    )
    return sign_intent(issued, by, KEYS)


def _answered(asked: Asked, evidence: Bundle) -> Asked:
    cast: list[Vote] = []
    tokens = {one.principal: one for one in evidence.tokens}
    for vote in asked.votes:
        who = next(one for one in evidence.people if one.name == vote.voter)
        own = kept_token(tokens[vote.voter]).row
        row = principal_row(who).principal
        standing = standing_of(row, own, token_rows(evidence), previous_of(cast))
        said = replace(vote, token_id=own.id, standing=standing)
        cast.append(sign_vote(said, asked.request, KEYS))
    return replace(asked, votes=tuple(cast))


def _granted(grant: Grant, evidence: Bundle) -> Grant:
    own = [one.votes for one in evidence.requests if one.request.id == grant.request_id]
    earlier: list[Answered] = [
        (one.request, one.votes)
        for one in evidence.requests
        if one.request.id != grant.request_id and one.request.requested_at <= grant.issued_at
    ]
    return sign_grant(replace(grant, heard=heard(own[0] if own else (), earlier)), KEYS)


def left_by(run: ExecutionRunRead, evidence: Bundle) -> Mapping[str, str]:
    """Return the digests of what was stored with the end of a run."""
    own = (one for one in evidence.artifacts if one.run_id == run.id and one.type in LEFT)
    return {one.uri: one.digest for one in own}


def _attempts(run: ExecutionRunRead, evidence: Bundle) -> list[Attempt]:
    """Return the attempts of a run: the last one ends it, if it ended by one."""
    begun = run.started_at or run.created_at
    open_ = [
        Attempt(run.id, number, EXECUTING.id, begun, None, None, None, None)
        for number in range(1, run.attempts + 1)
    ]
    ended = run.status in {"completed", "failed"} and _settling(evidence) is None
    if not ended or run.result is None or run.ended_at is None:
        return open_
    cost = attempt_cost(run.result)
    outcome: AttemptOutcome = "success" if run.status == "completed" else "error"
    end = attempt_end_statement(
        run,
        run.result,
        worker_id=EXECUTING.id,
        attempt=run.attempts,
        ends_run=True,
        outcome=outcome,
        cost=cost,
        artifacts=left_by(run, evidence),
        started_at=begun,
        ended_at=run.ended_at,
    )
    envelope = sign_statement(ATTEMPT_END, end, EXECUTING.keys)
    last = replace(open_[-1], ended_at=run.ended_at, outcome=outcome, cost=cost, envelope=envelope)
    return [*open_[:-1], last]


def _settling(evidence: Bundle) -> Event | None:
    """Return the event by which a person settled a run; None: nobody did."""
    return next((one for one in evidence.events if one.type == "run.reconciled"), None)


def _ends(evidence: Bundle) -> list[Statement]:
    settling = _settling(evidence)
    if settling is not None:
        [run] = evidence.runs
        said = _settled(run, evidence, settling)
        return [Statement(run.id, sign_statement(RECONCILIATION, said, KEYS))]
    canceled = [run for run in evidence.runs if run.status == "canceled"]
    by = evidence.events[-1].actor
    said_of = {run.id: canceled_statement(run, by, None) for run in canceled}
    return [Statement(one, sign_statement(RUN_END, said, KEYS)) for one, said in said_of.items()]


def _settled(run: ExecutionRunRead, evidence: Bundle, event: Event) -> JsonObject:
    assert run.result is not None
    assert run.ended_at is not None
    [reason] = json.loads(event.data)["because"]
    return reconciliation_statement(
        run,
        run.result,
        by=event.actor,
        settled="done",
        reason=reason,
        artifacts=left_by(run, evidence),
        ended_at=run.ended_at,
    )


def canceled_statement(run: ExecutionRunRead, by: str, worker_id: UUID | None) -> JsonObject:
    assert run.ended_at is not None
    return run_end_statement(
        run,
        None,
        worker_id=worker_id,
        by=by,
        reason="canceled",
        said=None,
        status="canceled",
        artifacts={},
        ended_at=run.ended_at,
    )


def _filings(evidence: Bundle) -> list[Statement]:
    return [
        Statement(
            one.id,
            sign_statement(
                FILING,
                {
                    "artifact": str(one.id),
                    "uri": one.uri,
                    "digest": one.digest,
                    "directive": str(one.directive_id),
                    "filed_by": one.metadata["filed_by"],
                    "token": None,
                },
                KEYS,
            ),
        )
        for one in evidence.artifacts
        if one.type == "attachment"
    ]


def signed_first(evidence: Bundle) -> Bundle:
    """Return evidence as it was before statements named an installation, when few were made."""
    asked = tuple(
        replace(one, votes=tuple(_first_vote(vote, one) for vote in one.votes))
        for one in evidence.requests
    )
    grants = tuple(
        replace(one, heard=None, envelope=_first(GRANT, grant_statement(one), "heard"))
        for one in evidence.grants
    )
    none: dict[str, Any] = dict.fromkeys(("workers", "attempts", "ends", "filings", "tokens"), ())
    return _filed(replace(evidence, requests=asked, grants=grants, issued=None, **none))


def _first_vote(vote: Vote, asked: Asked) -> Vote:
    envelope = _first(VOTE, vote_statement(vote, asked.request), "token", "standing")
    return replace(vote, token_id=None, standing=None, envelope=envelope)


def _first(kind: Kind, statement: JsonObject, *later: str) -> JsonObject:
    said = {name: value for name, value in statement.items() if name not in later}
    return envelope_to_json(KEYS.sign(kind.first_type, canonical(said)))
