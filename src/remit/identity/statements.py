"""What is signed of principals and tokens, and whether it still verifies. Pure.

A row of either says who may consent. Whoever writes to the database with the service's own login
could add one; without the key it is nobody's.
"""

from datetime import datetime
from uuid import UUID

from remit.identity.types import Ability, Principal, PrincipalRow
from remit.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import Earlier, Kind, moment, sign_statement, verify_statement

PRINCIPAL = Kind("principal")
TOKEN = Kind("token")


def sign_principal(principal: Principal, revision: int, keys: Keyring) -> JsonObject:
    """Return the envelope of a principal as it is at a revision.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(PRINCIPAL, _principal(principal, revision), keys)


def verify_principal(row: PrincipalRow, keys: Keyring) -> None:
    """Return quietly when the row is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    statement = _principal(row.principal, row.revision)
    earlier = Earlier(statement, row.created_at)
    verify_statement(PRINCIPAL, row.envelope, statement, keys, earlier=earlier)


def token_statement(
    token_id: UUID, principal: str, digest: str, scopes: tuple[Ability, ...], expires_at: datetime
) -> JsonObject:
    """Return what the signature of a token covers."""
    return {
        "token": str(token_id),
        "principal": principal,
        "hash": digest,
        "scopes": [*sorted(scopes)],
        "expires_at": moment(expires_at),
    }


def sign_token(statement: JsonObject, keys: Keyring) -> JsonObject:
    """Return the envelope of a token.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(TOKEN, statement, keys)


def verify_token(
    envelope: JsonObject | None, statement: JsonObject, created_at: datetime, keys: Keyring
) -> None:
    """Return quietly when the statement is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    earlier = Earlier(statement, created_at)
    verify_statement(TOKEN, envelope, statement, keys, earlier=earlier)


def _principal(principal: Principal, revision: int) -> JsonObject:
    return {
        "name": principal.name,
        "kind": principal.kind,
        "roles": [*sorted(set(principal.roles))],
        "groups": [*sorted(set(principal.groups))],
        "acts_for": principal.acts_for,
        "revision": revision,
    }
