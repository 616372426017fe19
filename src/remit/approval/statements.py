"""What is signed of consent, and whether it still verifies. Pure: values and keys in.

A statement repeats its whole row. Verifying compares the two, so that a row that was changed, or
made, by whoever writes to the database but has no key is worth nothing: every `verify_` raises
UnverifiableError, and every `sign_` MisconfiguredError where there is no key.
"""

from dataclasses import replace

from remit.approval.types import ApprovalRequest, ConfirmedPolicy, Grant, Vote
from remit.base.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, moment, sign_statement, verify_statement

GRANT = Kind("grant")
VOTE = Kind("vote")
POLICY = Kind("policy")


def sign_grant(grant: Grant, keys: Keyring) -> Grant:
    """Return `grant` with its envelope."""
    return replace(grant, envelope=sign_statement(GRANT, grant_statement(grant), keys))


def verify_grant(grant: Grant, keys: Keyring) -> None:
    """Return quietly when `grant` is what one of the keys signed."""
    said, first = grant_statement(grant), _first_of_grant(grant)
    verify_statement(GRANT, grant.envelope, said, keys, earlier=first, stamped_at=grant.issued_at)


def sign_vote(vote: Vote, request: ApprovalRequest, keys: Keyring) -> Vote:
    """Return `vote` with its envelope."""
    return replace(vote, envelope=sign_statement(VOTE, vote_statement(vote, request), keys))


def verify_vote(vote: Vote, request: ApprovalRequest, keys: Keyring) -> None:
    """Return quietly when `vote` was signed as an answer to `request`."""
    said, first = vote_statement(vote, request), _first_of_vote(vote, request)
    verify_statement(VOTE, vote.envelope, said, keys, earlier=first, stamped_at=vote.cast_at)


def sign_policy(digest: str, version: str, by: str, keys: Keyring) -> JsonObject:
    """Return the envelope of a policy that `by` confirms."""
    return sign_statement(POLICY, {"digest": digest, "version": version, "by": by}, keys)


def verify_policy(row: ConfirmedPolicy, keys: Keyring) -> None:
    """Return quietly when the row is what one of the keys signed for this installation."""
    said: JsonObject = {"digest": row.digest, "version": row.version, "by": row.confirmed_by}
    verify_statement(POLICY, row.envelope, said, keys)


def grant_statement(grant: Grant) -> JsonObject:
    """Return what the signature of a grant covers."""
    return {**_first_of_grant(grant), "heard": grant.heard}


def vote_statement(vote: Vote, request: ApprovalRequest) -> JsonObject:
    """Return what the signature of a vote covers."""
    return {
        **_first_of_vote(vote, request),
        "token": None if vote.token_id is None else str(vote.token_id),
        "standing": vote.standing,
    }


def _first_of_grant(grant: Grant) -> JsonObject:
    """Return what the first version of a grant's statement said."""
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


def _first_of_vote(vote: Vote, request: ApprovalRequest) -> JsonObject:
    return {
        "request": str(request.id),
        "directive": str(request.directive_id),
        "voter": vote.voter,
        "decision": vote.decision,
        "reason": vote.reason,
        "action_digest": vote.action_digest,
        "cast_at": moment(vote.cast_at),
    }
