"""What is signed of principals, tokens and invitations, and whether it still verifies. Pure.

A row of these says who may consent. Whoever writes to the database with the service's own login
could add one; without the key it is nobody's. Every `sign_` raises MisconfiguredError where there
is no key to sign with, every `verify_` UnverifiableError with the reason.
"""

from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.identity.types import (
    Invitation,
    KeptInvitation,
    KeptToken,
    Principal,
    PrincipalRow,
    TokenRow,
)
from remit.signing.keys import Keyring
from remit.signing.statements import (
    Kind,
    claimed,
    is_earlier,
    sign_statement,
    stated,
    verify_statement,
)

PRINCIPAL = Kind("principal")
TOKEN = Kind("token")
REVOCATION = Kind("revocation")
INVITATION = Kind("invitation")
WITHDRAWAL = Kind("withdrawal")


def sign_principal(
    principal: Principal, revision: int, keys: Keyring, *, created_by: str, disabled: bool = False
) -> JsonObject:
    """Return the envelope of a principal as it is at a revision."""
    first = _first_of_principal(principal, revision)
    return sign_statement(
        PRINCIPAL, {**first, "created_by": created_by, "disabled": disabled}, keys
    )


def verify_principal(row: PrincipalRow, keys: Keyring) -> None:
    """Return quietly when the row is what one of the keys signed."""
    first = _first_of_principal(row.principal, row.revision)
    statement = {**first, "created_by": row.created_by, "disabled": row.disabled_at is not None}
    # The first version did not say who was shut out: it counts for who was before the second.
    changed_at = max(row.created_at, row.disabled_at or row.created_at)
    verify_statement(PRINCIPAL, row.envelope, statement, keys, earlier=first, stamped_at=changed_at)


def sign_token(kept: KeptToken, keys: Keyring) -> JsonObject:
    """Return the envelope of a token."""
    return sign_statement(TOKEN, _token(kept), keys)


def verify_token(kept: KeptToken, keys: Keyring) -> None:
    """Return quietly when a token is what one of the keys signed."""
    # The first version did not say by whom it was made, nor how: what says more needs the second.
    plain = kept.row.created_with is None and not kept.row.redeemed
    verify_statement(
        TOKEN,
        kept.envelope,
        _token(kept),
        keys,
        earlier=_first_of_token(kept) if plain else None,
        stamped_at=kept.row.created_at,
    )


def sign_revocation(row: TokenRow, by: str, keys: Keyring) -> JsonObject:
    """Return the envelope that says that a token was revoked, and from when on."""
    return sign_statement(REVOCATION, _revocation(row, by), keys)


def verify_revocation(row: TokenRow, keys: Keyring) -> None:
    """Return quietly when a token was revoked as one of the keys signed, or was not revoked.

    Whoever asks whether a token holds does not ask this: one whose row says that it was revoked was
    revoked, whoever wrote it.
    """
    before = keys.installation is not None and (
        row.revoked_at is None or is_earlier(row.revoked_at, keys)
    )
    if before and row.revocation is None and row.revoked_since is None:
        return
    by = said_by(row.revocation)
    verify_statement(REVOCATION, row.revocation, _revocation(row, by), keys)


def sign_invitation(kept: KeptInvitation, keys: Keyring) -> JsonObject:
    """Return the envelope of an invitation."""
    return sign_statement(INVITATION, _invitation(kept), keys)


def verify_invitation(kept: KeptInvitation, keys: Keyring) -> None:
    """Return quietly when an invitation is what one of the keys signed."""
    verify_statement(INVITATION, kept.envelope, _invitation(kept), keys)


def sign_withdrawal(invitation: Invitation, by: str, keys: Keyring) -> JsonObject:
    """Return the envelope that says that an invitation was revoked."""
    return sign_statement(WITHDRAWAL, _withdrawal(invitation, by), keys)


def verify_withdrawal(invitation: Invitation, keys: Keyring) -> None:
    """Return quietly when an invitation was revoked as one of the keys signed, or was not."""
    if invitation.revoked_at is None and invitation.revocation is None:
        return
    by = said_by(invitation.revocation)
    verify_statement(WITHDRAWAL, invitation.revocation, _withdrawal(invitation, by), keys)


def said_by(envelope: JsonObject | None) -> str:
    """Return who a statement says that it is by; it is not verified here."""
    if envelope is None:
        raise UnverifiableError("it was never signed")
    by = claimed(envelope, "by")
    if not isinstance(by, str):
        raise UnverifiableError("it does not say by whom it is")
    return by


def _first_of_principal(principal: Principal, revision: int) -> JsonObject:
    said = stated(principal, "name", "kind", "roles", "groups", "acts_for")
    return {**said, "revision": revision}


def _token(kept: KeptToken) -> JsonObject:
    return {**_first_of_token(kept), **stated(kept.row, "created_by", "created_with", "redeemed")}


def _first_of_token(kept: KeptToken) -> JsonObject:
    said = stated(kept.row, "principal", "scopes", "expires_at")
    return {**said, "token": str(kept.row.id), "hash": kept.hash}


def _revocation(row: TokenRow, by: str) -> JsonObject:
    said = stated(row, "revoked_at", since="revoked_since")
    return {**said, "token": str(row.id), "by": by}


def _invitation(kept: KeptInvitation) -> JsonObject:
    names = ("principal", "scopes", "valid_seconds", "expires_at", "created_by", "created_with")
    return {**stated(kept.invitation, *names, invitation="id"), "hash": kept.hash}


def _withdrawal(invitation: Invitation, by: str) -> JsonObject:
    return {**stated(invitation, "revoked_at", invitation="id"), "by": by}
