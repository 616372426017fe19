"""One attempt from its beginning to its end, for short modules and long ones.

It runs in a thread that belongs to no activity: whatever Temporal makes of the activity that began
it, the module is called once, and its end is told to the database until the database has it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact
from remit.errors import UnavailableError
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.operations.gate.authority import Authority
from remit.operations.runs.results import Ended, Ending, end_run, is_still_wanted
from remit.operations.runs.starts import RunState
from remit.telemetry.logging import get_logger
from remit.telemetry.tracing import span
from remit.workflows.activities.calls import (
    AuthoritySource,
    ModuleCaller,
    handed_over,
    step_of,
    too_late,
)
from remit.workflows.activities.emitting import Evidence
from remit.workflows.activities.underway import Attempt
from remit.workflows.lease import Lease
from remit.workflows.messages import ExecutionStep

RETRY_SECONDS = (0.2, 5.0)
"""First and longest pause before an end is told again to a database that did not answer."""

NOT_CALLED = replace(
    ModuleOutput.error_("not called: another attempt had begun meanwhile", retryable=True),
    cost=Decimal("0.00"),
)
"""The end of an attempt whose worker was away before it could call its module."""


@dataclass(frozen=True)
class Attempts:
    """What both kinds of modules need to be carried out.

    Attributes:
        engine: the database.
        authority: what grants are verified with.
        modules: this worker's modules.
        lease: this worker's, without which it begins nothing.
    """

    engine: sa.Engine
    authority: AuthoritySource
    modules: ModuleCaller
    lease: Lease

    def carry_out(
        self, directive_id: UUID, begin: Callable[[Authority], ExecutionStep | RunState]
    ) -> ExecutionStep:
        """Begin an attempt, call its module, and end it; unless one is under way here.

        Args:
            directive_id: the directive.
            begin: begins it in the database; a step means that there is nothing to call.

        Raises:
            UnavailableError: one is under way here; or it is to be tried again.
        """
        attempt = self.modules.underway.begin(directive_id)
        self.resume(attempt, begin)
        return attempt.step.result()

    def resume(
        self, attempt: Attempt, begin: Callable[[Authority], ExecutionStep | RunState]
    ) -> None:
        """Do that for an attempt that was noted; whoever waits for its step is told."""
        underway = self.modules.underway
        try:
            underway.end(attempt, self._carried_out(attempt, begin))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            underway.fail(attempt, error)

    def _carried_out(
        self, attempt: Attempt, begin: Callable[[Authority], ExecutionStep | RunState]
    ) -> ExecutionStep:
        self.lease.require()
        state = begin(replace(self.authority.current(), worker=self.lease.worker))
        if isinstance(state, ExecutionStep):
            return state
        if state.route is not None:
            return handed_over(state.directive, state.route)
        if state.run is None:
            return step_of(state.directive)
        limit = self.modules.limit(state.directive)
        evidence = self.modules.evidence_of(state.directive, state.run)
        one = _Called(self, attempt, evidence, limit, time.monotonic())
        called = self._may_call(state.run)
        is_over = self.modules.underway.limit(attempt, limit, one.time_out)
        output = self.modules.call(evidence) if called else NOT_CALLED
        late = is_over()
        if attempt.take_end() and late:
            return one.tell(too_late(limit), ())
        # If its time was over and that is its end already, this is refused and on record.
        return one.tell(output)

    def _may_call(self, run: ExecutionRunRead) -> bool:
        """Return whether an attempt that has begun is still the one to call the module.

        Nobody is asked while the lease is good: then no other worker may have begun the run again.

        Raises:
            UnavailableError: the lease is over, and cannot be renewed.
        """
        if self.lease.is_current():
            return True
        self.lease.require()
        return is_still_wanted(self.engine, run, self.lease.worker)


@dataclass(frozen=True)
class _Called:
    """One attempt whose module is called.

    Attributes:
        by: what carries it out.
        attempt: the attempt, as this process knows it.
        evidence: what its module emits.
        limit: how long its module may take.
        began: when it was called, by `time.monotonic`.
    """

    by: Attempts
    attempt: Attempt
    evidence: Evidence
    limit: timedelta
    began: float

    def time_out(self) -> None:
        """End the attempt because its module took too long, whatever that still does."""
        if not self.attempt.take_end():
            return
        underway = self.by.modules.underway
        try:
            underway.end(self.attempt, self.tell(too_late(self.limit), ()))
        except BaseException as error:
            underway.fail(self.attempt, error)
            raise

    def tell(
        self, output: ModuleOutput, emitted: Sequence[NewArtifact] | None = None
    ) -> ExecutionStep:
        """End the attempt with an output, and return where its directive stands.

        Args:
            output: what its module returned.
            emitted: the artifacts that count; None: all that it emitted.

        Raises:
            UnavailableError: it is to be tried again.
        """
        ending = self.evidence.ending(output, self.by.lease.worker, emitted)
        with span("run.end", count=len(ending.emitted)):
            ended = self._stored(ending)
        if ended.again:
            message = "" if output.error is None else output.error.message
            raise UnavailableError(f"attempt {ending.attempt} of {ending.run.module}: {message}")
        return self.by.modules.tell(self.evidence.directive, ending, ended, self.began)

    def _stored(self, ending: Ending) -> Ended:
        """Tell the database until it has it: nothing else knows how the module ended."""
        pause, longest = RETRY_SECONDS
        while True:
            try:
                return end_run(self.by.engine, ending)
            except UnavailableError as error:
                run_id = str(ending.run.id)
                get_logger(__name__).warning("end_not_told", run_id=run_id, error=str(error))
                if not self.by.modules.underway.pause(pause):
                    raise
                pause = min(2 * pause, longest)
