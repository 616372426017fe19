"""All SQL of invitations. Expiries are computed and judged by the database's clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.identity_tables import token_invitations
from remit.db.reading import words
from remit.db.session import wall_clock
from remit.errors import ConflictError
from remit.identity.repository import columns_of
from remit.identity.types import Invitation, KeptInvitation
from remit.telemetry.rows import read_row, read_rows


def insert_invitation(connection: sa.Connection, new: KeptInvitation) -> Invitation:
    """Keep the digest of a signed invitation, and return what is kept; the database says when."""
    # What is None yet, and the moment that the database stamps, no service may write.
    names = [column.name for column in _COLUMNS if column.name != "created_at"]
    given = {
        name: each for name, each in columns_of(new.invitation, *names).items() if each is not None
    }
    values = given | {"hash": new.hash, "envelope": new.envelope}
    statement = sa.insert(token_invitations).values(values).returning(*_COLUMNS)
    return _invitation(connection.execute(statement).one()._mapping)


def lock_invitation(
    connection: sa.Connection, invitation_id: UUID
) -> tuple[KeptInvitation, datetime] | None:
    """Return an invitation that nobody else changes until this transaction ends, and the time.

    The time is the database's, after whoever held the row let it go. None: there is none of that
    id.
    """
    where = token_invitations.c.id == invitation_id
    row = connection.execute(sa.select(token_invitations).where(where).with_for_update()).first()
    if row is None:
        return None
    return read_row(row._mapping, _kept, "token_invitations"), wall_clock(connection)


def redeem_invitation(connection: sa.Connection, invitation_id: UUID, token_id: UUID) -> None:
    """Say that an invitation that was locked was redeemed."""
    statement = _update_open(invitation_id)
    done = connection.execute(statement.values(redeemed_at=sa.func.now(), token_id=token_id))
    _require_one(done, invitation_id)


def revoke_invitation(
    connection: sa.Connection, invitation_id: UUID, revocation: JsonObject
) -> None:
    """Say that an invitation that was locked was revoked."""
    statement = _update_open(invitation_id)
    done = connection.execute(statement.values(revoked_at=sa.func.now(), revocation=revocation))
    _require_one(done, invitation_id)


def list_invitations(
    connection: sa.Connection, principal: str | None = None
) -> list[KeptInvitation]:
    """Return every invitation, or those for one principal, newest first."""
    statement = sa.select(token_invitations).order_by(token_invitations.c.created_at.desc())
    if principal is not None:
        statement = statement.where(token_invitations.c.principal == principal)
    return read_rows(connection.execute(statement), _kept, "token_invitations")


def invited_with(connection: sa.Connection, token_id: UUID, since: datetime) -> list[Invitation]:
    """Return the invitations that were made with a token from a moment on, oldest first."""
    statement = (
        sa.select(*_COLUMNS)
        .where(
            token_invitations.c.created_with == token_id,
            token_invitations.c.created_at >= since,
        )
        .order_by(token_invitations.c.created_at, token_invitations.c.id)
    )
    return read_rows(connection.execute(statement), _invitation, "token_invitations")


_COLUMNS = tuple(c for c in token_invitations.c if c.name not in {"hash", "envelope"})


def _update_open(invitation_id: UUID) -> sa.Update:
    return sa.update(token_invitations).where(
        token_invitations.c.id == invitation_id,
        token_invitations.c.redeemed_at.is_(None),
        token_invitations.c.revoked_at.is_(None),
    )


def _require_one(done: sa.CursorResult[Any], invitation_id: UUID) -> None:
    if done.rowcount != 1:
        raise ConflictError(f"invitation {invitation_id} has ended already")


def _kept(row: sa.RowMapping | Mapping[str, Any]) -> KeptInvitation:
    shown = {name: value for name, value in row.items() if name not in {"hash", "envelope"}}
    return KeptInvitation(_invitation(shown), row["hash"], row["envelope"])


def _invitation(row: sa.RowMapping | Mapping[str, Any]) -> Invitation:
    return Invitation(**{**row, "scopes": words(row["scopes"])})
