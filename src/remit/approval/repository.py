"""All SQL of approval requests, votes, grants and confirmed policies.

Operations call it inside their transaction; what changes a request or grant, with the directive's
row locked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import distinct_on, insert

from remit.approval.types import ApprovalRequest, ConfirmedPolicy, Grant, Vote
from remit.base.json_types import JsonObject
from remit.db.batch import BatchStatement, as_json, as_row, insert_into, limited
from remit.db.identity_tables import policies
from remit.db.reading import words
from remit.db.session import wall_clock
from remit.db.tables import approval_requests, approval_votes, grants
from remit.errors import ConflictError, NotFoundError
from remit.telemetry.rows import read_row, read_rows
from remit.vocabulary import RequestStatus, VoidReason


def open_requests(requests: Sequence[ApprovalRequest]) -> BatchStatement:
    """Return the write that opens pending requests; their times are set by the database's clock."""
    rows = [
        {**as_row(one, _OPENED), "valid_for": as_json(one.expires_at - one.requested_at)}
        for one in requests
    ]
    return BatchStatement("asked", _OPEN, rows, "an approval request was not opened")


def issue_grants(issued: Sequence[Grant]) -> BatchStatement:
    """Return the write that issues signed grants."""
    rows = [as_row(one, _ISSUED) for one in issued]
    return BatchStatement("granted", _ISSUE, rows, "a grant was not issued")


def consume_requests(request_ids: Sequence[UUID]) -> BatchStatement:
    """Return the write that marks approved requests whose grants start runs."""
    rows = [{"id": str(request_id)} for request_id in request_ids]
    return BatchStatement("consumed", _CONSUME, rows, "an approval request is no longer approved")


def latest_request(connection: sa.Connection, directive_id: UUID) -> ApprovalRequest | None:
    """Return the directive's newest approval request, or None when there never was one."""
    statement = (
        sa.select(approval_requests)
        .where(approval_requests.c.directive_id == directive_id)
        .order_by(approval_requests.c.requested_at.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return read_row(row._mapping, _request, "approval_requests") if row else None


def require_request(connection: sa.Connection, directive_id: UUID) -> ApprovalRequest:
    """Return the same; NotFoundError when nobody was ever asked about this directive."""
    request = latest_request(connection, directive_id)
    if request is None:
        raise NotFoundError(f"directive {directive_id} never asked for approval")
    return request


def resolve_request(
    connection: sa.Connection, request_id: UUID, current: RequestStatus, target: RequestStatus
) -> None:
    """Move a request on; ConflictError when somebody else moved it first."""
    result = connection.execute(
        sa.update(approval_requests)
        .where(approval_requests.c.id == request_id, approval_requests.c.status == current)
        .values(status=target, resolved_at=_RESOLVED_AT)
    )
    if result.rowcount != 1:
        raise ConflictError(f"approval request {request_id} is no longer {current}")


def invalidate_request(connection: sa.Connection, request_id: UUID) -> None:
    """Close a request whose grant turned out to be void; one that is closed stays as it is."""
    open_still = approval_requests.c.status.in_(("pending", "approved"))
    connection.execute(
        sa.update(approval_requests)
        .where(approval_requests.c.id == request_id, open_still)
        .values(status="invalidated", resolved_at=_RESOLVED_AT)
    )


def cast_vote(connection: sa.Connection, request_id: UUID, vote: Vote) -> None:
    """Append one signed vote."""
    connection.execute(sa.insert(approval_votes), {"request_id": request_id, **asdict(vote)})


def list_votes(connection: sa.Connection, request_id: UUID) -> list[Vote]:
    """Return every vote on a request, oldest first."""
    statement = (
        sa.select(approval_votes)
        .where(approval_votes.c.request_id == request_id)
        .order_by(approval_votes.c.id)
    )
    # All of them count: one that nobody can read may be the rejection.
    rows = connection.execute(statement)
    return [read_row(row._mapping, _vote, "approval_votes") for row in rows]


def latest_grants(
    connection: sa.Connection, directive_ids: Sequence[UUID]
) -> tuple[dict[UUID, Grant], datetime]:
    """Return the newest grant, used or not, of each directive that has one, and the clock.

    One that cannot be read is no grant.
    """
    rows = connection.execute(_LATEST_GRANTS, {"directive_ids": list(directive_ids)}).all()
    if not rows:
        return {}, wall_clock(connection)
    found = read_rows(rows, _grant, "grants")
    return {one.directive_id: one for one in found}, rows[0].now


def grant_by_id(connection: sa.Connection, grant_id: UUID) -> Grant | None:
    """Return one grant, or None when there is none of that id, or it cannot be read."""
    row = connection.execute(sa.select(grants).where(grants.c.id == grant_id)).first()
    return next(iter(read_rows([] if row is None else [row], _grant, "grants")), None)


def grant_from_json(stored: JsonObject) -> Grant:
    """Return the grant that :data:`LATEST_GRANT` read."""
    return _GRANT.validate_python(stored)


def latest_grant(connection: sa.Connection, directive_id: UUID) -> Grant | None:
    """Return the directive's newest grant, used or not, or None when it never had one."""
    found, _ = latest_grants(connection, [directive_id])
    return found.get(directive_id)


def void_grant(connection: sa.Connection, grant_id: UUID, reason: VoidReason) -> None:
    """Make a grant useless for good; one that is void already keeps its first reason."""
    connection.execute(
        sa.update(grants)
        .where(grants.c.id == grant_id, grants.c.voided_at.is_(None))
        .values(voided_at=sa.func.now(), void_reason=reason)
    )


_RESOLVED_AT = sa.func.coalesce(approval_requests.c.resolved_at, sa.func.now())
_SET = frozenset({"status", "requested_at", "expires_at", "resolved_at"})
_OPENED = tuple(each for each in ApprovalRequest.__slots__ if each not in _SET)
_OPEN = (
    insert_into(
        approval_requests,
        "asked",
        _OPENED,
        extra={"valid_for": "interval"},
        computed={"expires_at": "now() + valid_for"},
    )
    + " RETURNING id"
)
_ISSUED = tuple(each for each in Grant.__slots__ if each not in {"voided_at", "void_reason"})
_ISSUE = f"{insert_into(grants, 'granted', _ISSUED)} RETURNING id"
_CONSUME = f"""
    UPDATE approval_requests AS request SET status = 'consumed'
    FROM {limited("consumed", approval_requests, ["id"])}
    WHERE request.id = new.id AND request.status = 'approved'
    RETURNING request.id
"""  # noqa: S608 - constants
LATEST_GRANT = """(
    SELECT to_jsonb(newest) || jsonb_build_object('budget', newest.budget::text)
    FROM grants AS newest WHERE newest.directive_id = directive.id
    ORDER BY newest.issued_at DESC LIMIT 1
)"""
"""An SQL value: the newest grant of the row `directive`, with its amount as text to stay exact."""

_GRANT = TypeAdapter(Grant)
_LATEST_GRANTS = (
    sa.select(grants, sa.func.clock_timestamp().label("now"))
    .ext(distinct_on(grants.c.directive_id))
    .where(grants.c.directive_id == sa.any_(sa.bindparam("directive_ids", type_=sa.ARRAY(sa.Uuid))))
    .order_by(grants.c.directive_id, grants.c.issued_at.desc())
)


def _grant(row: sa.RowMapping) -> Grant:
    fields = {name: row[name] for name in Grant.__slots__}
    return Grant(**{**fields, "votes": words(row["votes"])})


def _vote(row: sa.RowMapping) -> Vote:
    return Vote(**{name: row[name] for name in Vote.__slots__})


def _request(row: sa.RowMapping) -> ApprovalRequest:
    listed = {name: words(row[name]) for name in ("approver_groups", "rules")}
    return ApprovalRequest(**{**row, **listed})


def list_requests(connection: sa.Connection, directive_id: UUID) -> list[ApprovalRequest]:
    """Return every approval request of a directive, oldest first."""
    statement = (
        sa.select(approval_requests)
        .where(approval_requests.c.directive_id == directive_id)
        .order_by(approval_requests.c.requested_at, approval_requests.c.id)
    )
    rows = connection.execute(statement)
    return [read_row(row._mapping, _request, "approval_requests") for row in rows]


def list_grants(connection: sa.Connection, directive_id: UUID) -> list[Grant]:
    """Return every grant of a directive, used or not, oldest first."""
    statement = (
        sa.select(grants)
        .where(grants.c.directive_id == directive_id)
        .order_by(grants.c.issued_at, grants.c.id)
    )
    rows = connection.execute(statement)
    return [read_row(row._mapping, _grant, "grants") for row in rows]


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


def find_policy(connection: sa.Connection, digest: str) -> ConfirmedPolicy | None:
    """Return the policy of this digest as it was confirmed; None when nobody has."""
    row = connection.execute(sa.select(policies).where(policies.c.digest == digest)).first()
    return read_row(row._mapping, _policy, "policies") if row else None


def keep_policy(
    connection: sa.Connection, digest: str, version: str, confirmed_by: str, envelope: JsonObject
) -> tuple[ConfirmedPolicy, bool]:
    """Keep that a policy is confirmed; return what is kept, and whether it was not before."""
    statement = insert(policies).on_conflict_do_nothing().returning(policies.c.digest)
    row = {"digest": digest, "version": version, "confirmed_by": confirmed_by, "envelope": envelope}
    created = connection.execute(statement.values(row)).first() is not None
    kept = connection.execute(sa.select(policies).where(policies.c.digest == digest)).one()
    return read_row(kept._mapping, _policy, "policies"), created


def is_any_confirmed(connection: sa.Connection) -> bool:
    """Return whether any policy was ever confirmed."""
    return bool(connection.execute(sa.select(sa.exists().select_from(policies))).scalar_one())


def _policy(row: Mapping[Any, Any]) -> ConfirmedPolicy:
    return ConfirmedPolicy(**row)
