"""Every statement on directives but the one that changes a status, which is the mutator's."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.batch import insert_into
from remit.db.reading import ids_beginning
from remit.db.tables import approval_requests, directives
from remit.directives.models import (
    INTENT_FIELDS,
    DirectiveCreate,
    DirectiveRead,
    Row,
    UnreadableDirective,
    intent_of,
)
from remit.errors import NotFoundError
from remit.telemetry.rows import read_row, read_rows
from remit.vocabulary import DirectiveStatus

MAX_LISTED = 1000
"""Most directives that one listing returns."""


@dataclass(frozen=True, slots=True)
class DirectiveFilter:
    """Which directives to list; None lets every value pass."""

    status: str | None = None
    scope: str | None = None
    type: str | None = None
    issued_by: str | None = None
    limit: int = 50
    status_reason: str | None = None


def insert_directives(
    connection: sa.Connection,
    new: Mapping[UUID, DirectiveCreate],
    *,
    signed: Mapping[UUID, JsonObject],
    grounds: str,
) -> dict[UUID, tuple[datetime, JsonObject]]:
    """Store directives; return of each that was stored the database's clock, and the grounds.

    One whose issuer has used its idempotency key before is left out; see :func:`find_by_keys`.
    `signed` has who proposes each but a draft; `grounds` is an SQL value of type `jsonb` about the
    row `directive`.
    """
    rows = [
        {
            "id": str(directive_id),
            "action_digest": content.content_digest if directive_id in signed else None,
            "status": content.status,
            "idempotency_key": content.idempotency_key,
            "envelope": signed.get(directive_id),
            **intent_of(content),
        }
        # In one order for all, so that callers who send the same keys wait, and never deadlock.
        for directive_id, content in sorted(
            new.items(), key=lambda each: each[1].idempotency_key or ""
        )
    ]
    stored = connection.exec_driver_sql(
        f"{_INSERT} {grounds} AS grounds", {"rows": json.dumps(rows, ensure_ascii=False)}
    )
    return {row.id: (row.created_at, row.grounds) for row in stored}


def freeze_directive(
    connection: sa.Connection, directive_id: UUID, digest: str, envelope: JsonObject
) -> None:
    """Give a draft the digest of its content, which binds it from then on, and who proposes it."""
    connection.execute(
        sa.update(directives)
        .where(directives.c.id == directive_id)
        .values(action_digest=digest, envelope=envelope)
    )


def issuer_envelope(connection: sa.Connection, directive_id: UUID) -> JsonObject | None:
    """Return who proposed a directive, as it was signed; None: nobody signed it."""
    statement = sa.select(directives.c.envelope).where(directives.c.id == directive_id)
    found: JsonObject | None = connection.execute(statement).scalar_one_or_none()
    return found


def find_by_keys(
    connection: sa.Connection, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], DirectiveRead]:
    """Return the directives that were stored under these (issuer, idempotency key) pairs."""
    pair = sa.tuple_(directives.c.issued_by, directives.c.idempotency_key)
    rows = connection.execute(sa.select(directives).where(pair.in_(list(keys))))
    found = [read_row(row._mapping, DirectiveRead.from_row, "directives") for row in rows]
    return {(one.issued_by, str(one.idempotency_key)): one for one in found}


def lock_directive(connection: sa.Connection, directive_id: UUID) -> DirectiveRead:
    """Return a directive and hold its row until the transaction ends.

    This orders everything that happens to one directive, its event chain included.

    Raises:
        NotFoundError: there is none of that id.
    """
    return _one(connection, _LOCK, directive_id)


def get_directive(connection: sa.Connection, directive_id: UUID) -> DirectiveRead:
    """Return a directive as it is now; NotFoundError when there is none of that id."""
    return _one(connection, _GET, directive_id)


def find_by_prefix(connection: sa.Connection, prefix: str) -> list[UUID]:
    """Return up to two directives whose identifier begins with `prefix`."""
    return ids_beginning(connection, directives.c.id, prefix)


def list_directives(
    connection: sa.Connection, wanted: DirectiveFilter
) -> list[DirectiveRead | UnreadableDirective]:
    """Return the directives that pass the filter, newest first, unreadable ones in their place."""
    statement = sa.select(directives).order_by(directives.c.created_at.desc(), directives.c.id)
    for name in ("status", "scope", "type", "issued_by", "status_reason"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(directives.c[name] == value)
    rows = connection.execute(statement.limit(min(wanted.limit, MAX_LISTED)))
    build: Callable[[Row], DirectiveRead | UnreadableDirective] = DirectiveRead.from_row
    return read_rows(rows, build, "directives", instead=UnreadableDirective.from_row)


def find_idle(
    connection: sa.Connection, status: DirectiveStatus, age: timedelta, limit: int
) -> list[DirectiveRead]:
    """Return directives whose status has been `status` for `age` or longer, the oldest first.

    What is in doubt waits for a person, and is left out.
    """
    idle = directives.c.updated_at <= sa.func.now() - age
    sure = directives.c.status_reason.is_(None)
    return _oldest(connection, [directives.c.status == status, idle, sure], limit)


def find_unattended(connection: sa.Connection, age: timedelta, limit: int) -> list[DirectiveRead]:
    """Return proposed directives that nothing waits on any more, the oldest first.

    Those are the ones with no pending approval request for `age`, and those whose pending request
    ran out as long ago.
    """
    then = sa.func.now() - age
    requests = approval_requests.c
    waiting = sa.exists().where(
        requests.directive_id == directives.c.id,
        requests.status == "pending",
        requests.expires_at > then,
    )
    old = directives.c.updated_at <= then
    return _oldest(connection, [directives.c.status == "proposed", old, ~waiting], limit)


def find_voided(
    connection: sa.Connection, policy_digest: str, issued_by: str | None, limit: int
) -> list[DirectiveRead]:
    """Return directives whose approval, or request for one, another policy made void."""
    requests, found = approval_requests.c, directives.c
    outdated = sa.exists().where(
        requests.directive_id == found.id,
        requests.status == "pending",
        requests.policy_digest != policy_digest,
    )
    blocked = (found.status == "blocked") & (found.status_reason == "policy_changed")
    void = blocked | ((found.status == "proposed") & outdated)
    whose = sa.true() if issued_by is None else found.issued_by == issued_by
    return _oldest(connection, [void, whose], limit)


_GIVEN = (*INTENT_FIELDS, "id", "status", "action_digest", "idempotency_key", "envelope")
_INSERT = f"""
    {insert_into(directives, "rows", _GIVEN).replace("directives", "directives AS directive", 1)}
    ON CONFLICT (issued_by, idempotency_key) DO NOTHING
    RETURNING id, created_at,
"""
_GET = sa.select(directives).where(directives.c.id == sa.bindparam("directive_id"))
_LOCK = _GET.with_for_update()
_IDS = sa.ARRAY(sa.Uuid)


def _oldest(
    connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]], limit: int
) -> list[DirectiveRead]:
    statement = sa.select(directives).where(*conditions).order_by(directives.c.updated_at)
    found: list[DirectiveRead] = []
    unreadable: list[UUID] = []
    while True:
        # What cannot be read takes no other's place, however much of it there is.
        left = statement.where(directives.c.id != sa.all_(sa.literal(unreadable, _IDS)))
        rows = connection.execute(left.limit(limit)).all()
        found = read_rows(rows, DirectiveRead.from_row, "directives")
        read = {one.id for one in found}
        fresh = [row.id for row in rows if row.id not in read]
        if not fresh:
            return found
        unreadable += fresh


def _one(
    connection: sa.Connection, statement: sa.Select[tuple[object, ...]], directive_id: UUID
) -> DirectiveRead:
    row = connection.execute(statement, {"directive_id": directive_id}).first()
    if row is None:
        raise NotFoundError(
            f"there is no directive {directive_id}; `remit list` shows those there are"
        )
    return read_row(row._mapping, DirectiveRead.from_row, "directives")
