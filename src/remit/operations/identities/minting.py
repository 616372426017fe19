"""Tokens in the making: signed, told in the log, and seen once.

The operations about people and invitations call this inside their transactions.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.audit.repository import Entry, record
from remit.base.json_types import JsonObject
from remit.db.session import database_time
from remit.errors import InvalidInputError
from remit.identity.statements import sign_token
from remit.identity.token_repository import insert_token
from remit.identity.tokens import Token, new_token
from remit.identity.types import KeptToken, Principal, TokenRow
from remit.operations.identities.principals import told
from remit.signing.keys import Keyring

LONGEST_TOKEN = timedelta(days=366)
"""Longest time for which a token may be good."""


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token that was just made, the only time that it can be seen.

    Attributes:
        token: the token itself; nothing keeps it.
        row: what is kept of it.
    """

    token: Token
    row: TokenRow


def check_token(owner: Principal, valid_for: timedelta) -> None:
    """Return quietly when a token of these scopes and this length may be made.

    Raises:
        InvalidInputError: it covers nothing, or the length of time is not allowed.
    """
    if owner.scopes == ():
        raise InvalidInputError("empty: a token that covers nothing is of no use", field="scope")
    if not timedelta(0) < valid_for <= LONGEST_TOKEN:
        allowed = f"must be above zero and at most {LONGEST_TOKEN.days} days"
        raise InvalidInputError(allowed, field="valid_for")


def mint(
    connection: sa.Connection,
    owner: Principal,
    valid_for: timedelta,
    keys: Keyring,
    *,
    by: Principal,
    invitation: UUID | None = None,
) -> MadeToken:
    """Make a token inside a transaction, signed and told in the log.

    Args:
        connection: the transaction's.
        owner: whose token it is, limited to `scopes`.
        valid_for: how long it is good.
        keys: the installation's.
        by: who makes it.
        invitation: what its owner makes it of; None: it is of none.
    """
    token, now = new_token(), database_time(connection)
    row = TokenRow(
        id=token.id,
        principal=owner.name,
        scopes=tuple(sorted(set(owner.scopes or ()))),
        created_by=by.name,
        created_at=now,
        expires_at=now + valid_for,
        revoked_at=None,
        created_with=by.token,
        redeemed=invitation is not None,
    )
    new = KeptToken(row, token.hash, None)
    row = insert_token(connection, replace(new, envelope=sign_token(new, keys)))
    record(connection, [_told(row, invitation, by, keys)])
    return MadeToken(token, row)


def _told(row: TokenRow, invitation: UUID | None, by: Principal, keys: Keyring) -> Entry:
    """Return the event of a token that was made."""
    data: JsonObject = {
        "token": str(row.id),
        "principal": row.principal,
        "scopes": [*row.scopes],
        "expires_at": row.expires_at.isoformat(),
    }
    if invitation is None:
        return told("token.created", by, data, keys)
    return told("token.redeemed", by, {**data, "invitation": str(invitation)}, keys)
