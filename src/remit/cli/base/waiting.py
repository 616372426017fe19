"""Wait for a directive's end, looking at the database again and again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from remit.errors import UnavailableError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.directives.models import DirectiveRead


def is_over(directive: "DirectiveRead") -> bool:
    """Return whether nothing more comes by itself: it has ended, or a person must settle it."""
    ends = {"complete", "aborted", "blocked"}
    return directive.status in ends or directive.status_reason == "in_doubt"


FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5

PATIENCE_SECONDS = 30.0
"""How long the database may be away in the middle of a wait."""

_FIRST_SECONDS = 2.0  # the same before it has answered at all


async def wait_for_ends(
    engine: "sa.Engine",
    ids: Sequence[UUID],
    on_change: "Callable[[DirectiveRead], None]",
    *,
    wanted: Callable[[], bool] = lambda: True,
) -> "list[DirectiveRead]":
    """Return the directives once each of them has ended or is blocked, in the order of `ids`.

    `on_change` is told of each when it is first seen and whenever its status differs. Once it is
    not `wanted` to wait on, the directives are returned as they are.

    Raises:
        NotFoundError: one does not exist.
        UnavailableError: the database did not answer for :data:`PATIENCE_SECONDS`.
    """
    seen: dict[UUID, DirectiveRead] = {}
    pause, answered = FIRST_PAUSE_SECONDS, time.monotonic()
    while pending := [key for key in ids if key not in seen or not is_over(seen[key])]:
        try:
            changed = await asyncio.to_thread(_look, engine, pending, seen)
            answered = time.monotonic()
        except UnavailableError:
            # A connection that was cut, a restart, a failover: nothing is done here but reading.
            if time.monotonic() - answered > (PATIENCE_SECONDS if seen else _FIRST_SECONDS):
                raise
            changed = []
        for directive in changed:
            seen[directive.id] = directive
            on_change(directive)
        if not wanted():
            break
        if any(key not in seen or not is_over(seen[key]) for key in ids):
            # Most end within milliseconds; what waits for a person may take days.
            pause = FIRST_PAUSE_SECONDS if changed else min(pause * 1.2, LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)
    return [seen[key] for key in ids if key in seen]


def _look(
    engine: "sa.Engine", ids: Sequence[UUID], seen: "dict[UUID, DirectiveRead]"
) -> "list[DirectiveRead]":
    from remit.operations.evidence.records import read_directive

    now = [read_directive(engine, key) for key in ids]
    return [
        each
        for each in now
        if each.id not in seen
        or (each.status, each.updated_at) != (seen[each.id].status, seen[each.id].updated_at)
    ]
