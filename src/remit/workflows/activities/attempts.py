"""One attempt from its beginning to its end, for short modules and long ones.

It runs in a thread that belongs to no activity: whatever Temporal makes of the activity that began
it, the module is called once, and its end is told to the database until the database has it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact
from remit.directives.models import DirectiveRead
from remit.errors import UnavailableError
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.operations.gate.authority import Authority
from remit.operations.runs.results import end_run, is_still_wanted
from remit.operations.runs.starts import RunState
from remit.telemetry.logging import get_logger
from remit.telemetry.tracing import span
from remit.workflows.activities.calls import (
    AuthoritySource,
    EmittedArtifacts,
    ModuleCaller,
    handed_over,
    step_of,
    too_late,
)
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

Begin = Callable[[Authority], ExecutionStep | RunState]
"""Begins an attempt in the database; a step means that there is nothing to call."""


@dataclass(frozen=True)
class Attempts:
    """Carries out attempts with the modules of a worker, whose lease must be good to begin one."""

    engine: sa.Engine
    authority: AuthoritySource
    modules: ModuleCaller
    lease: Lease

    def carry_out(self, directive_id: UUID, begin: Begin) -> ExecutionStep:
        """Begin an attempt, call its module, and end it; unless one is under way here.

        Raises:
            UnavailableError: one is under way here; or it is to be tried again.
        """
        attempt = self.modules.underway.begin(directive_id)
        self.resume(attempt, begin)
        return attempt.step.result()

    def resume(self, attempt: Attempt, begin: Begin) -> None:
        """Do that for an attempt that was noted; whoever waits for its step is told."""
        underway = self.modules.underway
        try:
            underway.end(attempt, self._carried_out(attempt, begin))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            underway.fail(attempt, error)

    def _carried_out(self, attempt: Attempt, begin: Begin) -> ExecutionStep:
        self.lease.require()
        state = begin(replace(self.authority.current(), worker=self.lease.worker))
        if isinstance(state, ExecutionStep):
            return state
        directive, run = state.directive, state.run
        if state.route is not None:
            return handed_over(directive, state.route)
        if run is None:
            return step_of(directive)
        limit = self.modules.limit(directive)
        emitted = EmittedArtifacts(run, self.modules.store)
        end = partial(self._end, directive, run, time.monotonic())
        called = self._may_call(run)
        time_out = partial(self._time_out, attempt, lambda: end(too_late(limit), ()))
        is_over = self.modules.underway.limit(attempt, limit, time_out)
        output = self.modules.call(directive, run, emitted.emit) if called else NOT_CALLED
        late = is_over()
        if attempt.take_end() and late:
            return end(too_late(limit), ())
        # If its time was over and that is its end already, this is refused and on record.
        return end(output, emitted.artifacts)

    def _may_call(self, run: ExecutionRunRead) -> bool:
        """Return whether an attempt that has begun is still the one to call the module.

        Nobody is asked while the lease is good: then no other worker may have begun the run again.
        """
        if self.lease.is_current():
            return True
        self.lease.require()
        return is_still_wanted(self.engine, run, self.lease.worker)

    def _time_out(self, attempt: Attempt, end: Callable[[], ExecutionStep]) -> None:
        """End an attempt because its module took too long, whatever that still does."""
        if not attempt.take_end():
            return
        try:
            self.modules.underway.end(attempt, end())
        except BaseException as error:
            self.modules.underway.fail(attempt, error)
            raise

    def _end(
        self,
        directive: DirectiveRead,
        run: ExecutionRunRead,
        began: float,
        output: ModuleOutput,
        emitted: Sequence[NewArtifact],
    ) -> ExecutionStep:
        with span("run.end", count=len(emitted)):
            ended = self._stored(
                run.id,
                lambda: end_run(
                    self.engine,
                    directive,
                    run,
                    output,
                    worker=self.lease.worker,
                    emitted=emitted,
                ),
            )
        if ended.run is not None and ended.run.status == "running":
            message = "" if output.error is None else output.error.message
            raise UnavailableError(f"attempt {run.attempts} of {run.module}: {message}")
        self.modules.report(ended, emitted, began)
        return step_of(ended.directive)

    def _stored(self, run_id: UUID, end: Callable[[], RunState]) -> RunState:
        """Tell the database until it has it: nothing else knows how the module ended."""
        pause, longest = RETRY_SECONDS
        while True:
            try:
                return end()
            except UnavailableError as error:
                get_logger(__name__).warning("end_not_told", run_id=str(run_id), error=str(error))
                if not self.modules.underway.pause(pause):
                    raise
                pause = min(2 * pause, longest)
