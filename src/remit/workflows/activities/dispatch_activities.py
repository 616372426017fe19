"""What `DispatcherWorkflow` does: look for directives that nobody is working on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from time import monotonic
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity

from remit.execution.models import EndedRun
from remit.operations.evidence.records import find_ended_uncalled, find_leftovers
from remit.telemetry.logging import get_logger
from remit.workflows.activities.calls import unobserved
from remit.workflows.messages import ApprovalOrder, Found, execution_order

IDLE = timedelta(seconds=5)
"""A directive approved or proposed for longer than this should have been started."""

STALLED = timedelta(seconds=60)
"""A directive that executes for longer than this may have lost its workflow; asking is harmless."""

BATCH = 100
"""Most directives of each kind that one sweep takes up; the next takes the rest."""

LOOK_BACK_SECONDS = 3600.0
"""How old a run may be that ended before this worker began and is told of. What another worker has
told of is then told again."""

OVERLAP_SECONDS = 60.0
"""How far each look goes back behind the one before: a run bears the time at which the transaction
that ended it began, and is seen when that has committed."""

UNCALLED_BATCH = 500
"""Most ended runs of one look; the next takes the rest."""


def unwatched() -> None:
    """Look at nothing."""


@dataclass(frozen=True)
class DispatchActivities:
    """What `DispatcherWorkflow` does.

    Attributes:
        look: called before each sweep, to keep gauges; it must raise nothing.
        tell: called after each sweep, to tell of runs that no module ended; it must raise nothing.
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


class UncalledRuns:
    """Tells of runs that ended although no module returned. Threads may share one.

    Whoever calls a module tells of its run. But a person cancels a run from another process, which
    soon ends; attempts are exhausted, or a grant holds no more, before a module is called.
    """

    def __init__(self, engine: sa.Engine, observe: Callable[[EndedRun], None]) -> None:
        """Look at nothing yet; `observe` must return at once."""
        self._engine = engine
        self._observe = observe
        self._looking = Lock()
        self._looked = monotonic() - LOOK_BACK_SECONDS
        self._told: dict[UUID, float] = {}

    def tell(self) -> None:
        """Tell of those that ended since the last look; it raises nothing.

        Nothing is asked of the database when nobody observes.
        """
        if self._observe is unobserved or not self._looking.acquire(blocking=False):
            return
        try:
            self._tell(monotonic())
        except Exception:  # noqa: BLE001 - the sweep goes on whoever is not told
            get_logger(__name__).exception("ended_runs_not_told")
        finally:
            self._looking.release()

    def _tell(self, now: float) -> None:
        since = self._looked - OVERLAP_SECONDS
        self._told = {run_id: told for run_id, told in self._told.items() if told >= since}
        found = find_ended_uncalled(
            self._engine,
            within=timedelta(seconds=now - since),
            known=self._told,
            limit=UNCALLED_BATCH,
        )
        for ended in found:
            self._told[ended.run_id] = now
            self._observe(ended)
        if len(found) < UNCALLED_BATCH:
            self._looked = now
