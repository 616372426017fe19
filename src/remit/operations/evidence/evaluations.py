"""Read ended runs, for those who observe: facts alone, no payload, no result, no message.

Doors hand them to whoever evaluates; a worker's sweep tells of those that no module ended.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.db.session import snapshot
from remit.directives.repository import get_directive
from remit.errors import ConflictError
from remit.execution.ended_repository import EndedFilter, list_ended, list_ended_uncalled
from remit.execution.models import EndedRun


def read_ended_runs(engine: sa.Engine, wanted: EndedFilter) -> list[EndedRun]:
    """Return the ended runs that pass the filter, the last to end first."""
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

    Args:
        engine: the database.
        within: how long ago they ended at most.
        known: runs to leave out.
        limit: the most to return.
    """
    with snapshot(engine) as connection:
        return list_ended_uncalled(connection, within, known, limit)
