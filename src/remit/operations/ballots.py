"""Which votes count, and who casts them: what is read is held against what cannot be forged."""

from contextlib import suppress
from dataclasses import asdict, replace

import sqlalchemy as sa

from remit.approval.repository import list_votes
from remit.approval.rules import objection
from remit.approval.statements import verify_vote
from remit.approval.types import ApprovalRequest, Vote
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import ConflictError, ForbiddenError, UnverifiableError
from remit.identity.repository import acts_for, find_principal
from remit.identity.statements import verify_principal
from remit.identity.types import Principal
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide
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
    return replace(known.principal, scopes=by.scopes)


def counted_votes(
    connection: sa.Connection, directive: DirectiveRead, request: ApprovalRequest, keys: Keyring
) -> list[Vote]:
    """Return the votes on a request that count, oldest first.

    A row that somebody wrote by other means was signed by no one, and counts for nothing. Nor does
    an approval of somebody who may no longer vote: it would carry a request that they could not
    answer now. Their rejection stands.
    """
    issued_for = acts_for(connection, directive.issued_by)
    counted = []
    for one in list_votes(connection, request.id):
        with suppress(UnverifiableError, ForbiddenError):
            verify_vote(one, request, keys)
            if one.decision == "approve":
                voter = known_voter(connection, Principal(one.voter, "human"), keys)
                said = objection(
                    request, voter, issued_by=directive.issued_by, issued_for=issued_for
                )
                if said is not None:
                    continue
            counted.append(one)
    return counted
