"""How the loop fares: a glance for gauges, an overview for a person, and a watch over the chains.

Each is one read-only snapshot, and none costs more as the database grows: counting ends somewhere,
and no more than the newest few thousand are looked at. `remit top` calls :func:`read_overview`. The
worker calls :func:`read_glance` and :func:`watch_chains` now and then, and writes
:func:`samples_of` as its gauges.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.audit import overview_repository, repository
from remit.audit.chain import INSTALLATION
from remit.audit.overview import (
    Ending,
    MemoryReads,
    PendingApproval,
    Running,
    StatusCount,
    Tally,
    Unanswered,
    VerdictCount,
)
from remit.audit.verification import verify_chains
from remit.db.session import database_time, snapshot
from remit.directives.lifecycle import TRANSITIONS
from remit.execution.worker_repository import count_living
from remit.operations.gate.policies import PolicyProblem
from remit.vocabulary import PolicyFault

UNDER_WAY = ("proposed", "approved", "executing")
"""The statuses that a directive is to leave again by itself, or with somebody's help."""

IDLE = timedelta(seconds=30)
"""A directive proposed for longer than this should have been decided, or asked about."""

LISTED = 10
"""How many directives an overview names of each kind."""

LONGEST_STATEMENT = timedelta(seconds=5)
"""How long one statement of a reading may take; then the reading fails, and the loop goes on."""

NEXT = 200
"""How many chains a look of the watch verifies in the order of their ids."""

NEWEST = 50
"""How many of those that changed last it verifies besides."""

LONGEST_CHAIN = 50_000
"""How many events a chain may have that a look verifies."""

MOST_BROKEN = 100
"""How many broken chains are remembered and looked at again."""

GAUGES: Mapping[str, str] = {
    "directives_waiting": "Directives under way now, by status.",
    "oldest_waiting_seconds": "How long the first of them has had its status; 0 for none.",
    "directives_unattended": "Proposed directives with no gate's decision and no request.",
    "approvals_expiring_soon": "Pending approval requests in their last hour, or last quarter.",
    "workers_living": "Workers whose lease is good.",
    "directives_in_doubt": "Directives of which nobody knows whether they were carried out.",
    "audit_chain_broken": "Chains of the audit log that the watch has found broken.",
    "policy_unusable": "1 while a worker decides and starts nothing, by what its policy lacks.",
    "overview_timestamp_seconds": "When the gauges about the database were read, in Unix time.",
}
"""Each gauge of :func:`samples_of`, and what it measures; the first two have the label `status`,
and the one about the policy the label `reason`.
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """The little that alerts are made of, at one moment by the database's clock.

    Attributes:
        under_way: how many directives have each status of :data:`UNDER_WAY`.
        workers: how many workers have a lease that is good.
    """

    at: datetime
    under_way: tuple[StatusCount, ...]
    unanswered: Unanswered
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """What a person sees of the loop at one moment, by the database's clock.

    Attributes:
        window_seconds: how long ago "lately" begins: of `recent`, `verdicts` and `memory_reads`.
        approvals: those that are waited for, the first to run out first.
        running: what executes, the longest first.
        endings: what ended or was blocked, the latest first, however long ago.
        pending: how many approvals are waited for; `MOST_COUNTED` stands for so many or more.
    """

    at: datetime
    window_seconds: float
    statuses: tuple[StatusCount, ...]
    recent: tuple[Tally, ...]
    verdicts: tuple[VerdictCount, ...]
    approvals: tuple[PendingApproval, ...]
    running: tuple[Running, ...]
    endings: tuple[Ending, ...]
    memory_reads: tuple[MemoryReads, ...]
    pending: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one gauge of :data:`GAUGES` is to show; its value is never below 0."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChainWatch:
    """How far the watch over the chains is.

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


def read_glance(engine: sa.Engine) -> Glance:
    """Return what waits now.

    Raises:
        UnavailableError: the database does not answer, or not in time.
    """
    with _reading(engine) as connection:
        return Glance(
            at=database_time(connection),
            under_way=tuple(overview_repository.count_statuses(connection, UNDER_WAY)),
            unanswered=overview_repository.count_unanswered(connection, IDLE),
            workers=count_living(connection),
        )


def read_overview(engine: sa.Engine, window: timedelta, *, listed: int = LISTED) -> Overview:
    """Return how the loop fares.

    `window` is how long ago "lately" begins. `listed` is the most directives to name of each kind.

    Raises:
        UnavailableError: the database does not answer, or not in time.
    """
    read = overview_repository
    with _reading(engine) as connection:
        return Overview(
            at=database_time(connection),
            window_seconds=window.total_seconds(),
            statuses=tuple(read.count_statuses(connection, list(TRANSITIONS.next_statuses))),
            recent=tuple(read.tally_recent(connection, window)),
            verdicts=tuple(read.tally_verdicts(connection, window)),
            approvals=tuple(read.list_pending(connection, listed)),
            running=tuple(read.list_running(connection, listed)),
            endings=tuple(read.list_endings(connection, listed)),
            memory_reads=tuple(read.tally_memory_reads(connection, window)),
            pending=read.count_pending(connection),
        )


def watch_chains(engine: sa.Engine, watch: ChainWatch) -> ChainWatch:
    """Verify some chains whole, and return how far the watch is now.

    A look takes the directives that changed last, the next ones in the order of their ids, and
    those that were broken when last looked at: with 200 chains each 30 s, a round through a million
    directives takes 42 hours.

    It is no audit, which sees all that this does not: a chain of over 50,000 events, whose reading
    would not be bounded (one that was found broken before counts as broken still); an end that was
    cut off so that the status fits; a chain that was rewritten whole with hashes that fit; and any
    artifact, grant or vote.

    Raises:
        UnavailableError: the database does not answer, or not in time; the watch stays as it was.
    """
    with _reading(engine) as connection:
        coming = repository.next_ids(connection, watch.after, NEXT)
        ids = {*coming, *repository.newest_ids(connection, NEWEST), *watch.broken}
        if watch.after == INSTALLATION:
            ids.add(INSTALLATION)
        ids = repository.without_long_chains(connection, ids, LONGEST_CHAIN)
        events = repository.list_chains(connection, ids)
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


def samples_of(
    glance: Glance, broken_chains: int, policy: PolicyProblem | None = None
) -> Iterator[Sample]:
    """Yield what each gauge is to show; every one of them, every time, so that none lags behind.

    `policy` is why nothing is decided or started; None: nothing is wrong with the policy.
    """
    for one in glance.under_way:
        labels = {"status": one.status}
        yield Sample("directives_waiting", one.count, labels)
        yield Sample("oldest_waiting_seconds", max(0.0, one.oldest_seconds or 0.0), labels)
    yield Sample("directives_unattended", glance.unanswered.unattended)
    yield Sample("approvals_expiring_soon", glance.unanswered.expiring)
    yield Sample("workers_living", glance.workers)
    yield Sample("directives_in_doubt", glance.unanswered.in_doubt)
    yield Sample("audit_chain_broken", broken_chains)
    for fault in get_args(PolicyFault):
        found = policy is not None and policy.fault == fault
        yield Sample("policy_unusable", int(found), {"reason": fault})
    yield Sample("overview_timestamp_seconds", glance.at.timestamp())


@contextmanager
def _reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    with snapshot(engine) as connection:
        overview_repository.limit_time(connection, LONGEST_STATEMENT)
        yield connection
