"""Read what happened: one directive with its whole record, or many in a list.

Each reader sees one moment, and can change nothing.
"""

from collections.abc import Callable, Collection, Sequence
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
from remit.errors import ConflictError, InvalidInputError, NotFoundError
from remit.execution.ended_repository import EndedFilter, list_ended, list_ended_uncalled
from remit.execution.models import EndedRun, ExecutionRunRead
from remit.execution.repository import latest_run

SHORTEST_PREFIX = 4
"""Fewest characters that may stand for a whole identifier."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one directive: its newest request, grant and run; the rest oldest first.

    Attributes:
        votes: every vote on that request.
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
        events = list_events(connection, directive_id)
        broken = first_broken(events)
        return Record(
            directive=directive,
            request=request,
            votes=tuple(list_votes(connection, request.id)) if request else (),
            grant=latest_grant(connection, directive_id),
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


def find_leftovers(
    engine: sa.Engine, *, idle: timedelta, stalled: timedelta, limit: int
) -> Leftovers:
    """Return what nobody seems to be working on, the longest waiting first.

    `idle` is how long a directive may stay approved or proposed before it counts, and `stalled` how
    long it may stay executing. `limit` is the most of each to return.
    """
    with snapshot(engine) as connection:
        return Leftovers(
            approved=tuple(find_idle(connection, "approved", idle, limit)),
            executing=tuple(find_idle(connection, "executing", stalled, limit)),
            unattended=tuple(find_unattended(connection, idle, limit)),
        )


def read_ended_runs(engine: sa.Engine, wanted: EndedFilter) -> list[EndedRun]:
    """Return the ended runs that pass the filter, for those who evaluate, the last to end first.

    Of each there are facts alone: no payload, no result, no message.
    """
    with snapshot(engine) as connection:
        return list_ended(connection, wanted)


def read_ended_run(engine: sa.Engine, directive_id: UUID) -> EndedRun:
    """Return the run of a directive that ended last.

    Raises:
        NotFoundError: there is no such directive.
        ConflictError: no run of it has ended.
    """
    with snapshot(engine) as connection:
        for ended in list_ended(connection, EndedFilter(directive_id, limit=1)):
            return ended
        status = get_directive(connection, directive_id).status
    raise ConflictError(
        f"directive {directive_id} is {status}: no run of it has ended, so there is none to tell of"
    )


def find_ended_uncalled(
    engine: sa.Engine, *, within: timedelta, known: Collection[UUID], limit: int
) -> list[EndedRun]:
    """Return runs that ended although no module returned, the first to end first.

    Whoever calls a module tells of its run. Of these nobody does: a person canceled them, their
    attempts were exhausted, or their grant did not hold any more.

    `within` is how long ago they ended at most. `known`: runs to leave out.
    """
    with snapshot(engine) as connection:
        return list_ended_uncalled(connection, within, known, limit)


def resolve_id(engine: sa.Engine, text: str) -> UUID:
    """Return the directive that `text` is, or is the beginning of.

    Raises:
        InvalidInputError: it is no identifier, is too short, or several begin with it.
        NotFoundError: none begins with it.
    """
    return identified(engine, text, "directive", find_by_prefix, listing="remit list")


def identified(
    engine: sa.Engine,
    text: str,
    noun: str,
    find: Callable[[sa.Connection, str], Sequence[UUID]],
    *,
    listing: str,
) -> UUID:
    """Return the identifier that `text` is, or is the beginning of.

    `find` returns those that begin with a prefix, two at least when there are several. `noun` and
    `listing`, the command that lists them, are for the message.

    Raises:
        InvalidInputError: it is no identifier, is too short, or several begin with it.
        NotFoundError: none begins with it.
    """
    prefix = text.strip().lower()
    try:
        return UUID(prefix)
    except ValueError:
        pass
    if set(prefix) - set("0123456789abcdef-"):
        raise InvalidInputError(
            "not an identifier: those are hexadecimal, of 0-9, a-f and dashes", field="id"
        )
    if len(prefix) < SHORTEST_PREFIX:
        least = f"at least its first {SHORTEST_PREFIX} characters"
        raise InvalidInputError(f"too short: give it whole, or {least}", field="id")
    with snapshot(engine) as connection:
        found = find(connection, prefix)
    if not found:
        raise NotFoundError(f"no {noun} begins with {prefix}; `{listing}` shows those there are")
    if len(found) > 1:
        raise InvalidInputError(f"several {noun}s begin with {prefix}; give more of it", field="id")
    return found[0]
