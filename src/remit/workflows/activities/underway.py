"""The attempts that this process is at, whatever becomes of the activities that began them.

Temporal cancels an activity, times it out, or hands it out a second time whenever a worker was
silent. But a module is called once an attempt, and what it returns counts. So an attempt is known
here from before it begins until it has ended, a second task for it joins the first, and its time
limit is kept here. Time for which the process was stopped, or its machine suspended, does not count
against the limit.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock, Thread
from uuid import UUID

from remit.errors import UnavailableError
from remit.telemetry.logging import get_logger
from remit.workflows.lease import awake_or_not
from remit.workflows.messages import ExecutionStep

TICK_SECONDS = 0.25
"""Pause between two looks at the clock, and at time limits."""

STOPPED_SECONDS = 1.0
"""A pause of so long, in which the process did not even compute, is one in which it was stopped."""

IDLE_TICKS = 40
"""So many looks without an attempt end the watch; the next attempt begins it again."""


class WorkingClock:
    """Seconds for which this process could work. Threads may share one."""

    def __init__(
        self,
        seconds: Callable[[], float] = awake_or_not,
        computed: Callable[[], float] = time.process_time,
    ) -> None:
        """Begin to count, by a clock that never stops and the processor time that was used."""
        self._seconds = seconds
        self._computed = computed
        self._lock = Lock()
        self._stopped = 0.0
        self._last = (seconds(), computed())

    def now(self) -> float:
        """Return the seconds; somebody must ask every second, so that stops are found."""
        with self._lock:
            at, computed = self._seconds(), self._computed()
            passed, worked = at - self._last[0], computed - self._last[1]
            if passed > STOPPED_SECONDS:
                # A module that computed all that time, and let nobody else, was not stopped.
                self._stopped += max(0.0, passed - max(worked, TICK_SECONDS))
            self._last = (at, computed)
            return at - self._stopped


@dataclass(eq=False)
class Attempt:
    """One attempt that is under way.

    Attributes:
        step: where the directive stands once the attempt has ended; activities wait for it.
    """

    directive_id: UUID
    step: "Future[ExecutionStep]" = field(default_factory=Future)
    _lock: Lock = field(default_factory=Lock)
    _ends: float = float("inf")
    _on_overdue: Callable[[], None] | None = None
    _is_ended: bool = False

    def take_end(self) -> bool:
        """Return whether whoever calls is the one to end it: the first to ask is."""
        with self._lock:
            taken, self._is_ended = not self._is_ended, True
            return taken

    def limit(self, ends: float, on_overdue: Callable[[], None]) -> None:
        """Call `on_overdue`, from another thread, when it has not ended by then."""
        self._ends, self._on_overdue = ends, on_overdue

    def overdue(self, now: float) -> Callable[[], None] | None:
        """Return what to do about a time limit that has passed; None when there is nothing."""
        if self._is_ended or now < self._ends:
            return None
        self._ends = float("inf")
        return self._on_overdue


class Underway:
    """The attempts of one process, by directive. Threads may share one."""

    def __init__(self, clock: WorkingClock | None = None) -> None:
        """Know of none yet; None: the clock of this process."""
        self.clock = clock or WorkingClock()
        self._lock = Lock()
        self._attempts: dict[UUID, Attempt] = {}
        self._is_watched = False
        self._closing = Event()

    def find(self, directive_id: UUID) -> Attempt | None:
        """Return the attempt of a directive that is under way here; None: there is none."""
        with self._lock:
            return self._attempts.get(directive_id)

    def begin(self, directive_id: UUID) -> Attempt:
        """Note an attempt that is about to begin; :meth:`end` or :meth:`fail` ends it.

        Raises:
            UnavailableError: one is under way here, or this process ends.
        """
        if self._closing.is_set():
            raise UnavailableError("this worker stops; another one does it, or this one later")
        with self._lock:
            if directive_id in self._attempts:
                raise UnavailableError(
                    f"an attempt of directive {directive_id} is under way here; try again"
                )
            made = self._attempts[directive_id] = Attempt(directive_id)
            made.step.set_running_or_notify_cancel()
            if not self._is_watched:
                self._is_watched = True
                Thread(target=self._watch, name="remit-attempts", daemon=True).start()
        return made

    def end(self, attempt: Attempt, step: ExecutionStep) -> None:
        """Note that an attempt has ended, and tell who waits for it; the first word counts."""
        if self._forget(attempt):
            attempt.step.set_result(step)

    def fail(self, attempt: Attempt, error: BaseException) -> None:
        """Note that an attempt came to nothing that could be told; see :meth:`end`."""
        if self._forget(attempt):
            attempt.step.set_exception(error)

    def close(self) -> None:
        """Begin nothing any more; what could not be told to the database is given up soon."""
        self._closing.set()

    def pause(self, seconds: float) -> bool:
        """Wait for some seconds; whether the process goes on."""
        return not self._closing.wait(seconds)

    def limit(
        self, attempt: Attempt, limit: timedelta, on_overdue: Callable[[], None]
    ) -> Callable[[], bool]:
        """Give an attempt a time limit from now on; return what tells whether it has passed."""
        ends = self.clock.now() + limit.total_seconds()
        attempt.limit(ends, on_overdue)
        return lambda: self.clock.now() > ends

    def _forget(self, attempt: Attempt) -> bool:
        with self._lock:
            known = self._attempts.get(attempt.directive_id) is attempt
            if known:
                del self._attempts[attempt.directive_id]
            return known

    def _watch(self) -> None:
        """Look at the clock and at time limits until nothing has been under way for a while."""
        idle = 0
        while True:
            time.sleep(TICK_SECONDS)
            now = self.clock.now()
            with self._lock:
                attempts = list(self._attempts.values())
                idle = 0 if attempts else idle + 1
                if idle > IDLE_TICKS:
                    self._is_watched = False
                    return
            for attempt in attempts:
                if act := attempt.overdue(now):
                    # On its own, since the database may keep it waiting.
                    Thread(target=_safely, args=(act,), name="remit-overdue", daemon=True).start()


def _safely(act: Callable[[], None]) -> None:
    try:
        act()
    except Exception:  # noqa: BLE001 - nobody waits for it who could be told
        get_logger(__name__).exception("time_limit_not_kept")
