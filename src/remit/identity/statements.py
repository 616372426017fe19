"""What is signed of principals and tokens, and whether it still verifies. Pure.

A row of either says who may consent. Whoever writes to the database with the service's own login
could add one; without the key it is nobody's.
"""

import json
from datetime import UTC, datetime
from uuid import UUID

from remit.errors import UnverifiableError
from remit.identity.types import Ability, Principal, PrincipalRow
from remit.json_types import JsonObject
from remit.signing.dsse import envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring

PRINCIPAL_TYPE = "application/vnd.remit.principal+json"
"""DSSE payload type of a principal."""

TOKEN_TYPE = "application/vnd.remit.token+json"  # noqa: S105 - a media type
"""DSSE payload type of a token."""


def sign_principal(principal: Principal, revision: int, keys: Keyring) -> JsonObject:
    """Return the envelope of a principal as it is at a revision.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return _signed(PRINCIPAL_TYPE, _principal(principal, revision), keys)


def verify_principal(row: PrincipalRow, keys: Keyring) -> None:
    """Return quietly when the row is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    _verify(PRINCIPAL_TYPE, row.envelope, _principal(row.principal, row.revision), keys)


def token_statement(
    token_id: UUID, principal: str, digest: str, scopes: tuple[Ability, ...], expires_at: datetime
) -> JsonObject:
    """Return what the signature of a token covers."""
    return {
        "token": str(token_id),
        "principal": principal,
        "hash": digest,
        "scopes": [*sorted(scopes)],
        "expires_at": expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def sign_token(statement: JsonObject, keys: Keyring) -> JsonObject:
    """Return the envelope of a token.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return _signed(TOKEN_TYPE, statement, keys)


def verify_token(envelope: JsonObject | None, statement: JsonObject, keys: Keyring) -> None:
    """Return quietly when the statement is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    _verify(TOKEN_TYPE, envelope, statement, keys)


def _principal(principal: Principal, revision: int) -> JsonObject:
    return {
        "name": principal.name,
        "kind": principal.kind,
        "roles": [*sorted(set(principal.roles))],
        "groups": [*sorted(set(principal.groups))],
        "acts_for": principal.acts_for,
        "revision": revision,
    }


def _canonical(statement: JsonObject) -> bytes:
    # Text, lists of text and one small number: for these, this is RFC 8785.
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _signed(payload_type: str, statement: JsonObject, keys: Keyring) -> JsonObject:
    return envelope_to_json(keys.sign(payload_type, _canonical(statement)))


def _verify(
    payload_type: str, envelope: JsonObject | None, statement: JsonObject, keys: Keyring
) -> None:
    if envelope is None:
        raise UnverifiableError("it was never signed")
    payload = keys.verify(envelope_from_json(envelope), payload_type=payload_type)
    if payload != _canonical(statement):
        raise UnverifiableError("it is not what was signed: its row was changed")
