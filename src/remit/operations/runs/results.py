"""Act, the end of it: end a run with what its module returned.

Whoever called a module reports here, once for each attempt, and signs what it says. A success
counts while its run has not ended, although a later attempt may have begun: all attempts of a run
have one idempotency key, and so one effect. What comes too late ends its own attempt and changes
nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact
from remit.audit.repository import Entry, evidence
from remit.base.json_types import JsonObject
from remit.budget.costs import attempt_cost
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.repository import lock_directive
from remit.errors import ConflictError
from remit.execution.models import MAX_ATTEMPTS, ExecutionRunRead, Standing, output_to_json
from remit.execution.modules.types import ModuleOutput
from remit.execution.mutator import EndedAttempt, attempt_ends
from remit.execution.repository import is_latest, standings
from remit.execution.statements import AttemptEnd, sign_attempt_end
from remit.execution.workers import WorkerIdentity
from remit.operations.metrics import count_end
from remit.operations.runs.endings import (
    RunEnding,
    checkpoint,
    digests_of,
    end_artifact,
    facts_of,
    spent_by,
    write_endings,
)
from remit.vocabulary import AbortReason, DirectiveStatus, EventType, StatusReason


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended.

    Attributes:
        run: the run as this attempt began it.
        output: what the module returned.
        worker: who made the attempt, and signs.
        emitted: artifacts that the module left and that are not stored yet.
        budgeted: whether the directive has a budget, so that something may have been reserved.
    """

    run: ExecutionRunRead
    output: ModuleOutput
    worker: WorkerIdentity
    emitted: Sequence[NewArtifact] = ()
    budgeted: bool = True

    @property
    def attempt(self) -> int:
        """Which attempt it is."""
        return self.run.attempts

    @property
    def is_success(self) -> bool:
        """Whether the module did what was asked."""
        return self.output.error is None

    @property
    def again(self) -> bool:
        """Whether the module says that trying again may help, and an attempt is left."""
        error = self.output.error
        return error is not None and error.retryable and self.attempt < MAX_ATTEMPTS

    @property
    def because(self) -> AbortReason | None:
        """Why the directive aborts; None when it is complete."""
        if self.output.error is None:
            return None
        if self.output.error.error_type == "timed_out":
            return "timed_out"
        failed = self.output.error.error_type == "module_failed"
        return "module_failed" if failed else "module_error"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a directive stands after the end of an attempt.

    Attributes:
        status: its status.
        status_reason: why it has that status; None when there is nothing to say.
        counted: whether this attempt ended the run; a late one, or one that is to be tried again,
            ended only itself.
        again: whether the run goes on.
    """

    status: DirectiveStatus
    status_reason: StatusReason | None
    counted: bool = True
    again: bool = False


def end_runs(engine: sa.Engine, endings: Sequence[Ending]) -> list[Ended]:
    """End runs and their directives, all of them or none, in one statement.

    Returns:
        How each directive stands, in the order of `endings`.

    Raises:
        ConflictError: one of the attempts is not the last of a run that goes on; :func:`end_run`
            looks into that, one at a time.
        UnavailableError: the database does not answer; nothing was changed.
    """
    with transaction(engine) as connection:
        held = [one.run.id for one in endings if one.budgeted or one.attempt > 1]
        models = spent_by(connection, held)
        found = standings(connection, [one.run.id for one in endings])
        for one in endings:
            run = found[one.run.id].run
            if (run.status, run.attempts) != ("running", one.attempt):
                raise ConflictError("a run has ended, or was begun again")
        written = [_run_ending(one, found[one.run.id]) for one in endings]
        write_endings(connection, written, models)
    return [_told(one) for one in endings]


def end_run(engine: sa.Engine, ending: Ending) -> Ended:
    """End one attempt, and with it its run and directive unless that goes on or has ended.

    Returns:
        How the directive stands.

    Raises:
        UnavailableError: the database does not answer; nothing was changed.
    """
    if not ending.again:
        try:
            return end_runs(engine, [ending])[0]
        except ConflictError:
            pass
    with transaction(engine) as connection:
        directive = lock_directive(connection, ending.run.directive_id)
        standing = standings(connection, [ending.run.id])[ending.run.id]
        goes_on = directive.status == "executing" and standing.run.status == "running"
        if goes_on and _ends_run(ending, standing):
            models = spent_by(connection, [ending.run.id])
            write_endings(connection, [_run_ending(ending, standing)], models)
        else:
            _end_attempt(connection, ending, standing, goes_on=goes_on)
            reason = directive.status_reason
            return Ended(directive.status, reason, counted=False, again=goes_on)
    return _told(ending)


def is_still_wanted(engine: sa.Engine, run: ExecutionRunRead, worker: WorkerIdentity) -> bool:
    """Return whether an attempt that a worker has begun is the last of its run, which goes on.

    Raises:
        UnavailableError: the database does not answer.
    """
    with transaction(engine) as connection:
        return is_latest(connection, run.id, run.attempts, worker.id)


def _ends_run(ending: Ending, standing: Standing) -> bool:
    """Return whether the end of an attempt is that of its run, which goes on."""
    if not _is_open(ending, standing):
        return False
    newest = standing.run.attempts == ending.attempt
    return ending.is_success or (newest and not ending.again)


def _is_open(ending: Ending, standing: Standing) -> bool:
    """Return whether an attempt is one of this worker, and has not ended."""
    return any(
        one.attempt == ending.attempt and one.worker_id == ending.worker.id for one in standing.open
    )


def _end_attempt(
    connection: sa.Connection, ending: Ending, standing: Standing, *, goes_on: bool
) -> None:
    """End an attempt alone: its run goes on without it, or has ended."""
    data: JsonObject = {"attempt": ending.attempt, "outcome": ending.output.status.value}
    if ending.output.error is not None:
        data["because"] = [ending.output.error.message]
    if ending.output.cost is not None:
        data["cost"] = f"{ending.output.cost:.2f}"
    event: EventType = "run.attempt_ended" if goes_on else "run.refused"
    is_open = _is_open(ending, standing)
    ends = [_signed(ending, standing, {}, ends_run=False)] if is_open else []
    entry = Entry(ending.run.directive_id, event, data=data)
    execute_batch(connection, [attempt_ends(ends, moving=False), *evidence([entry])])


def _told(ending: Ending) -> Ended:
    status: Literal["complete", "aborted"] = "complete" if ending.is_success else "aborted"
    count_end(ending.run, ending.output, status, ending.because)
    return Ended(status, ending.because)


def _run_ending(ending: Ending, standing: Standing) -> RunEnding:
    output = output_to_json(ending.output)
    status: Literal["completed", "failed"] = "completed" if ending.is_success else "failed"
    message = ending.output.error.message if ending.output.error else None
    end = end_artifact(standing, status, ending.because, message, ending.emitted)
    artifacts = [*ending.emitted, checkpoint(standing, ending.attempt, output), end]
    return RunEnding(
        standing,
        status,
        ending.because,
        output,
        _entries(ending, end.uri),
        artifacts,
        attempt=_signed(ending, standing, digests_of(artifacts), ends_run=True),
    )


def _signed(
    ending: Ending, standing: Standing, artifacts: dict[str, str], *, ends_run: bool
) -> EndedAttempt:
    """Return the end of an attempt with what its worker says of it.

    Raises:
        ConflictError: there is no such attempt.
    """
    own = next((one for one in standing.attempts if one.attempt == ending.attempt), None)
    if own is None:
        raise ConflictError("an attempt is not there any more")
    output = output_to_json(ending.output)
    end = AttemptEnd(
        run=facts_of(standing),
        worker_id=ending.worker.id,
        attempt=ending.attempt,
        ends_run=ends_run,
        outcome="success" if ending.is_success else "error",
        output=output,
        cost=attempt_cost(output),
        artifacts=artifacts,
        started_at=own.started_at,
        ended_at=standing.now,
    )
    envelope = sign_attempt_end(end, ending.worker.keys)
    run_id = ending.run.id
    return EndedAttempt(run_id, end.attempt, end.ended_at, end.outcome, end.cost, envelope)


def _entries(ending: Ending, artifact_uri: str) -> list[Entry]:
    about, output = ending.run.directive_id, ending.output
    ended: JsonObject = {"outcome": output.status.value, "artifact": artifact_uri}
    entries = [Entry(about, "run.ended", data=ended)]
    if ending.because is None:
        return [*entries, Entry(about, "directive.completed")]
    message = output.error.message if output.error else ending.because
    data: JsonObject = {"reason": ending.because, "because": [message]}
    return [*entries, Entry(about, "directive.aborted", data=data)]
