"""What is signed of consent, and whether it still verifies. Pure: values and keys in.

The statement of a grant or a vote repeats its whole row. Verifying compares the two, so that a row
that was changed, or made, by whoever writes to the database but has no key is worth nothing.
"""

from dataclasses import replace
from datetime import UTC, datetime

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.directives.digest import canonical_json
from remit.errors import UnverifiableError
from remit.json_types import JsonObject
from remit.signing.dsse import envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring

GRANT_TYPE = "application/vnd.remit.grant+json"
"""DSSE payload type of a grant."""

VOTE_TYPE = "application/vnd.remit.vote+json"
"""DSSE payload type of a vote."""


def sign_grant(grant: Grant, keys: Keyring) -> Grant:
    """Return `grant` with its envelope.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return replace(grant, envelope=_signed(GRANT_TYPE, grant_statement(grant), keys))


def verify_grant(grant: Grant, keys: Keyring) -> None:
    """Return quietly when `grant` is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    _verify(GRANT_TYPE, grant.envelope, grant_statement(grant), keys)


def sign_vote(vote: Vote, request: ApprovalRequest, keys: Keyring) -> Vote:
    """Return `vote` with its envelope.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return replace(vote, envelope=_signed(VOTE_TYPE, vote_statement(vote, request), keys))


def verify_vote(vote: Vote, request: ApprovalRequest, keys: Keyring) -> None:
    """Return quietly when `vote` was signed as an answer to `request`.

    Raises:
        UnverifiableError: it was not; the message says why.
    """
    _verify(VOTE_TYPE, vote.envelope, vote_statement(vote, request), keys)


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
        "issued_at": _moment(grant.issued_at),
        "expires_at": _moment(grant.expires_at),
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
        "cast_at": _moment(vote.cast_at),
    }


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _signed(payload_type: str, statement: JsonObject, keys: Keyring) -> JsonObject:
    return envelope_to_json(keys.sign(payload_type, canonical_json(statement)))


def _verify(
    payload_type: str, envelope: JsonObject | None, statement: JsonObject, keys: Keyring
) -> None:
    if envelope is None:
        raise UnverifiableError("it was never signed")
    payload = keys.verify(envelope_from_json(envelope), payload_type=payload_type)
    if payload != canonical_json(statement):
        raise UnverifiableError("it is not what was signed: its row was changed")
