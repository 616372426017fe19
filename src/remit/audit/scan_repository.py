"""All SQL that reads everything there is, to verify it. It writes nothing.

`remit.operations.evidence.auditing` calls it inside one snapshot. It reads to find forgeries, and
so must read what no writer of Remit's would write: see `remit.db.reading`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from remit.approval.types import ApprovalRequest, ConfirmedPolicy, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.repository import streamed
from remit.audit.run_ends import LEFT, Attempt, AuditedRun, Worker
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

# Rows in memory at a time: an event is small, and an artifact may be 10 MiB.
_MANY, _FEW = 2000, 20


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are to verify.

    Attributes:
        entries: those of the budget's ledger.
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
        consent = self.grants + self.votes
        evidence = self.events + self.artifacts + self.memories
        return self.directives + consent + evidence + self.workers + self.runs


# In the order of the fields of Counts.
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
    counted = [
        sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in _COUNTED
    ]
    earlier = [
        sa.select(sa.func.count()).where(column < since).scalar_subquery() for column in _STAMPED
    ]
    row = connection.execute(sa.select(*counted, *earlier)).one()
    found = [*row[: len(counted)], sum(row[len(counted) :])]
    return Counts(*found)


@dataclass(frozen=True, slots=True)
class AuditedIntent:
    """A directive as its issuer signed it; JSON is whatever somebody forged into it.

    Attributes:
        content: the ten fields of the intent.
    """

    id: UUID
    status: str
    action_digest: str | None
    idempotency_key: str | None
    created_at: datetime
    envelope: Any
    content: dict[str, Any]


def stream_intents(connection: sa.Connection) -> Iterator[AuditedIntent]:
    """Yield what was asked for, of every directive."""
    names = (*AuditedIntent.__slots__[:-1], *INTENT_FIELDS)
    for found in _rows(connection, directives, names, _FEW):
        content = {name: found.pop(name) for name in INTENT_FIELDS}
        yield AuditedIntent(**found, content=content)


def stream_policies(connection: sa.Connection) -> Iterator[ConfirmedPolicy]:
    """Yield every policy that was confirmed."""
    for found in _rows(connection, policies, ConfirmedPolicy.__slots__, _MANY):
        yield ConfirmedPolicy(**found)


def stream_artifacts(connection: sa.Connection) -> Iterator[tuple[Artifact, Any]]:
    """Yield every artifact, in any order, with what is stored as its envelope.

    The metadata is no object where it was forged to be none; its digest does not fit then.
    """
    names = (*Artifact.__slots__, "envelope")
    for found in _rows(connection, artifacts, names, _FEW):
        envelope = found.pop("envelope")
        yield Artifact(**found), envelope


def stream_grants(connection: sa.Connection) -> Iterator[Grant]:
    """Yield every grant, used or not."""
    for found in _rows(connection, grants, Grant.__slots__, _MANY, words=("votes",)):
        yield Grant(**found)


def stream_votes(connection: sa.Connection) -> Iterator[tuple[Vote, ApprovalRequest]]:
    """Yield every vote with the request that it answers, oldest first."""
    cast, asked, size = Vote.__slots__, ApprovalRequest.__slots__, len(Vote.__slots__)
    statement = (
        sa.select(*readable(approval_votes, cast), *readable(approval_requests, asked))
        .join_from(approval_votes, approval_requests)
        .order_by(approval_votes.c.id)
    )
    lists = ("approver_groups", "rules")
    for row in streamed(connection, statement, _MANY):
        request = _values(approval_requests, asked, row[size:], words=lists)
        yield Vote(**_values(approval_votes, cast, row[:size])), ApprovalRequest(**request)


def stream_workers(connection: sa.Connection) -> Iterator[Worker]:
    """Yield every worker there ever was."""
    for found in _rows(connection, workers, Worker.__slots__, _MANY):
        yield Worker(**found)


def find_worker(connection: sa.Connection, worker_id: str) -> Worker | None:
    """Return the worker of an identifier, given as text; None: there is none."""
    statement = sa.select(*_WORKER).where(sa.cast(workers.c.id, sa.Text) == worker_id)
    row = connection.execute(statement).first()
    return None if row is None else _worker(row)


_WORKER = readable(workers, Worker.__slots__)


def _worker(row: Sequence[Any]) -> Worker:
    return Worker(**_values(workers, Worker.__slots__, row))


def stream_runs(
    connection: sa.Connection,
) -> Iterator[tuple[AuditedRun, Sequence[tuple[Attempt, Worker]]]]:
    """Yield every run with its attempts, by the run's identifier."""
    attempts = groupby(_stream_attempts(connection), lambda one: one[0].run_id)
    following = next(attempts, None)
    for run in _stream_alone(connection):
        own: list[tuple[Attempt, Worker]] = []
        if following is not None and following[0] == run.id:
            own = [*following[1]]
            following = next(attempts, None)
        yield run, own


_JOINED = ("granted_at", "granted_digest", "reason", "left")


def _stream_alone(connection: sa.Connection) -> Iterator[AuditedRun]:
    left = (
        sa.select(sa.func.jsonb_object_agg(artifacts.c.uri, artifacts.c.digest))
        .where(
            # By the directive first, of which there is an index.
            artifacts.c.directive_id == execution_runs.c.directive_id,
            artifacts.c.run_id == execution_runs.c.id,
            artifacts.c.type.in_(LEFT),
        )
        .scalar_subquery()
    )
    names = [name for name in AuditedRun.__slots__ if name not in _JOINED]
    statement = (
        sa.select(
            *readable(execution_runs, names),
            *readable(grants, ("issued_at",)),
            grants.c.module_digest,
            directives.c.status_reason,
            sa.cast(left, sa.Text),
        )
        .select_from(execution_runs)
        .join(grants, grants.c.id == execution_runs.c.grant_id)
        .join(directives, directives.c.id == execution_runs.c.directive_id)
        .order_by(execution_runs.c.id)
    )
    for *row, granted_at, granted_digest, reason, kept in streamed(connection, statement, _FEW):
        found = parsed_json(kept)
        yield AuditedRun(
            **_values(execution_runs, names, row),
            granted_at=granted_at,
            granted_digest=granted_digest,
            reason=reason,
            left=found if isinstance(found, dict) else {},
        )


def _stream_attempts(connection: sa.Connection) -> Iterator[tuple[Attempt, Worker]]:
    names, size = Attempt.__slots__, len(Attempt.__slots__)
    statement = (
        sa.select(*readable(execution_attempts, names), *_WORKER)
        .select_from(execution_attempts)
        .join(workers, workers.c.id == execution_attempts.c.worker_id)
        .order_by(execution_attempts.c.run_id, execution_attempts.c.attempt)
    )
    for row in streamed(connection, statement, _MANY):
        attempt = _values(execution_attempts, names, row[:size])
        yield Attempt(**attempt), _worker(row[size:])


def _rows(
    connection: sa.Connection,
    table: sa.Table,
    names: Sequence[str],
    batch: int,
    *,
    words: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    for row in streamed(connection, sa.select(*readable(table, names)), batch):
        yield _values(table, names, row, words=words)


def _values(
    table: sa.Table, names: Sequence[str], row: Sequence[Any], *, words: Collection[str] = ()
) -> dict[str, Any]:
    """Return readable columns by name, with their JSON parsed; `words` hold arrays of texts."""
    found = dict(zip(names, row, strict=True))
    for name in names:
        if name in words:
            value = parsed_json(found[name])
            found[name] = tuple(value) if isinstance(value, list) else (found[name],)
        elif isinstance(table.c[name].type, JSONB):
            found[name] = parsed_json(found[name])
    return found
