"""All SQL that reads everything there is, to verify it. It writes nothing.

`remit.operations.evidence.auditing` calls it inside one snapshot. It reads to find forgeries, and
so must read what no writer of Remit's would write: see `remit.db.reading`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import JsonValue

from remit.approval.confirmation import ConfirmedPolicy
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.chain import INSTALLATION, Event
from remit.audit.checkpoint import Head
from remit.db.evidence_tables import artifacts, events, memories
from remit.db.execution_tables import execution_attempts, execution_runs, workers
from remit.db.identity_tables import (
    api_tokens,
    installation,
    policies,
    principals,
    token_invitations,
)
from remit.db.reading import parsed_json, readable
from remit.db.tables import (
    approval_requests,
    approval_votes,
    budget_entries,
    directives,
    grants,
)
from remit.directives.models import INTENT_FIELDS

_INTENT = ("id", "status", "action_digest", "idempotency_key", "created_at", "envelope")
_INTENT_JSON = ("payload", "constraints", "success_metrics")

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
        requests: requests for approval.
        runs: runs.
        attempts: attempts of runs.
        entries: entries of the budget's ledger.
        memories: memories.
        principals: people, agents and services.
        tokens: tokens.
        invitations: invitations to make a token.
        policies: policies that were confirmed.
        workers: processes that were certified to execute.
        earlier: rows of before the installation had an identity: what was not signed then, or in
            a form that names none, is taken as it is.
    """

    events: int
    directives: int
    artifacts: int
    grants: int
    votes: int
    requests: int
    runs: int
    attempts: int
    entries: int
    memories: int
    principals: int
    tokens: int
    invitations: int
    policies: int
    workers: int
    earlier: int

    @property
    def streamed(self) -> int:
        """How many rows are read one by one."""
        return sum(
            (
                *(self.events, self.directives, self.artifacts, self.grants, self.votes),
                *(self.memories, self.workers, self.runs),
            )
        )


@dataclass(frozen=True, slots=True)
class AuditedIntent:
    """What was asked for; JSON is whatever somebody forged into it.

    Attributes:
        id: the directive.
        status: where it stands.
        action_digest: the digest of its content; None for a draft.
        idempotency_key: the caller's own key; None: none was sent.
        created_at: when it was stored.
        envelope: who issued it, signed.
        content: the ten fields of the intent.
    """

    id: UUID
    status: str
    action_digest: str | None
    idempotency_key: str | None
    created_at: datetime
    envelope: Any
    content: dict[str, Any]


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


_COUNTED = (
    *(events, directives, artifacts, grants, approval_votes, approval_requests, execution_runs),
    *(execution_attempts, budget_entries, memories, principals, api_tokens, token_invitations),
    *(policies, workers),
)
_STAMPED = (
    *(directives.c.created_at, artifacts.c.created_at, memories.c.created_at),
    *(grants.c.issued_at, approval_votes.c.cast_at),
    *(principals.c.created_at, api_tokens.c.created_at),
)


def count_all(connection: sa.Connection) -> Counts:
    """Return how much there is to verify."""
    since = sa.select(installation.c.since).scalar_subquery()
    counted = [sa.select(sa.func.count()).select_from(t).scalar_subquery() for t in _COUNTED]
    earlier = [
        sa.select(sa.func.count()).where(column < since).scalar_subquery() for column in _STAMPED
    ]
    row = connection.execute(sa.select(*counted, *earlier)).one()
    found = [*row[: len(counted)], sum(row[len(counted) :])]
    return Counts(*found)


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
    for row in streamed(connection, statement, _MANY):
        yield Event(*row)


def stream_own_events(connection: sa.Connection) -> Iterator[Event]:
    """Yield the installation's own log, by position."""
    columns = readable(events, Event.__slots__)
    own = events.c.directive_id == INSTALLATION
    for row in streamed(connection, sa.select(*columns).where(own).order_by(events.c.seq), _MANY):
        yield Event(*row)


def stream_statuses(connection: sa.Connection) -> Iterator[tuple[UUID, str]]:
    """Yield every directive's id and status, by id."""
    statement = sa.select(directives.c.id, directives.c.status).order_by(directives.c.id)
    for row in streamed(connection, statement, _MANY):
        yield row[0], row[1]


def stream_intents(connection: sa.Connection) -> Iterator[AuditedIntent]:
    """Yield what was asked for, of every directive."""
    columns = readable(directives, (*_INTENT, *INTENT_FIELDS))
    for row in streamed(connection, sa.select(*columns), _FEW):
        said = dict(zip(INTENT_FIELDS, row[len(_INTENT) :], strict=True))
        parsed = {name: parsed_json(said[name]) for name in _INTENT_JSON}
        kept = dict(zip(_INTENT, row[: len(_INTENT)], strict=True))
        kept["envelope"] = parsed_json(kept["envelope"])
        yield AuditedIntent(**kept, content={**said, **parsed})


def stream_policies(connection: sa.Connection) -> Iterator[ConfirmedPolicy]:
    """Yield every policy that was confirmed; what is no object as its envelope was forged."""
    columns = readable(policies, ConfirmedPolicy.__slots__)
    for row in streamed(connection, sa.select(*columns), _MANY):
        fields = dict(zip(ConfirmedPolicy.__slots__, row, strict=True))
        yield ConfirmedPolicy(**{**fields, "envelope": parsed_json(fields["envelope"])})


def stream_artifacts(connection: sa.Connection) -> Iterator[tuple[Artifact, Any]]:
    """Yield every artifact, in any order, with what is stored as its envelope.

    The metadata is no object where it was forged to be none; its digest does not fit then.
    """
    columns = readable(artifacts, (*Artifact.__slots__, "envelope"))
    for row in streamed(connection, sa.select(*columns), _FEW):
        *said, envelope = row
        fields = dict(zip(Artifact.__slots__, said, strict=True))
        read = {"metadata": parsed_json(fields["metadata"])}
        yield Artifact(**{**fields, **read}), parsed_json(envelope)


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
    for row in streamed(connection, statement, _MANY):
        yield Mention(*row)


def stream_grants(connection: sa.Connection) -> Iterator[Grant]:
    """Yield every grant, used or not."""
    statement = sa.select(*readable(grants, Grant.__slots__)).order_by(grants.c.id)
    for row in streamed(connection, statement, _MANY):
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
    for row in streamed(connection, statement, _MANY):
        vote = dict(zip(Vote.__slots__, row[: len(cast)], strict=True))
        request = dict(zip(ApprovalRequest.__slots__, row[len(cast) :], strict=True))
        listed = {name: _words(request[name]) for name in ("approver_groups", "rules")}
        read = {name: parsed_json(vote[name]) for name in ("standing", "envelope")}
        yield Vote(**{**vote, **read}), ApprovalRequest(**{**request, **listed})


def streamed(
    connection: sa.Connection, statement: sa.Select[Any], batch: int
) -> Iterator[Sequence[Any]]:
    """Yield rows through a cursor of the server, `batch` of them in memory at a time."""
    with connection.execute(statement, execution_options={"yield_per": batch}) as rows:
        yield from rows


def _words(text: str) -> tuple[JsonValue, ...]:
    """Return the JSON array that a text says; of anything else, the text alone."""
    value = parsed_json(text)
    return tuple(value) if isinstance(value, list) else (text,)
