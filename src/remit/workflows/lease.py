"""The lease of a worker while it serves: renewed in a thread of its own, and ended when it stops.

Activities ask it before they begin anything. A worker knows by its own clock until when its lease
is good, so one that was away (a stopped process, a suspended machine, a database that did not
answer) finds that out before it asks anybody.
"""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread

import sqlalchemy as sa

from remit.errors import RemitError, UnavailableError
from remit.execution.workers import USUAL, Terms, WorkerIdentity
from remit.operations.runs.workers import end_worker, renew_lease
from remit.telemetry.logging import get_logger

# It goes on while the machine is suspended; elsewhere than on Linux the plain one does.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def awake_or_not() -> float:
    """Return seconds of a clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


def unwatched() -> None:
    """Tell nobody."""


class Lease:
    """What one worker knows of its lease. Threads may share one.

    It is good from the first :meth:`renew` on.
    """

    def __init__(
        self,
        engine: sa.Engine,
        worker: WorkerIdentity,
        terms: Terms = USUAL,
        clock: Callable[[], float] = awake_or_not,
    ) -> None:
        """Know nothing of the lease yet; the worker is announced already."""
        self.worker = worker
        self._engine = engine
        self._terms = terms
        self._clock = clock
        self._renewing = Lock()
        self._stop = Event()
        self._good_until = float("-inf")
        self._ended = False
        self._told_lost = False

    @property
    def good_until(self) -> float:
        """Until when it is good, by `clock`; the database's own word is never earlier."""
        return self._good_until

    @property
    def is_ended(self) -> bool:
        """Whether the worker's row says that it has ended: it is then never good again."""
        return self._ended

    def is_current(self) -> bool:
        """Return whether the lease is good at this moment; nobody is asked."""
        return not self._ended and self._clock() < self._good_until

    def require(self) -> None:
        """Return quietly when the lease is good, renewed first if it had run out.

        Raises:
            UnavailableError: it cannot be: the database does not answer, or the row has ended.
        """
        if self.is_current():
            return
        if not self._renewing.acquire(timeout=self._terms.length.total_seconds()):
            raise UnavailableError("the lease of this worker is being renewed; try again")
        try:
            good = self.is_current() or self._renew()
        finally:
            self._renewing.release()
        if not good:
            raise UnavailableError("this worker has ended: another one must do this")

    def renew(self) -> bool:
        """Renew the lease now; whether the worker is still one that may have one.

        Raises:
            UnavailableError: the database does not answer.
        """
        with self._renewing:
            return self._renew()

    def begin(self, on_end: Callable[[], object] = unwatched) -> None:
        """Renew the lease from now on, whatever the event loop and the other threads do.

        Args:
            on_end: called once, from another thread, if somebody else ends the worker's row.

        Raises:
            UnavailableError: the database does not answer; nothing goes on.
        """
        self.renew()
        Thread(target=self._keep, args=(on_end,), name="remit-lease", daemon=True).start()

    def end(self) -> None:
        """Renew the lease no longer, and end the worker's row; where that fails, it runs out."""
        self._stop.set()
        self._ended = True
        try:
            end_worker(self._engine, self.worker.id)
        except RemitError as error:
            get_logger(__name__).warning("lease_not_ended", error=str(error))

    def _renew(self) -> bool:
        # From before it is asked, so that the database never takes it for shorter.
        until = self._clock() + self._terms.length.total_seconds()
        if not renew_lease(self._engine, self.worker.id, self._terms):
            self._ended = True
            return False
        self._good_until = until
        if self._told_lost:
            self._told_lost = False
            get_logger(__name__).warning("lease_regained", worker=str(self.worker.id))
        return True

    def _keep(self, on_end: Callable[[], object]) -> None:
        while not self._stop.wait(self._terms.renewed_after.total_seconds()):
            self._tell_if_lost()
            try:
                going_on = self.renew()
            except RemitError as error:
                get_logger(__name__).warning("lease_not_renewed", error=str(error))
                self._tell_if_lost()
                continue
            except Exception:  # noqa: BLE001 - the next try is soon; without this there were none
                get_logger(__name__).exception("lease_not_renewed")
                continue
            if not going_on and not self._stop.is_set():
                get_logger(__name__).error("worker_ended", worker=str(self.worker.id))
                on_end()
                return

    def _tell_if_lost(self) -> None:
        if not self._told_lost and not self.is_current():
            self._told_lost = True
            away = self._clock() - self._good_until
            get_logger(__name__).warning("lease_lost", worker=str(self.worker.id), seconds=away)
