"""A watch over the audit log: a few chains at a time, again and again, for the gauge.

The worker calls :func:`watch_chains` now and then, and keeps what it returns for the next time.
Each time it verifies whole the chains of the directives that changed last, the next ones in the
order of their ids, and those that were broken when last looked at. So an edit of what is under way
is found at the next look, and any other once the round comes by: with 200 chains each 30 s, after
42 hours at most for a million directives.

It is no audit. It leaves out a chain of over 50,000 events, so that what a look reads is bounded;
one that was found broken before counts as broken still. It does not see a chain whose end was cut
off so that the status fits, nor one that was rewritten whole with hashes that fit: only a
checkpoint can tell. It looks at no artifact, no grant and no vote. `remit audit verify` sees all of
that.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.audit import watch_repository as repository
from remit.audit.chain import INSTALLATION
from remit.audit.overview_repository import limit_time
from remit.audit.verification import verify_chains
from remit.db.session import snapshot

NEXT = 200
"""How many chains a look verifies in the order of their ids."""

NEWEST = 50
"""How many of those that changed last it verifies besides."""

LONGEST_CHAIN = 50_000
"""How many events a chain may have that a look verifies."""

MOST_BROKEN = 100
"""How many broken chains are remembered and looked at again."""

LONGEST_STATEMENT = timedelta(seconds=5)
"""How long one statement of a look may take."""


@dataclass(frozen=True, slots=True)
class ChainWatch:
    """How far the watch is.

    Attributes:
        after: the last id of the round so far; the nil UUID, which is the installation's own chain,
            at the start of a round. A new watch begins anywhere: workers that often start anew
            would otherwise look at the first ones only.
        broken: the directives whose chains were broken when last looked at.
        rounds: how often the round has come to the end of the ids.
    """

    after: UUID = field(default_factory=uuid4)
    broken: frozenset[UUID] = frozenset()
    rounds: int = 0


def watch_chains(engine: sa.Engine, watch: ChainWatch) -> ChainWatch:
    """Verify some chains, and return how far the watch is now.

    Args:
        engine: the database.
        watch: what the last look returned; at first a new one.

    Raises:
        UnavailableError: the database does not answer, or not in time; the watch stays as it was.
    """
    with snapshot(engine) as connection:
        limit_time(connection, LONGEST_STATEMENT)
        coming = repository.next_ids(connection, watch.after, NEXT)
        ids = {*coming, *repository.newest_ids(connection, NEWEST), *watch.broken}
        if watch.after == INSTALLATION:
            ids.add(INSTALLATION)
        ids = repository.without_long_chains(connection, ids, LONGEST_CHAIN)
        events = repository.events_of(connection, ids)
        statuses = repository.statuses_of(connection, ids)
    found = (one.directive_id for one in verify_chains(events, statuses))
    unread = watch.broken - ids
    broken = sorted(unread | {directive_id for directive_id in found if directive_id is not None})
    at_end = len(coming) < NEXT
    return ChainWatch(
        after=INSTALLATION if at_end else coming[-1],
        broken=frozenset(broken[:MOST_BROKEN]),
        rounds=watch.rounds + at_end,
    )
