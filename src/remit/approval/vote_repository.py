"""All SQL that finds votes by the token that they were cast with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.db.tables import approval_requests, approval_votes


@dataclass(frozen=True, slots=True)
class CastWith:
    """A vote, by the token that it was cast with."""

    directive_id: UUID
    request_id: UUID
    token_id: UUID
    voter: str
    cast_at: datetime


def approvals_with(connection: sa.Connection, token_ids: Collection[UUID]) -> list[CastWith]:
    """Return the approvals that were cast with any of these tokens, by directive and time."""
    statement = (
        sa.select(
            approval_requests.c.directive_id,
            approval_requests.c.id,
            approval_votes.c.token_id,
            approval_votes.c.voter,
            approval_votes.c.cast_at,
        )
        .join_from(approval_votes, approval_requests)
        .where(approval_votes.c.token_id.in_(token_ids), approval_votes.c.decision == "approve")
        .order_by(approval_requests.c.directive_id, approval_votes.c.cast_at, approval_votes.c.id)
    )
    return [CastWith(*row) for row in connection.execute(statement)]
