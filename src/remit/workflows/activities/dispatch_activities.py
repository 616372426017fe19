"""What `DispatcherWorkflow` does: look for directives that nobody is working on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from temporalio import activity

from remit.operations.evidence.records import find_leftovers
from remit.workflows.orders import ApprovalOrder, Found, execution_order

IDLE = timedelta(seconds=5)
"""A directive approved or proposed for longer than this should have been started."""

STALLED = timedelta(seconds=60)
"""A directive that executes for longer than this may have lost its workflow; asking is harmless."""

BATCH = 100
"""Most directives of each kind that one sweep takes up; the next takes the rest."""


def unwatched() -> None:
    """Look at nothing."""


@dataclass(frozen=True)
class DispatchActivities:
    """What `DispatcherWorkflow` does.

    Attributes:
        engine: the database.
        look: called before each sweep, by whoever keeps gauges; it must raise nothing.
        tell: called after each sweep, to tell of runs that no module ended; the same holds for it.
    """

    engine: sa.Engine
    look: Callable[[], None] = unwatched
    tell: Callable[[], None] = unwatched

    @activity.defn
    def fetch_approved_directives(self) -> Found:
        """Return what a crash left behind, the longest waiting first."""
        self.look()
        left = find_leftovers(self.engine, idle=IDLE, stalled=STALLED, limit=BATCH)
        self.tell()
        return Found(
            executions=[execution_order(one) for one in (*left.approved, *left.executing)],
            approvals=[ApprovalOrder(str(one.id)) for one in left.unattended],
        )
