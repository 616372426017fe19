"""All SQL that reads everything there is, to verify it. It writes nothing.

`remit.operations.auditing` calls it inside one snapshot. It reads to find forgeries, and so must
read what no writer of Remit's would write: see `remit.db.reading`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import JsonValue

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.chain import Event
from remit.audit.checkpoint import Head
from remit.db.evidence_tables import artifacts, events
from remit.db.reading import parsed_json, readable
from remit.db.tables import approval_requests, approval_votes, directives, grants

# Rows in memory at a time: an event is small, and an artifact may be 10 MiB.
_MANY, _FEW = 2000, 20


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is to verify.

    Attributes:
        events: rows of the log.
        directives: directives.
        artifacts: artifacts.
        grants: grants, used or not.
        votes: votes.
    """

    events: int
    directives: int
    artifacts: int
    grants: int
    votes: int


@dataclass(frozen=True, slots=True)
class Mention:
    """An artifact that an event speaks of, and that is not there as it was then.

    Attributes:
        directive_id: whose event.
        seq: its position.
        uri: the artifact's address, as the event has it.
        is_there: whether there is an artifact of that address, with another digest.
    """

    directive_id: UUID
    seq: int
    uri: str
    is_there: bool


def count_all(connection: sa.Connection) -> Counts:
    """Return how much there is to verify."""
    tables = (events, directives, artifacts, grants, approval_votes)
    counted = (sa.select(sa.func.count()).select_from(t).scalar_subquery() for t in tables)
    return Counts(*connection.execute(sa.select(*counted)).one())


def list_heads(connection: sa.Connection) -> list[Head]:
    """Return the last event of every chain."""
    newest = (
        sa.select(events.c.directive_id, sa.func.max(events.c.seq).label("seq"))
        .group_by(events.c.directive_id)
        .subquery()
    )
    own = (events.c.directive_id == newest.c.directive_id) & (events.c.seq == newest.c.seq)
    columns = (events.c.directive_id, events.c.seq, events.c.hash)
    return [Head(*row) for row in connection.execute(sa.select(*columns).join(newest, own))]


def stream_events(connection: sa.Connection) -> Iterator[Event]:
    """Yield the whole log, by directive and position."""
    columns = readable(events, Event.__slots__)
    statement = sa.select(*columns).order_by(events.c.directive_id, events.c.seq)
    for row in _streamed(connection, statement, _MANY):
        yield Event(*row)


def stream_statuses(connection: sa.Connection) -> Iterator[tuple[UUID, str]]:
    """Yield every directive's id and status, by id."""
    statement = sa.select(directives.c.id, directives.c.status).order_by(directives.c.id)
    for row in _streamed(connection, statement, _MANY):
        yield row[0], row[1]


def stream_artifacts(connection: sa.Connection) -> Iterator[Artifact]:
    """Yield every artifact, in any order.

    The metadata is no object where it was forged to be none; its digest does not fit then.
    """
    for row in _streamed(connection, sa.select(*readable(artifacts, Artifact.__slots__)), _FEW):
        fields = dict(zip(Artifact.__slots__, row, strict=True))
        yield Artifact(**{**fields, "metadata": parsed_json(fields["metadata"])})


def stream_mentions(connection: sa.Connection) -> Iterator[Mention]:
    """Yield each mention of an artifact that is gone, or no longer has the digest mentioned."""
    named = sa.func.jsonb_each_text(
        sa.case(
            (
                sa.func.jsonb_typeof(events.c.data["evidence"]) == "object",
                events.c.data["evidence"],
            ),
            else_=sa.text("'{}'::jsonb"),
        )
    ).table_valued("key", "value", name="named")
    statement = (
        sa.select(events.c.directive_id, events.c.seq, named.c.key, artifacts.c.id.is_not(None))
        .select_from(events)
        .join(named, sa.true())
        .outerjoin(artifacts, artifacts.c.uri == named.c.key)
        .where(artifacts.c.id.is_(None) | (artifacts.c.digest != named.c.value))
        .order_by(events.c.directive_id, events.c.seq)
    )
    for row in _streamed(connection, statement, _MANY):
        yield Mention(*row)


def stream_grants(connection: sa.Connection) -> Iterator[Grant]:
    """Yield every grant, used or not."""
    statement = sa.select(*readable(grants, Grant.__slots__)).order_by(grants.c.id)
    for row in _streamed(connection, statement, _MANY):
        fields = dict(zip(Grant.__slots__, row, strict=True))
        read = {name: parsed_json(fields[name]) for name in ("heard", "envelope")}
        yield Grant(**{**fields, **read, "votes": _words(fields["votes"])})


def stream_votes(connection: sa.Connection) -> Iterator[tuple[Vote, ApprovalRequest]]:
    """Yield every vote with the request that it answers, oldest first."""
    cast = readable(approval_votes, Vote.__slots__)
    asked = readable(approval_requests, ApprovalRequest.__slots__)
    statement = (
        sa.select(*cast, *asked)
        .join_from(approval_votes, approval_requests)
        .order_by(approval_votes.c.id)
    )
    for row in _streamed(connection, statement, _MANY):
        vote = dict(zip(Vote.__slots__, row[: len(cast)], strict=True))
        request = dict(zip(ApprovalRequest.__slots__, row[len(cast) :], strict=True))
        listed = {name: _words(request[name]) for name in ("approver_groups", "rules")}
        read = {name: parsed_json(vote[name]) for name in ("standing", "envelope")}
        yield Vote(**{**vote, **read}), ApprovalRequest(**{**request, **listed})


def _streamed(
    connection: sa.Connection, statement: sa.Select[Any], batch: int
) -> Iterator[Sequence[Any]]:
    """Yield rows through a cursor of the server, `batch` of them in memory at a time."""
    with connection.execute(statement, execution_options={"yield_per": batch}) as rows:
        yield from rows


def _words(text: str) -> tuple[JsonValue, ...]:
    """Return the JSON array that a text says; of anything else, the text alone."""
    value = parsed_json(text)
    return tuple(value) if isinstance(value, list) else (text,)
