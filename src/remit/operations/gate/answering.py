"""Who could answer an open request, and why others could not. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from remit.approval.independence import invite, standing_of
from remit.approval.rules import objection, token_objection
from remit.approval.types import ApprovalRequest, Vote
from remit.errors import UnverifiableError
from remit.identity.statements import verify_principal
from remit.identity.types import Principal, PrincipalRow, TokenRow
from remit.operations.gate.authority import Authority
from remit.operations.gate.ballots import Answers
from remit.policy.engine import token_terms


@dataclass(frozen=True, slots=True)
class Asking:
    """An open request, and what tells who could answer it."""

    request: ApprovalRequest
    answers: Answers
    tokens: Mapping[UUID, TokenRow]
    now: datetime
    authority: Authority


def objection_to(asking: Asking, row: PrincipalRow) -> str | None:
    """Return why a person could not approve; None: they could, with one of their tokens."""
    one = row.principal
    if not _is_signed(row, asking.authority):
        return f"{one.name} may not vote: who they are does not verify"
    issued_by, *issued_for = asking.answers.own
    problem = objection(asking.request, one, issued_by=issued_by, issued_for=issued_for)
    if problem is not None:
        return problem
    shown = [
        token
        for token in asking.tokens.values()
        if token.principal == one.name
        and token.revoked_at is None
        and token.expires_at > asking.now
        and (not token.scopes or "vote" in token.scopes)
    ]
    if not shown:
        return f"{one.name} has no token that could vote; {invite(one.name)}"
    problems = [_token_objection(asking, one, token) for token in shown]
    return None if None in problems else problems[0]


def _token_objection(asking: Asking, one: Principal, token: TokenRow) -> str | None:
    """Return why an approval with this token would not count; None: it would."""
    request, answers = asking.request, asking.answers
    if any(vote.voter == one.name and vote.token_id == token.id for vote in answers.counted):
        return None
    vote = Vote(
        one.name,
        "approve",
        None,
        request.action_digest,
        asking.now,
        token.id,
        standing_of(one, token, asking.tokens, None),
    )
    terms = token_terms(asking.authority.policy)
    return token_objection(request, vote, answers.counted, terms, answers.own)


def _is_signed(row: PrincipalRow, authority: Authority) -> bool:
    try:
        verify_principal(row, authority.keys)
    except UnverifiableError:
        return False
    return True
