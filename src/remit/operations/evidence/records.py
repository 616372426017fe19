"""Read what happened: one directive with its whole record, or many in a list.

Each reader sees one moment, and can change nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import latest_grant, latest_request, list_votes
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.repository import list_artifacts
from remit.artifacts.types import Artifact
from remit.audit.chain import Event, first_broken
from remit.audit.repository import list_events
from remit.db.session import snapshot
from remit.directives.models import DirectiveRead, UnreadableDirective
from remit.directives.repository import (
    DirectiveFilter,
    find_by_prefix,
    find_idle,
    find_unattended,
    get_directive,
    list_directives,
)
from remit.execution.models import ExecutionRunRead
from remit.execution.repository import latest_run
from remit.operations.evidence.identifiers import identified


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one directive.

    Attributes:
        directive: the directive now.
        request: its newest approval request; None when nobody was asked.
        votes: every vote on that request, oldest first.
        grant: its newest grant; None when there was none.
        run: its newest run; None when it never ran.
        artifacts: its artifacts, oldest first.
        events: its log, oldest first.
        broken_at: position of the first event whose hash does not fit; None when all do.
    """

    directive: DirectiveRead
    request: ApprovalRequest | None
    votes: tuple[Vote, ...]
    grant: Grant | None
    run: ExecutionRunRead | None
    artifacts: tuple[Artifact, ...]
    events: tuple[Event, ...]
    broken_at: int | None


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a crash left behind.

    Attributes:
        approved: approved, and nobody started them.
        executing: begun, and nothing has moved since.
        unattended: proposed, and nobody waits for their approval.
    """

    approved: tuple[DirectiveRead, ...]
    executing: tuple[DirectiveRead, ...]
    unattended: tuple[DirectiveRead, ...]


def read_record(engine: sa.Engine, directive_id: UUID) -> Record:
    """Return all that is known of one directive.

    Raises:
        NotFoundError: there is no such directive.
    """
    with snapshot(engine) as connection:
        directive = get_directive(connection, directive_id)
        request = latest_request(connection, directive_id)
        grant = latest_grant(connection, directive_id)
        events = list_events(connection, directive_id)
        broken = first_broken(events)
        return Record(
            directive=directive,
            request=request,
            votes=tuple(list_votes(connection, request.id)) if request else (),
            grant=grant,
            run=latest_run(connection, directive_id),
            artifacts=tuple(list_artifacts(connection, directive_id)),
            events=tuple(events),
            broken_at=broken.seq if broken else None,
        )


def read_directive(engine: sa.Engine, directive_id: UUID) -> DirectiveRead:
    """Return one directive as it is now.

    Raises:
        NotFoundError: there is no such directive.
    """
    with snapshot(engine) as connection:
        return get_directive(connection, directive_id)


def read_directives(
    engine: sa.Engine, wanted: DirectiveFilter
) -> list[DirectiveRead | UnreadableDirective]:
    """Return the directives that pass the filter, newest first; what cannot be read says so."""
    with snapshot(engine) as connection:
        return list_directives(connection, wanted)


def resolve_id(engine: sa.Engine, text: str) -> UUID:
    """Return the identifier that `text` is, or is the beginning of.

    Raises:
        InvalidInputError: it is no identifier, is too short, or several begin with it.
        NotFoundError: none begins with it.
    """
    return identified(engine, text, "directive", find_by_prefix, listing="remit list")


def find_leftovers(
    engine: sa.Engine, *, idle: timedelta, stalled: timedelta, limit: int
) -> Leftovers:
    """Return what nobody seems to be working on.

    Args:
        engine: the database.
        idle: how long a directive may stay approved or proposed before it counts.
        stalled: how long it may stay executing before it counts.
        limit: the most of each to return, longest waiting first.
    """
    with snapshot(engine) as connection:
        return Leftovers(
            approved=tuple(find_idle(connection, "approved", idle, limit)),
            executing=tuple(find_idle(connection, "executing", stalled, limit)),
            unattended=tuple(find_unattended(connection, idle, limit)),
        )
