"""Which votes count, and who casts them: what is read is held against what cannot be forged."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.approval.answers import Answered, heard, previous_of
from remit.approval.independence import invite, standing_of
from remit.approval.repository import list_requests, list_votes
from remit.approval.rules import counting, objection, token_objection
from remit.approval.statements import sign_vote, verify_vote
from remit.approval.types import ApprovalRequest, Ballot, Vote
from remit.base.json_types import JsonObject
from remit.db.session import database_time, wall_clock
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import ConflictError, ForbiddenError, UnverifiableError
from remit.identity.repository import acts_for, find_principal
from remit.identity.statements import verify_principal, verify_token
from remit.identity.token_repository import token_lineage, unrevoked_tokens
from remit.identity.types import SYSTEM, KeptToken, Principal, PrincipalRow, TokenRow
from remit.operations.gate.authority import Authority
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide
from remit.policy.types import PolicyInput
from remit.signing.keys import Keyring
from remit.vocabulary import PolicyVerdict


def check_terms(directive: DirectiveRead, request: ApprovalRequest, policy: PolicyConfig) -> None:
    """Raise ConflictError unless the policy in force asks for this request, as it stands.

    A request of another policy is out of date. Any other difference is in a row that somebody wrote
    by other means: for what policy blocks, for fewer people, or for longer.
    """
    if request.policy_digest != policy.digest:
        raise ConflictError(
            f"policy has changed since it asked; `remit retry {directive.id}` asks again"
        )
    seen = PolicyInput(intent_of(directive), request.action_digest)
    terms = approval_terms(seen, policy)
    lowered = any(getattr(request, name) != wanted for name, wanted in asdict(terms).items())
    lasting = request.expires_at - request.requested_at > policy.approval.expires_after
    blocked = decide(seen, policy).verdict is PolicyVerdict.BLOCK
    if lowered or lasting or blocked:
        raise ConflictError(
            "the approval request is not what policy asks for: somebody wrote it by other means; "
            f"`remit cancel {directive.id}`, then `remit retry {directive.id}`"
        )


def known_voter(connection: sa.Connection, by: Principal, keys: Keyring) -> Principal:
    """Return the voter as the database knows them now, within the scopes of their token.

    Raises:
        ForbiddenError: it does not know them, or they were shut out.
    """
    known = find_principal(connection, by.name)
    if known is None or known.disabled_at is not None:
        raise ForbiddenError(f"{by.name} is not known here, or was shut out; ask somebody else")
    try:
        verify_principal(known, keys)
    except UnverifiableError as error:
        raise ForbiddenError(f"{by.name} may not vote: who they are does not verify") from error
    return replace(known.principal, scopes=by.scopes, token=by.token)


@dataclass(frozen=True, slots=True)
class Answers:
    """What people have answered to a request.

    Attributes:
        signed: every vote whose signature verifies, in the order of their rows.
        counted: of each voter the latest one, where it counts, in the order of casting.
        own: who issued the directive, and for whom they act.
    """

    request: ApprovalRequest
    signed: tuple[Vote, ...]
    counted: tuple[Vote, ...]
    own: tuple[str, ...]


def read_answers(
    connection: sa.Connection,
    directive: DirectiveRead,
    request: ApprovalRequest,
    authority: Authority,
) -> Answers:
    """Return the votes on a request, and which of them count.

    A row that somebody wrote by other means was signed by no one, and counts for nothing. Nor does
    an approval of somebody who may no longer vote, or with a token that was revoked since, whoever
    revoked it: it would carry a request that they could not answer now. Their rejection stands.
    """
    own = (directive.issued_by, *acts_for(connection, directive.issued_by))
    signed = signed_votes(connection, request, authority.keys)
    usable = usable_votes(connection, request, signed, own, authority.keys)
    counted = counting(request, usable, authority.policy.approval, own)
    return Answers(request, tuple(signed), tuple(counted), own)


def counted_votes(
    connection: sa.Connection, directive: DirectiveRead, request: ApprovalRequest, keys: Keyring
) -> list[Vote]:
    """Return the votes on a request that would count if policy asked nothing of their tokens."""
    own = (directive.issued_by, *acts_for(connection, directive.issued_by))
    return usable_votes(connection, request, signed_votes(connection, request, keys), own, keys)


def usable_votes(
    connection: sa.Connection,
    request: ApprovalRequest,
    signed: Sequence[Vote],
    own: Sequence[str],
    keys: Keyring,
) -> list[Vote]:
    """Return signed votes whose voters may still vote, with tokens that still hold; see above."""
    issued_by, *issued_for = own
    good = unrevoked_tokens(connection, {one.token_id for one in signed if one.token_id})
    usable = []
    for one in signed:
        with suppress(ForbiddenError):
            if one.decision == "approve":
                voter = known_voter(connection, Principal(one.voter, "human"), keys)
                said = objection(request, voter, issued_by=issued_by, issued_for=issued_for)
                if said is not None or one.token_id not in good:
                    continue
            usable.append(one)
    return usable


def signed_votes(connection: sa.Connection, request: ApprovalRequest, keys: Keyring) -> list[Vote]:
    """Return every vote on a request whose signature verifies, in the order of their rows."""
    signed = []
    for one in list_votes(connection, request.id):
        with suppress(UnverifiableError):
            verify_vote(one, request, keys)
            signed.append(one)
    return signed


def heard_before(
    connection: sa.Connection,
    directive_id: UUID,
    keys: Keyring,
    answers: Answers | None = None,
) -> JsonObject | None:
    """Return what a grant says of all that people had answered about a directive."""
    earlier: list[Answered] = [
        (request, signed_votes(connection, request, keys))
        for request in list_requests(connection, directive_id)
        if answers is None or request.id != answers.request.id
    ]
    return heard(answers.signed if answers else (), earlier)


def new_vote(
    connection: sa.Connection,
    before: Answers,
    ballot: Ballot,
    voter: Principal,
    authority: Authority,
) -> Vote:
    """Return a vote as it is about to be cast, signed.

    Raises:
        ForbiddenError: the token does not hold, or policy would not count an approval with it.
    """
    new = Vote(
        voter.name,
        **asdict(ballot),
        cast_at=database_time(connection),
        token_id=voter.token,
        standing=standing_now(connection, voter, before, authority.keys),
    )
    if new.decision == "approve":
        terms = authority.policy.approval
        problem = token_objection(before.request, new, before.counted, terms, before.own)
        if problem is not None:
            raise ForbiddenError(problem)
    return sign_vote(new, before.request, authority.keys)


def standing_now(
    connection: sa.Connection, voter: Principal, answers: Answers, keys: Keyring
) -> JsonObject:
    """Return what a vote that is cast now says of its voter and their token.

    Raises:
        ForbiddenError: they showed no token of theirs that holds, or its making does not verify.
    """
    line = {} if voter.token is None else token_lineage(connection, voter.token)
    token = None if voter.token is None else line.get(voter.token)
    mine = token and token.row.principal == voter.name and token.row.revoked_at is None
    if token is None or not mine or token.row.expires_at <= wall_clock(connection):
        raise ForbiddenError(
            f"a vote is cast with a token, and {voter.name} showed none of theirs that holds; "
            + invite(voter.name)
        )
    try:
        known = _verified(token, line, keys)
    except UnverifiableError as error:
        raise ForbiddenError(
            f"how the token of {voter.name} was made does not verify ({error}); "
            + invite(voter.name)
        ) from error
    return standing_of(voter, token.row, known, previous_of(answers.signed))


def _verified(
    token: KeptToken, line: Mapping[UUID, KeptToken], keys: Keyring
) -> dict[UUID, TokenRow]:
    """Return the tokens of a line that verify.

    One that somebody wrote by other means has made nothing, and is passed over where any of its
    owner's might have been used.

    Raises:
        UnverifiableError: one of those that must have been used does not verify, or is gone.
    """
    rows = [kept.row for kept in line.values()]
    named = {row.created_with for row in rows if not row.redeemed and row.created_by != SYSTEM.name}
    named |= {token.row.id}
    if gone := named - line.keys() - {None}:
        raise UnverifiableError(f"the token {min(map(str, gone))}, which made it, is gone")
    known = {}
    for token_id, kept in line.items():
        try:
            verify_token(kept, keys)
            known[token_id] = kept.row
        except UnverifiableError:
            if token_id in named:
                raise
    return known


def objection_to(
    row: PrincipalRow,
    answers: Answers,
    tokens: Mapping[UUID, TokenRow],
    authority: Authority,
    *,
    now: datetime,
) -> str | None:
    """Return why a person could not approve now; None: they could, with one of their tokens."""
    one, request = row.principal, answers.request
    try:
        verify_principal(row, authority.keys)
    except UnverifiableError:
        return f"{one.name} may not vote: who they are does not verify"
    issued_by, *issued_for = answers.own
    problem = objection(request, one, issued_by=issued_by, issued_for=issued_for)
    if problem is not None:
        return problem
    shown = [
        token
        for token in tokens.values()
        if token.principal == one.name
        and token.revoked_at is None
        and token.expires_at > now
        and (not token.scopes or "vote" in token.scopes)
    ]
    if not shown:
        return f"{one.name} has no token that could vote; {invite(one.name)}"
    cast = {vote.token_id for vote in answers.counted if vote.voter == one.name}
    if any(token.id in cast for token in shown):
        return None
    terms = authority.policy.approval
    digest = request.action_digest
    problems = []
    for token in shown:
        standing = standing_of(one, token, tokens, None)
        vote = Vote(one.name, "approve", None, digest, now, token.id, standing)
        problems.append(token_objection(request, vote, answers.counted, terms, answers.own))
    return None if None in problems else problems[0]
