"""Whose token somebody shows, and that the keys in use are the database's own."""

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from remit.db.session import snapshot
from remit.errors import UnauthenticatedError, UnverifiableError
from remit.identity.repository import read_installation
from remit.identity.statements import verify_principal, verify_token
from remit.identity.token_repository import find_token
from remit.identity.tokens import parse_token
from remit.identity.types import Principal
from remit.signing.keys import Installation, Keyring, pin

_ANOTHER = "an admin gives you another one by `remit token invite`"


def authenticate(engine: sa.Engine, text: str, keys: Keyring) -> Principal:
    """Return whose token `text` is, limited to the token's scopes.

    Raises:
        UnauthenticatedError: it is no token, or none that holds; the message does not say which
            part of it is wrong.
    """
    token = parse_token(text)
    with snapshot(engine) as connection:
        known = find_token(connection, token.id)
    if known is None or not token.matches(known.kept.hash):
        raise UnauthenticatedError("this token is not known here; use one that was made here")
    owner, row = known.owner, known.kept.row
    try:
        verify_principal(owner, keys)
        verify_token(known.kept, keys)
    except UnverifiableError as error:
        raise UnauthenticatedError(f"this token does not verify: {error}; {_ANOTHER}") from error
    revoked = row.revoked_at is not None
    if revoked or known.expired or owner.disabled_at is not None:
        did = "was revoked" if revoked else "has expired"
        did = "belongs to somebody who was shut out" if owner.disabled_at is not None else did
        raise UnauthenticatedError(f"this token {did}; {_ANOTHER}")
    return replace(
        owner.principal,
        scopes=row.scopes or None,
        token=row.id,
        made_by=row.created_by,
        redeemed=row.redeemed,
    )


def find_installation(engine: sa.Engine) -> Installation:
    """Return whose database this is."""
    with snapshot(engine) as connection:
        return read_installation(connection)


def use_keys(engine: sa.Engine, keys: Keyring, folder: Path | None = None) -> Keyring:
    """Return keys for use with a database; those of `folder` are settled to be that one's."""
    used = keys.used_for(find_installation(engine))
    if folder is None or used.pinned is not None or used.installation is None:
        return used
    pin(folder, used.installation.id)
    return replace(used, pinned=used.installation.id)
