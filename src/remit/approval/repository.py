"""All SQL of approval requests, votes and grants.

Expiries are computed by the database from its own clock: a caller passes how long, never until
when. Operations call this inside their transaction, with the directive's row locked.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.approval.types import (
    ApprovalRequest,
    Ballot,
    Grant,
    RequestStatus,
    VoidReason,
    Vote,
)
from remit.db.tables import approval_requests, approval_votes, grants
from remit.errors import ConflictError, NotFoundError

_IN_A_WHILE = sa.func.now() + sa.bindparam("valid_for", type_=sa.Interval)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """An approval request to open; see :class:`ApprovalRequest` for the fields."""

    id: UUID
    directive_id: UUID
    action_digest: str
    policy_version: str
    policy_digest: str
    required_approvals: int
    allow_self_approval: bool
    approver_groups: tuple[str, ...]
    rules: tuple[str, ...]
    valid_for: timedelta


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to issue; see :class:`Grant` for the fields."""

    id: UUID
    directive_id: UUID
    request_id: UUID | None
    action_digest: str
    policy_version: str
    policy_digest: str
    module: str
    votes: tuple[str, ...]
    budget: Decimal | None
    valid_for: timedelta


def open_requests(connection: sa.Connection, requests: Sequence[NewRequest]) -> None:
    """Insert pending requests."""
    statement = sa.insert(approval_requests).values(expires_at=_IN_A_WHILE)
    connection.execute(statement, [_parameters(request) for request in requests])


def issue_grants(connection: sa.Connection, issued: Sequence[NewGrant]) -> None:
    """Insert grants."""
    statement = sa.insert(grants).values(expires_at=_IN_A_WHILE)
    connection.execute(statement, [_parameters(grant) for grant in issued])


def latest_request(connection: sa.Connection, directive_id: UUID) -> ApprovalRequest | None:
    """Return the directive's newest approval request, or None when there never was one."""
    statement = (
        sa.select(approval_requests)
        .where(approval_requests.c.directive_id == directive_id)
        .order_by(approval_requests.c.requested_at.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return _request(row._mapping) if row else None


def require_request(connection: sa.Connection, directive_id: UUID) -> ApprovalRequest:
    """Return the directive's newest approval request.

    Raises:
        NotFoundError: nobody was ever asked about this directive.
    """
    request = latest_request(connection, directive_id)
    if request is None:
        raise NotFoundError(f"directive {directive_id} never asked for approval")
    return request


def resolve_request(
    connection: sa.Connection, request_id: UUID, current: RequestStatus, target: RequestStatus
) -> None:
    """Move a request on.

    Raises:
        ConflictError: somebody else moved it first.
    """
    resolved_at = sa.func.coalesce(approval_requests.c.resolved_at, sa.func.now())
    result = connection.execute(
        sa.update(approval_requests)
        .where(approval_requests.c.id == request_id, approval_requests.c.status == current)
        .values(status=target, resolved_at=resolved_at)
    )
    if result.rowcount != 1:
        raise ConflictError(f"approval request {request_id} is no longer {current}")


def cast_vote(connection: sa.Connection, request_id: UUID, ballot: Ballot) -> None:
    """Append one vote."""
    row = {"request_id": request_id, **asdict(ballot)}
    connection.execute(sa.insert(approval_votes), row)


def list_votes(connection: sa.Connection, request_id: UUID) -> list[Vote]:
    """Return every vote on a request, oldest first."""
    columns = [c for c in approval_votes.c if c.name not in {"id", "request_id"}]
    statement = (
        sa.select(*columns)
        .where(approval_votes.c.request_id == request_id)
        .order_by(approval_votes.c.id)
    )
    return [Vote(**row._mapping) for row in connection.execute(statement)]


def latest_grant(connection: sa.Connection, directive_id: UUID) -> tuple[Grant | None, datetime]:
    """Return the directive's newest grant, used or not, and the database's clock.

    The grant is None when there never was one.
    """
    row = connection.execute(_LATEST_GRANT, {"directive_id": directive_id}).one()
    fields = {name: row._mapping[name] for name in _GRANT_FIELDS}
    if row.id is None:
        return None, row.now
    return Grant(**{**fields, "votes": tuple(row.votes)}), row.now


def void_grant(connection: sa.Connection, grant_id: UUID, reason: VoidReason) -> None:
    """Make a grant useless for good; one that is void already keeps its first reason."""
    connection.execute(
        sa.update(grants)
        .where(grants.c.id == grant_id, grants.c.voided_at.is_(None))
        .values(voided_at=sa.func.now(), void_reason=reason)
    )


def database_time(connection: sa.Connection) -> datetime:
    """Return the database's clock at the start of this transaction."""
    return connection.execute(sa.select(sa.func.now())).scalar_one()


_GRANT_FIELDS = tuple(column.name for column in grants.c)
_CLOCK = sa.select(sa.func.now().label("now")).subquery()
_NEWEST_GRANT = (
    sa.select(grants)
    .where(grants.c.directive_id == sa.bindparam("directive_id"))
    .order_by(grants.c.issued_at.desc())
    .limit(1)
    .subquery()
)
# One row in any case, so that the clock comes along even when there is no grant.
_LATEST_GRANT = sa.select(_CLOCK.c.now, _NEWEST_GRANT).select_from(
    _CLOCK.outerjoin(_NEWEST_GRANT, sa.true())
)


def _parameters(new: NewRequest | NewGrant) -> dict[str, object]:
    return {name: getattr(new, name) for name in new.__slots__}


def _request(row: sa.RowMapping) -> ApprovalRequest:
    listed = {"approver_groups": tuple(row["approver_groups"]), "rules": tuple(row["rules"])}
    return ApprovalRequest(**{**row, **listed})
