"""All SQL that follows tokens back to those with which they were made, and tells which still hold.

Consent asks this: who has seen a token could vote with it, and a revoked one carries no approval.
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from remit.db.identity_tables import api_tokens
from remit.identity.token_repository import kept_token
from remit.identity.types import SYSTEM, KeptToken


def token_line(connection: sa.Connection, token_id: UUID) -> dict[UUID, KeptToken]:
    """Return a token, those with which it may have been made, and with which those were, by id.

    Empty when there is none of that id. The line ends at a token that its owner made of an
    invitation, and at one that Remit made. Where it was not noted with which token one was made,
    every token of its maker is meant.
    """
    rows = connection.execute(_LINE, {"token_id": token_id, "own": SYSTEM.name})
    return {row.id: kept_token(row._mapping) for row in rows}


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
