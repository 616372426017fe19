"""All SQL of tokens and of the invitations of which people make them.

Expiries are computed and judged by the database's clock.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.identity_tables import api_tokens, principals, token_invitations
from remit.db.reading import words
from remit.db.session import wall_clock
from remit.errors import ConflictError, NotFoundError
from remit.identity.repository import columns_of, principal_row
from remit.identity.types import (
    SYSTEM,
    Invitation,
    KeptInvitation,
    KeptToken,
    PrincipalRow,
    TokenRow,
)
from remit.telemetry.rows import read_row, read_rows

_SECRET = ("hash", "envelope")
_TOKEN_COLUMNS = tuple(column for column in api_tokens.c if column.name not in _SECRET)
_INVITATION_COLUMNS = tuple(each for each in token_invitations.c if each.name not in _SECRET)


@dataclass(frozen=True, slots=True)
class TokenWithOwner:
    """A token that was found, with whose it is; the database's clock says whether it is over."""

    kept: KeptToken
    owner: PrincipalRow
    expired: bool


def find_token(connection: sa.Connection, token_id: UUID) -> TokenWithOwner | None:
    """Return what is kept of a token; None when there is none of that id."""
    row = connection.execute(_BY_TOKEN, {"token_id": token_id}).first()
    return read_row(row._mapping, _known, "api_tokens") if row else None


def insert_token(connection: sa.Connection, new: KeptToken) -> TokenRow:
    """Keep the digest of a signed token, and return what is kept; the database says when."""
    statement = _insert(_TOKEN_COLUMNS, new.row, hash=new.hash, envelope=new.envelope)
    return _token(connection.execute(statement).one()._mapping)


def list_tokens(connection: sa.Connection, principal: str | None = None) -> list[TokenRow]:
    """Return every token, or one principal's, newest first."""
    statement = _newest(api_tokens, principal, *_TOKEN_COLUMNS)
    return read_rows(connection.execute(statement), _token, "api_tokens")


def list_kept_tokens(connection: sa.Connection) -> list[KeptToken]:
    """Return all that is kept of every token, by id: for an audit."""
    rows = connection.execute(sa.select(api_tokens).order_by(api_tokens.c.id))
    return read_rows(rows, kept_token, "api_tokens")


def lock_token(connection: sa.Connection, token_id: UUID) -> TokenRow:
    """Return a token that nobody else changes until this transaction ends."""
    statement = sa.select(*_TOKEN_COLUMNS).where(api_tokens.c.id == token_id).with_for_update()
    row = connection.execute(statement).first()
    if row is None:
        raise NotFoundError(
            f"there is no token {token_id}; `remit token list` shows those there are"
        )
    return read_row(row._mapping, _token, "api_tokens")


def is_revoked(connection: sa.Connection, token_id: UUID) -> bool:
    """Return whether a token was revoked, or is gone; nobody revokes it in this transaction."""
    statement = sa.select(api_tokens.c.revoked_at).where(api_tokens.c.id == token_id)
    row = connection.execute(statement.with_for_update(read=True)).first()
    return row is None or row.revoked_at is not None


def revoke_token(connection: sa.Connection, revoked: TokenRow) -> None:
    """End a token that was locked, or say that its end reaches further back; its end is signed."""
    done = connection.execute(
        sa.update(api_tokens)
        .where(api_tokens.c.id == revoked.id)
        .values(
            revoked_at=revoked.revoked_at,
            revoked_since=revoked.revoked_since,
            revocation=revoked.revocation,
        )
    )
    if done.rowcount != 1:
        raise ConflictError(f"token {revoked.id} was changed at the same moment; try again")


def made_with(connection: sa.Connection, token_id: UUID, since: datetime) -> list[TokenRow]:
    """Return the tokens that were made with one from a moment on, oldest first."""
    statement = _made_with(api_tokens, token_id, since, *_TOKEN_COLUMNS)
    return read_rows(connection.execute(statement), _token, "api_tokens")


def insert_invitation(connection: sa.Connection, new: KeptInvitation) -> Invitation:
    """Keep the digest of a signed invitation, and return what is kept; the database says when."""
    statement = _insert(_INVITATION_COLUMNS, new.invitation, hash=new.hash, envelope=new.envelope)
    return _invitation(connection.execute(statement).one()._mapping)


def lock_invitation(
    connection: sa.Connection, invitation_id: UUID
) -> tuple[KeptInvitation, datetime] | None:
    """Return an invitation that nobody else changes until this transaction ends, and the time.

    The time is the database's, after whoever held the row let it go.
    """
    where = token_invitations.c.id == invitation_id
    row = connection.execute(sa.select(token_invitations).where(where).with_for_update()).first()
    if row is None:
        return None
    return read_row(row._mapping, _kept_invitation, "token_invitations"), wall_clock(connection)


def redeem_invitation(connection: sa.Connection, invitation_id: UUID, token_id: UUID) -> None:
    """Say that an invitation that was locked was redeemed."""
    _end(connection, invitation_id, redeemed_at=sa.func.now(), token_id=token_id)


def revoke_invitation(
    connection: sa.Connection, invitation_id: UUID, revocation: JsonObject
) -> None:
    """Say that an invitation that was locked was revoked."""
    _end(connection, invitation_id, revoked_at=sa.func.now(), revocation=revocation)


def _end(connection: sa.Connection, invitation_id: UUID, **values: object) -> None:
    statement = sa.update(token_invitations).where(
        token_invitations.c.id == invitation_id,
        token_invitations.c.redeemed_at.is_(None),
        token_invitations.c.revoked_at.is_(None),
    )
    if connection.execute(statement.values(values)).rowcount != 1:
        raise ConflictError(f"invitation {invitation_id} has ended already")


def list_invitations(
    connection: sa.Connection, principal: str | None = None
) -> list[KeptInvitation]:
    """Return every invitation, or those for one principal, newest first."""
    statement = _newest(token_invitations, principal, *token_invitations.c)
    return read_rows(connection.execute(statement), _kept_invitation, "token_invitations")


def invited_with(connection: sa.Connection, token_id: UUID, since: datetime) -> list[Invitation]:
    """Return the invitations that were made with a token from a moment on, oldest first."""
    statement = _made_with(token_invitations, token_id, since, *_INVITATION_COLUMNS)
    return read_rows(connection.execute(statement), _invitation, "token_invitations")


def _insert(columns: tuple[sa.Column[Any], ...], value: object, **kept: object) -> sa.Insert:
    # What is None yet, and the moment that the database stamps, no service may write.
    names = [column.name for column in columns if column.name != "created_at"]
    found = columns_of(value, *names).items()
    given = {name: each for name, each in found if each is not None}
    return sa.insert(columns[0].table).values({**given, **kept}).returning(*columns)


def _newest(
    table: sa.Table, principal: str | None, *columns: sa.Column[Any]
) -> sa.Select[tuple[Any, ...]]:
    statement = sa.select(*columns).order_by(table.c.created_at.desc())
    return statement if principal is None else statement.where(table.c.principal == principal)


def _made_with(
    table: sa.Table, token_id: UUID, since: datetime, *columns: sa.Column[Any]
) -> sa.Select[tuple[Any, ...]]:
    made = (table.c.created_with == token_id) & (table.c.created_at >= since)
    return sa.select(*columns).where(made).order_by(table.c.created_at, table.c.id)


_BY_TOKEN = (
    sa.select(
        principals,
        *(column.label(f"token_{column.name}") for column in api_tokens.c),
        (api_tokens.c.expires_at <= sa.func.clock_timestamp()).label("expired"),
    )
    .join(api_tokens, api_tokens.c.principal == principals.c.name)
    .where(api_tokens.c.id == sa.bindparam("token_id"))
)


def _known(row: sa.RowMapping | Mapping[str, Any]) -> TokenWithOwner:
    kept = {column.name: row[f"token_{column.name}"] for column in api_tokens.c}
    return TokenWithOwner(kept_token(kept), principal_row(row), row["expired"])


def kept_token(row: sa.RowMapping | Mapping[str, Any]) -> KeptToken:
    """Return the token of a whole row."""
    return KeptToken(_token(_shown(row)), row["hash"], row["envelope"])


def _kept_invitation(row: sa.RowMapping | Mapping[str, Any]) -> KeptInvitation:
    return KeptInvitation(_invitation(_shown(row)), row["hash"], row["envelope"])


def _shown(row: sa.RowMapping | Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _SECRET}


def _token(row: sa.RowMapping | Mapping[str, Any]) -> TokenRow:
    return TokenRow(**{**row, "scopes": words(row["scopes"])})


def _invitation(row: sa.RowMapping | Mapping[str, Any]) -> Invitation:
    return Invitation(**{**row, "scopes": words(row["scopes"])})


def token_lineage(connection: sa.Connection, token_id: UUID) -> dict[UUID, KeptToken]:
    """Return a token, those with which it may have been made, and with which those were, by id.

    Consent asks for it: who has seen a token could vote with it. The line ends at a token that its
    owner made of an invitation, and at one that Remit made. Where it was not noted with which token
    one was made, every token of its maker is meant.
    """
    rows = connection.execute(_LINE, {"token_id": token_id, "own": SYSTEM.name})
    # One that cannot be read ends it: a line that leaves somebody out would count them as another.
    return {row.id: read_row(row._mapping, kept_token, "api_tokens") for row in rows}


def unrevoked_tokens(connection: sa.Connection, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these tokens are known and were not revoked; they may have expired."""
    if not ids:
        return frozenset()
    holds = api_tokens.c.id.in_(ids) & api_tokens.c.revoked_at.is_(None)
    return frozenset(connection.execute(sa.select(api_tokens.c.id).where(holds)).scalars())


_LINE = sa.text("""
    WITH RECURSIVE line (id, created_by, created_with, redeemed) AS (
        SELECT id, created_by, created_with, redeemed FROM api_tokens WHERE id = :token_id
        UNION
        SELECT maker.id, maker.created_by, maker.created_with, maker.redeemed
        FROM line JOIN api_tokens AS maker ON CASE
            WHEN line.created_with IS NULL THEN maker.principal = line.created_by
            ELSE maker.id = line.created_with END
        WHERE NOT line.redeemed AND line.created_by <> :own
    )
    SELECT token.* FROM line JOIN api_tokens AS token ON token.id = line.id
""").columns(*api_tokens.c)
