"""How the loop fares: a glance for gauges, and an overview for a person who watches.

Both are one read-only snapshot, and neither costs more as the database grows: counting ends
somewhere, and no more than the newest few thousand are looked at. `remit top` calls
:func:`read_overview`. The worker calls :func:`read_glance` now and then, with
`remit.operations.evidence.chain_watch`, and writes :func:`samples_of` as its gauges.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

import sqlalchemy as sa

from remit.audit import overview_repository as repository
from remit.audit.overview import (
    Ending,
    Judged,
    MemoryReads,
    PendingApproval,
    Running,
    StatusCount,
    Tally,
    Unanswered,
)
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
    """The little that alerts are made of.

    Attributes:
        at: when, by the database's clock.
        under_way: how many directives have each status of :data:`UNDER_WAY`.
        unanswered: what waits for a gate or for people.
        workers: how many workers have a lease that is good.
    """

    at: datetime
    under_way: tuple[StatusCount, ...]
    unanswered: Unanswered
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """What a person sees of the loop at one moment.

    Attributes:
        at: when, by the database's clock.
        window_seconds: how long ago "lately" begins.
        statuses: how many directives have each status now, in the order of the lifecycle.
        recent: what became of directives lately.
        verdicts: what the gate said lately.
        approvals: the approvals that are waited for, the first to run out first.
        running: what executes, the longest first.
        endings: what ended or was blocked, the latest first, however long ago.
        memory_reads: what memory was asked lately.
        pending: how many approvals are waited for; `MOST_COUNTED` stands for so many or more.
    """

    at: datetime
    window_seconds: float
    statuses: tuple[StatusCount, ...]
    recent: tuple[Tally, ...]
    verdicts: tuple[Judged, ...]
    approvals: tuple[PendingApproval, ...]
    running: tuple[Running, ...]
    endings: tuple[Ending, ...]
    memory_reads: tuple[MemoryReads, ...]
    pending: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one gauge is to show.

    Attributes:
        name: the gauge, one of :data:`GAUGES`.
        value: the number; never below 0.
        labels: its labels.
    """

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def read_glance(engine: sa.Engine) -> Glance:
    """Return what waits now.

    Raises:
        UnavailableError: the database does not answer, or not in time.
    """
    with _reading(engine) as connection:
        return Glance(
            at=database_time(connection),
            under_way=tuple(repository.count_statuses(connection, UNDER_WAY)),
            unanswered=repository.count_unanswered(connection, IDLE),
            workers=count_living(connection),
        )


def read_overview(engine: sa.Engine, window: timedelta, *, listed: int = LISTED) -> Overview:
    """Return how the loop fares.

    Args:
        engine: the database.
        window: how long ago "lately" begins.
        listed: the most directives to name of each kind.

    Raises:
        UnavailableError: the database does not answer, or not in time.
    """
    with _reading(engine) as connection:
        return Overview(
            at=database_time(connection),
            window_seconds=window.total_seconds(),
            statuses=tuple(repository.count_statuses(connection, list(TRANSITIONS.next_statuses))),
            recent=tuple(repository.tally_recent(connection, window)),
            verdicts=tuple(repository.tally_verdicts(connection, window)),
            approvals=tuple(repository.list_pending(connection, listed)),
            running=tuple(repository.list_running(connection, listed)),
            endings=tuple(repository.list_endings(connection, listed)),
            memory_reads=tuple(repository.tally_memory_reads(connection, window)),
            pending=repository.count_pending(connection),
        )


def samples_of(
    glance: Glance, broken_chains: int, policy: PolicyProblem | None = None
) -> Iterator[Sample]:
    """Yield what each gauge is to show; every one of them, every time, so that none lags behind.

    Args:
        glance: what waits.
        broken_chains: how many chains the watch has found broken.
        policy: why nothing is decided or started; None: nothing is wrong with the policy.
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
        repository.limit_time(connection, LONGEST_STATEMENT)
        yield connection
