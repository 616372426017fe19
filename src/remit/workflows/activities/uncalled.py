"""Tells of runs that ended although no module returned, and that nobody told of.

Whoever calls a module tells of its run. But a person cancels a run from another process, which soon
ends; attempts are exhausted, or a grant does not hold any more, before a module is called. The
sweep of a worker looks for those, so no process must know who observes but the workers.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from time import monotonic
from uuid import UUID

import sqlalchemy as sa

from remit.execution.models import EndedRun
from remit.operations.evidence.evaluations import find_ended_uncalled
from remit.telemetry.logging import get_logger
from remit.workflows.activities.calls import unobserved

LOOK_BACK_SECONDS = 3600.0
"""What ended before this worker began, while there may have been none, is told if it is no older;
what another has told is told again."""

OVERLAP_SECONDS = 60.0
"""A run bears the moment at which the transaction that ended it began, and is seen when that has
committed: each look goes back so far behind the one before."""

BATCH = 500
"""Most runs of one look; the next takes the rest."""


class UncalledRuns:
    """Those runs, as far as this worker has told of them. Threads may share one."""

    def __init__(self, engine: sa.Engine, observe: Callable[[EndedRun], None]) -> None:
        """Look at nothing yet.

        Args:
            engine: the database.
            observe: told of each; it returns at once.
        """
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
        within = timedelta(seconds=now - since)
        found = find_ended_uncalled(self._engine, within=within, known=self._told, limit=BATCH)
        for ended in found:
            self._told[ended.run_id] = now
            self._observe(ended)
        if len(found) < BATCH:
            self._looked = now
