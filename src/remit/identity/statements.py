"""What is signed of principals, tokens and invitations, and whether it still verifies. Pure.

A row of these says who may consent. Whoever writes to the database with the service's own login
could add one; without the key it is nobody's.
"""

import json

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
from remit.signing.dsse import envelope_from_json
from remit.signing.keys import Keyring
from remit.signing.statements import Earlier, Kind, moment, sign_statement, verify_statement

PRINCIPAL = Kind("principal")
TOKEN = Kind("token")
REVOCATION = Kind("revocation")
INVITATION = Kind("invitation")
WITHDRAWAL = Kind("withdrawal")


def sign_principal(
    principal: Principal, revision: int, keys: Keyring, *, created_by: str, disabled: bool = False
) -> JsonObject:
    """Return the envelope of a principal as it is at a revision.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    statement = _principal(principal, revision, created_by, disabled=disabled)
    return sign_statement(PRINCIPAL, statement, keys)


def verify_principal(row: PrincipalRow, keys: Keyring) -> None:
    """Return quietly when the row is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    disabled = row.disabled_at is not None
    statement = _principal(row.principal, row.revision, row.created_by, disabled=disabled)
    # The first version did not say who was shut out: it counts for who was before the second.
    changed_at = max(row.created_at, row.disabled_at or row.created_at)
    earlier = Earlier(_first_of_principal(row.principal, row.revision), changed_at)
    verify_statement(PRINCIPAL, row.envelope, statement, keys, earlier=earlier)


def sign_token(kept: KeptToken, keys: Keyring) -> JsonObject:
    """Return the envelope of a token.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(TOKEN, _token(kept), keys)


def verify_token(kept: KeptToken, keys: Keyring) -> None:
    """Return quietly when a token is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    # The first version did not say by whom it was made, nor how: what says more needs the second.
    plain = kept.row.created_with is None and not kept.row.redeemed
    earlier = Earlier(_first_of_token(kept), kept.row.created_at) if plain else None
    verify_statement(TOKEN, kept.envelope, _token(kept), keys, earlier=earlier)


def sign_revocation(row: TokenRow, by: str, keys: Keyring) -> JsonObject:
    """Return the envelope that says that a token was revoked, and from when on.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(REVOCATION, _revocation(row, by), keys)


def verify_revocation(row: TokenRow, keys: Keyring) -> None:
    """Return quietly when a token was revoked as one of the keys signed, or was not revoked.

    Whoever asks whether a token holds does not ask this: one whose row says that it was revoked was
    revoked, whoever wrote it.

    Raises:
        UnverifiableError: somebody revoked it by other means, or changed since when.
    """
    before = keys.installation is not None and (
        row.revoked_at is None or row.revoked_at < keys.installation.since
    )
    if before and row.revocation is None and row.revoked_since is None:
        return
    by = said_by(row.revocation)
    verify_statement(REVOCATION, row.revocation, _revocation(row, by), keys)


def sign_invitation(kept: KeptInvitation, keys: Keyring) -> JsonObject:
    """Return the envelope of an invitation.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(INVITATION, _invitation(kept), keys)


def verify_invitation(kept: KeptInvitation, keys: Keyring) -> None:
    """Return quietly when an invitation is what one of the keys signed.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    verify_statement(INVITATION, kept.envelope, _invitation(kept), keys)


def sign_withdrawal(invitation: Invitation, by: str, keys: Keyring) -> JsonObject:
    """Return the envelope that says that an invitation was revoked.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(WITHDRAWAL, _withdrawal(invitation, by), keys)


def verify_withdrawal(invitation: Invitation, keys: Keyring) -> None:
    """Return quietly when an invitation was revoked as one of the keys signed, or was not.

    Raises:
        UnverifiableError: somebody revoked it by other means.
    """
    if invitation.revoked_at is None and invitation.revocation is None:
        return
    by = said_by(invitation.revocation)
    verify_statement(WITHDRAWAL, invitation.revocation, _withdrawal(invitation, by), keys)


def said_by(envelope: JsonObject | None) -> str:
    """Return who a statement says that it is by; it is not verified here.

    Raises:
        UnverifiableError: it does not say.
    """
    if envelope is None:
        raise UnverifiableError("it was never signed")
    try:
        said = json.loads(envelope_from_json(envelope).payload)
    except (ValueError, RecursionError) as error:
        raise UnverifiableError("it does not say by whom it is") from error
    by = said.get("by") if isinstance(said, dict) else None
    if not isinstance(by, str):
        raise UnverifiableError("it does not say by whom it is")
    return by


def _principal(
    principal: Principal, revision: int, created_by: str, *, disabled: bool
) -> JsonObject:
    return {
        **_first_of_principal(principal, revision),
        "created_by": created_by,
        "disabled": disabled,
    }


def _first_of_principal(principal: Principal, revision: int) -> JsonObject:
    """Return what the first version of a principal's statement said."""
    return {
        "name": principal.name,
        "kind": principal.kind,
        "roles": [*sorted(set(principal.roles))],
        "groups": [*sorted(set(principal.groups))],
        "acts_for": principal.acts_for,
        "revision": revision,
    }


def _token(kept: KeptToken) -> JsonObject:
    made_with = kept.row.created_with
    return {
        **_first_of_token(kept),
        "created_by": kept.row.created_by,
        "created_with": None if made_with is None else str(made_with),
        "redeemed": kept.row.redeemed,
    }


def _first_of_token(kept: KeptToken) -> JsonObject:
    """Return what the first version of a token's statement said."""
    return {
        "token": str(kept.row.id),
        "principal": kept.row.principal,
        "hash": kept.hash,
        "scopes": [*sorted(set(kept.row.scopes))],
        "expires_at": moment(kept.row.expires_at),
    }


def _revocation(row: TokenRow, by: str) -> JsonObject:
    return {
        "token": str(row.id),
        "by": by,
        "revoked_at": None if row.revoked_at is None else moment(row.revoked_at),
        "since": None if row.revoked_since is None else moment(row.revoked_since),
    }


def _invitation(kept: KeptInvitation) -> JsonObject:
    invitation = kept.invitation
    made_with = invitation.created_with
    return {
        "invitation": str(invitation.id),
        "principal": invitation.principal,
        "hash": kept.hash,
        "scopes": [*sorted(set(invitation.scopes))],
        "valid_seconds": invitation.valid_seconds,
        "expires_at": moment(invitation.expires_at),
        "created_by": invitation.created_by,
        "created_with": None if made_with is None else str(made_with),
    }


def _withdrawal(invitation: Invitation, by: str) -> JsonObject:
    when = invitation.revoked_at
    return {
        "invitation": str(invitation.id),
        "by": by,
        "revoked_at": None if when is None else moment(when),
    }
