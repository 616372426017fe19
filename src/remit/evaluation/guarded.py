"""Around every provider: whatever it does, whoever tells it of a run goes on undisturbed.

Each call of a provider runs in a thread of its own that keeps no process alive; when it is late it
is left to itself. How many may hang like that is bounded: beyond that, calls are refused. What no
thread can stop is not stopped: code that ends the process itself (`os._exit`), or that holds the
interpreter's lock.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Event, Semaphore, Thread
from time import monotonic
from typing import Literal, TypeVar

from remit.base.wording import one_line
from remit.errors import ProviderError
from remit.evaluation.checks import checked_experiment, checked_results, outgoing, outgoing_text
from remit.evaluation.interface import EvaluationInput, EvaluationProvider, EvaluationResult
from remit.redaction.masking import redact_text
from remit.telemetry.logging import get_logger

QUEUE_RUNS = 1000
"""Runs that may wait to be told of."""

CALLS_AT_ONCE = 4
"""Calls of the provider under way at once, those that hang included."""

_SAID_EVERY = 100  # dropped runs from one log line to the next

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Told:
    """How many runs were handed on without a fault, calls failed, and runs were dropped unsent."""

    told: int = 0
    failed: int = 0
    dropped: int = 0


class GuardedEvaluation:
    """An EvaluationProvider around another; nothing here raises, and nothing here waits for long.

    `observe` appends to a bounded queue, which a thread empties that lives only while there is
    something to tell. What fails, hangs or lies is logged and counted.
    """

    def __init__(
        self,
        provider: EvaluationProvider,
        *,
        timeout_seconds: float = 30.0,
        queue_runs: int = QUEUE_RUNS,
        calls_at_once: int = CALLS_AT_ONCE,
    ) -> None:
        """Wrap a provider; `timeout_seconds` is the longest wait for one call of it."""
        self._provider = provider
        self._timeout_seconds = timeout_seconds
        self._free = Semaphore(calls_at_once)
        self._queue_runs = queue_runs
        self._changed = Condition()
        self._waiting: deque[Callable[[], bool]] = deque()
        self._telling = False
        self._closed = False
        self._counts = Told()
        self._log = get_logger(__name__)
        self.name = "unnamed"
        self.name = self._call("name", lambda: outgoing_text(provider.name), "unnamed")

    def observe(self, told: EvaluationInput) -> None:
        """Have a run logged and judged, later; returns at once."""
        self._later(lambda: self._log_now(told) and self._score_now(told))

    def log_trace(self, told: EvaluationInput) -> None:
        """Have a run logged, later; returns at once."""
        self._later(lambda: self._log_now(told))

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        """Return the judgements of a run; none when there are none in time."""
        return self._call(
            "score", lambda: checked_results(self._provider.score(outgoing(told))), default=()
        )

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:
        """Return what an experiment is known under; None when there is none in time."""

        def call() -> str | None:
            told = tuple(outgoing(each) for each in inputs)
            return checked_experiment(self._provider.experiment(outgoing_text(name), told))

        return self._call("experiment", call, default=None)

    def counts(self) -> Told:
        """Return how much was told and lost so far; for doors to show, and for tests."""
        with self._changed:
            return self._counts

    def close(self, seconds: float = 5.0) -> None:
        """Tell what waits, for so many seconds at most, and drop the rest. Idempotent."""
        deadline = monotonic() + seconds
        with self._changed:
            self._closed = True
            while self._telling and (left := deadline - monotonic()) > 0:
                self._changed.wait(left)
            lost = len(self._waiting)
            self._waiting.clear()
            self._count(dropped=lost)
        if lost:
            self._say("evaluation_unsent", runs=lost)

    def _later(self, task: Callable[[], bool]) -> None:
        with self._changed:
            taken = not self._closed and len(self._waiting) < self._queue_runs
            if taken:
                self._waiting.append(task)
                taken = self._telling or self._begin()
            if not taken:
                self._count(dropped=1)
            dropped = self._counts.dropped
        if not taken and dropped % _SAID_EVERY == 1:
            self._say("evaluation_dropped", runs_so_far=dropped)

    def _begin(self) -> bool:
        """Start the thread that tells; return False, and forget what waits, if none can be."""
        try:
            Thread(target=self._tell, name="remit-evaluation", daemon=True).start()
        except RuntimeError:
            self._waiting.clear()
            return False
        self._telling = True
        return True

    def _tell(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._telling = False
                    self._changed.notify_all()
                    return
                task = self._waiting.popleft()
            handed_on = task()
            with self._changed:
                self._count(told=int(handed_on))

    def _log_now(self, told: EvaluationInput) -> bool:
        def call() -> bool:
            self._provider.log_trace(outgoing(told))
            return True

        return self._call("log_trace", call, default=False)

    def _score_now(self, told: EvaluationInput) -> bool:
        def call() -> bool:
            results = checked_results(self._provider.score(outgoing(told)))
            scores = {each.name: each.score for each in results}
            self._log.info(
                "evaluation_scored", provider=self.name, run_id=str(told.run_id), scores=scores
            )
            return True

        return self._call("score", call, default=False)

    def _call(self, what: str, call: Callable[[], _T], default: _T) -> _T:
        try:
            return run_bounded(call, self._free, timeout_seconds=self._timeout_seconds)
        except CallFailedError as error:
            fault, detail = error.fault, error.detail
        with self._changed:
            self._count(failed=1)
        self._say("evaluation_failed", call=what, fault=fault, detail=detail)
        return default

    def _say(self, event: str, **fields: object) -> None:
        # A process may have given its log a filter that raises.
        with suppress(Exception):
            self._log.warning(event, provider=self.name, **fields)

    def _count(self, *, told: int = 0, failed: int = 0, dropped: int = 0) -> None:
        """Count more; called with the lock held."""
        now = self._counts
        self._counts = Told(now.told + told, now.failed + failed, now.dropped + dropped)


class CallFailedError(Exception):
    """A call raised, did not come back in time, or too many hang already.

    `detail` is the kind of error and, for one of Remit's own kinds, its message; without secrets.
    """

    def __init__(self, fault: Literal["raised", "late", "busy"], detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


def run_bounded(call: Callable[[], _T], free: Semaphore, *, timeout_seconds: float) -> _T:
    """Return what a call returns; `free` bounds how many are under way, late ones included.

    Raises:
        CallFailedError: it returned nothing; nothing that it raised passes, not even an exit.
    """
    if not free.acquire(blocking=False):
        raise CallFailedError("busy", "earlier calls still hang")
    ended = Event()
    answers: list[_T] = []
    details = ["an error that cannot be described"]

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - an exit in there must not be one out here
            # To describe an error runs its code.
            with suppress(BaseException):
                details.append(_described(error))
        finally:
            free.release()
            ended.set()

    try:
        Thread(target=run, name="remit-evaluation-call", daemon=True).start()
    except RuntimeError as error:
        free.release()
        raise CallFailedError("busy", "no thread can be started") from error
    if not ended.wait(timeout_seconds):
        raise CallFailedError("late", f"no answer within {timeout_seconds:g} seconds")
    for answer in answers:
        return answer
    raise CallFailedError("raised", details[-1])


def _described(error: BaseException) -> str:
    kind = type(error).__name__
    # The message of anybody else's error may quote a request, and with it the key.
    words = f"{kind}: {error.message}" if isinstance(error, ProviderError) else kind
    return one_line(redact_text(words), 300)
