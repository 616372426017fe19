"""Which votes count, and who casts them: what is read is held against what cannot be forged."""

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import sqlalchemy as sa

from remit.approval.answers import Answered, heard, previous_of
from remit.approval.independence import invite, standing_of
from remit.approval.repository import list_requests, list_votes
from remit.approval.rules import counting, objection
from remit.approval.statements import verify_vote
from remit.approval.types import ApprovalRequest, Vote
from remit.db.session import wall_clock
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import ConflictError, ForbiddenError, UnverifiableError
from remit.identity.repository import acts_for, find_principal
from remit.identity.statements import verify_principal
from remit.identity.token_repository import token_line, unrevoked_tokens
from remit.identity.types import Principal
from remit.json_types import JsonObject
from remit.operations.authority import Authority
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide, token_terms
from remit.policy.types import PolicyInput, PolicyVerdict
from remit.signing.keys import Keyring


def check_terms(directive: DirectiveRead, request: ApprovalRequest, policy: PolicyConfig) -> None:
    """Refuse a request that the policy in force does not ask for in this way.

    A request of another policy is out of date. Any other difference is in a row that somebody wrote
    by other means: for what policy blocks, for fewer people, or for longer.

    Raises:
        ConflictError: it does not.
    """
    if request.policy_digest != policy.digest:
        raise ConflictError(
            f"policy has changed since it asked; `remit retry {directive.id}` asks again"
        )
    intent = intent_of(directive)
    terms = approval_terms(intent, policy)
    lowered = any(getattr(request, name) != wanted for name, wanted in asdict(terms).items())
    lasting = request.expires_at - request.requested_at > policy.approval.expires_after
    verdict = decide(PolicyInput(intent, request.action_digest, {}), policy).verdict
    if lowered or lasting or verdict is PolicyVerdict.BLOCK:
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
    signed = signed_votes(connection, request, authority.keys)
    issued_for = acts_for(connection, directive.issued_by)
    good = unrevoked_tokens(connection, {one.token_id for one in signed if one.token_id})
    usable = []
    for one in signed:
        with suppress(ForbiddenError):
            if one.decision == "approve":
                voter = known_voter(connection, Principal(one.voter, "human"), authority.keys)
                said = objection(
                    request, voter, issued_by=directive.issued_by, issued_for=issued_for
                )
                if said is not None or one.token_id not in good:
                    continue
            usable.append(one)
    own = (directive.issued_by, *issued_for)
    counted = counting(request, usable, token_terms(authority.policy), own)
    return Answers(tuple(signed), tuple(counted), own)


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
    *,
    asked: ApprovalRequest | None = None,
    answers: Answers | None = None,
) -> JsonObject | None:
    """Return what a grant says of all that people had answered about a directive.

    Args:
        connection: the operation's transaction, which holds the directive's lock.
        directive_id: the directive.
        keys: what verifies votes.
        asked: the request that the grant rests on; None: on policy alone.
        answers: the votes on it.
    """
    earlier: list[Answered] = [
        (request, signed_votes(connection, request, keys))
        for request in list_requests(connection, directive_id)
        if asked is None or request.id != asked.id
    ]
    return heard(answers.signed if answers else (), earlier)


def standing_now(connection: sa.Connection, voter: Principal, answers: Answers) -> JsonObject:
    """Return what a vote that is cast now says of its voter and their token.

    Args:
        connection: the operation's transaction.
        voter: who votes, with the token that they showed.
        answers: the votes that there are already.

    Raises:
        ForbiddenError: they showed no token, or none of theirs that holds.
    """
    line = {} if voter.token is None else token_line(connection, voter.token)
    token = None if voter.token is None else line.get(voter.token)
    mine = token is not None and token.principal == voter.name and token.revoked_at is None
    if token is None or not mine or token.expires_at <= wall_clock(connection):
        raise ForbiddenError(
            f"a vote is cast with a token, and {voter.name} showed none of theirs that holds; "
            + invite(voter.name)
        )
    return standing_of(voter, token, line, previous_of(answers.signed))
