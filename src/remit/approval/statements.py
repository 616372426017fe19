"""What is signed of consent, and whether it still verifies. Pure: values and keys in.

The statement of a grant or a vote repeats its whole row. Verifying compares the two, so that a row
that was changed, or made, by whoever writes to the database but has no key is worth nothing.
"""

from dataclasses import replace

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.directives.digest import canonical_json
from remit.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import moment, sign_statement, verify_statement

GRANT_TYPE = "application/vnd.remit.grant+json"
"""DSSE payload type of a grant."""

VOTE_TYPE = "application/vnd.remit.vote+json"
"""DSSE payload type of a vote."""


def sign_grant(grant: Grant, keys: Keyring) -> Grant:
    """Return `grant` with its envelope.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    content = canonical_json(grant_statement(grant))
    return replace(grant, envelope=sign_statement(GRANT_TYPE, content, keys))


def verify_grant(grant: Grant, keys: Keyring) -> None:
    """Return quietly when `grant` is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    content = canonical_json(grant_statement(grant))
    verify_statement(GRANT_TYPE, grant.envelope, content, keys)


def sign_vote(vote: Vote, request: ApprovalRequest, keys: Keyring) -> Vote:
    """Return `vote` with its envelope.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    content = canonical_json(vote_statement(vote, request))
    return replace(vote, envelope=sign_statement(VOTE_TYPE, content, keys))


def verify_vote(vote: Vote, request: ApprovalRequest, keys: Keyring) -> None:
    """Return quietly when `vote` was signed as an answer to `request`.

    Raises:
        UnverifiableError: it was not; the message says why.
    """
    content = canonical_json(vote_statement(vote, request))
    verify_statement(VOTE_TYPE, vote.envelope, content, keys)


def grant_statement(grant: Grant) -> JsonObject:
    """Return what the signature of a grant covers."""
    return {
        "grant": str(grant.id),
        "directive": str(grant.directive_id),
        "request": None if grant.request_id is None else str(grant.request_id),
        "action_digest": grant.action_digest,
        "policy_version": grant.policy_version,
        "policy_digest": grant.policy_digest,
        "module": grant.module,
        "module_version": grant.module_version,
        "module_digest": grant.module_digest,
        "required_approvals": grant.required_approvals,
        "votes": list(grant.votes),
        "budget": None if grant.budget is None else str(grant.budget),
        "issued_at": moment(grant.issued_at),
        "expires_at": moment(grant.expires_at),
    }


def vote_statement(vote: Vote, request: ApprovalRequest) -> JsonObject:
    """Return what the signature of a vote covers."""
    return {
        "request": str(request.id),
        "directive": str(request.directive_id),
        "voter": vote.voter,
        "decision": vote.decision,
        "reason": vote.reason,
        "action_digest": vote.action_digest,
        "cast_at": moment(vote.cast_at),
    }
