"""End a run with what its module returned.

Whoever called a module reports here, once for each attempt, and signs what it says. A success
counts while its run has not ended, although a later attempt may have begun: all attempts of a run
have one idempotency key, and so one effect. What comes too late ends its own attempt and changes
nothing else.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, final_model_costs
from remit.audit.repository import NewEvent, event_batch
from remit.base.json_types import JsonObject
from remit.budget.costs import attempt_cost
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.repository import lock_directive
from remit.errors import ConflictError
from remit.execution.models import MAX_ATTEMPTS, ExecutionRunRead, Standing, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from remit.execution.mutator import end_attempts
from remit.execution.repository import is_latest, standings
from remit.execution.statements import ATTEMPT_END, attempt_end_statement
from remit.execution.workers import WorkerIdentity
from remit.operations.metrics import count_end
from remit.operations.runs.ends import RunEnd, attempt_row, make_run_end, write_run_ends
from remit.operations.runs.starts import RunState
from remit.signing.statements import sign_statement
from remit.vocabulary import AbortReason, EventType


def end_runs(
    engine: sa.Engine,
    reports: Sequence[tuple[DirectiveRead, ExecutionRunRead, ModuleOutput]],
    *,
    worker: WorkerIdentity,
    emitted: Sequence[NewArtifact] = (),
) -> list[RunState]:
    """End runs and their directives, all of them or none, in one statement.

    Args:
        reports: for each run its directive, the run as an attempt began it, and what the module of
            that attempt returned. How each stands is returned in their order.
        worker: who made the attempts, and signs.
        emitted: artifacts that the modules left and that are not stored yet.

    Raises:
        ConflictError: one of the attempts is not the last of a run that goes on; :func:`end_run`
            looks into that, one at a time.
        UnavailableError: the database does not answer; nothing was changed.
    """
    with transaction(engine) as connection:
        # Where nothing was promised to a first attempt, there are no costs to wait for.
        held = [run.id for on, run, _ in reports if on.budget is not None or run.attempts > 1]
        models = final_model_costs(connection, held)
        found = standings(connection, [run.id for _, run, _ in reports])
        for _, run, _ in reports:
            standing = found[run.id].run
            if (standing.status, standing.attempts) != ("running", run.attempts):
                raise ConflictError("a run has ended, or was begun again")
        ends = [
            _run_end(found[run.id], run.attempts, output, worker, emitted)
            for _, run, output in reports
        ]
        write_run_ends(connection, ends, models)
    return [_told(*report) for report in reports]


def end_run(
    engine: sa.Engine,
    directive: DirectiveRead,
    run: ExecutionRunRead,
    output: ModuleOutput,
    *,
    worker: WorkerIdentity,
    emitted: Sequence[NewArtifact] = (),
) -> RunState:
    """End one attempt, and with it its run and directive unless that goes on or has ended.

    What is returned has the run if this attempt has ended it, or if it goes on without it, still
    `running`; None when it had ended before.

    Raises:
        UnavailableError: the database does not answer; nothing was changed.
    """
    error, attempt = output.error, run.attempts
    again = error is not None and error.retryable and attempt < MAX_ATTEMPTS
    if not again:
        try:
            return end_runs(engine, [(directive, run, output)], worker=worker, emitted=emitted)[0]
        except ConflictError:
            pass
    with transaction(engine) as connection:
        now = lock_directive(connection, directive.id)
        standing = standings(connection, [run.id])[run.id]
        goes_on = now.status == "executing" and standing.run.status == "running"
        is_open = any((one.attempt, one.worker_id) == (attempt, worker.id) for one in standing.open)
        is_newest = standing.run.attempts == attempt
        if not (goes_on and is_open and (error is None or (is_newest and not again))):
            alone = _attempt_end(standing, attempt, output, worker) if is_open else None
            _end_attempt(connection, now, attempt, output, alone, goes_on=goes_on)
            return RunState(now, standing.run if goes_on else None)
        models = final_model_costs(connection, [run.id])
        write_run_ends(connection, [_run_end(standing, attempt, output, worker, emitted)], models)
    return _told(directive, run, output)


def is_still_wanted(engine: sa.Engine, run: ExecutionRunRead, worker: WorkerIdentity) -> bool:
    """Return whether an attempt that a worker has begun is the last of its run, which goes on.

    Raises:
        UnavailableError: the database does not answer.
    """
    with transaction(engine) as connection:
        return is_latest(connection, run.id, run.attempts, worker.id)


def _abort_reason(output: ModuleOutput) -> AbortReason | None:
    kind = None if output.error is None else output.error.error_type
    match kind:
        case None | "timed_out" | "module_failed":
            return kind
    return "module_error"


def _end_attempt(
    connection: sa.Connection,
    directive: DirectiveRead,
    attempt: int,
    output: ModuleOutput,
    end: JsonObject | None,
    *,
    goes_on: bool,
) -> None:
    """End an attempt alone: its run goes on without it, or has ended."""
    data: JsonObject = {"attempt": attempt, "outcome": output.status.value}
    if output.error is not None:
        data["because"] = [output.error.message]
    if output.cost is not None:
        data["cost"] = f"{output.cost:.2f}"
    event: EventType = "run.attempt_ended" if goes_on else "run.refused"
    entries = [NewEvent(directive.id, event, data=data)]
    rows = [] if end is None else [end]
    execute_batch(connection, [end_attempts(rows, moving=False), *event_batch(entries)])


def _attempt_end(
    standing: Standing, attempt: int, output: ModuleOutput, worker: WorkerIdentity
) -> JsonObject:
    end = RunEnd(
        standing=standing,
        status=run_status_of(output.status),
        reason=_abort_reason(output),
        output=output_to_json(output),
        entries=(),
        attempt=attempt,
    )
    return attempt_row(_signed(end, worker, ends_run=False), attempt)


def _run_end(
    standing: Standing,
    attempt: int,
    output: ModuleOutput,
    worker: WorkerIdentity,
    emitted: Sequence[NewArtifact],
) -> RunEnd:
    own = [one for one in emitted if one.run_id == standing.run.id]
    reason = _abort_reason(output)
    end = make_run_end(standing, output, reason, attempt=attempt, emitted=own)
    return _signed(end, worker, ends_run=True)


def _signed(end: RunEnd, worker: WorkerIdentity, *, ends_run: bool) -> RunEnd:
    """Return the end with the cost of its attempt, and what its worker signs of it."""
    standing, output = end.standing, end.output or {}
    own = next((one for one in standing.attempts if one.attempt == end.attempt), None)
    if own is None:
        raise ConflictError("an attempt is not there any more")
    cost = attempt_cost(output)
    statement = attempt_end_statement(
        standing.run,
        output,
        worker_id=worker.id,
        attempt=own.attempt,
        ends_run=ends_run,
        outcome=end.outcome,
        cost=cost,
        artifacts=end.digests,
        started_at=own.started_at,
        ended_at=standing.now,
    )
    envelope = sign_statement(ATTEMPT_END, statement, worker.keys)
    return replace(end, cost=cost, envelope=envelope)


def _told(directive: DirectiveRead, run: ExecutionRunRead, output: ModuleOutput) -> RunState:
    reason = _abort_reason(output)
    status: Literal["complete", "aborted"] = "complete" if reason is None else "aborted"
    count_end(run, output, status, reason)
    return RunState(
        directive.model_copy(update={"status": status, "status_reason": reason}),
        run.model_copy(update={"status": run_status_of(output.status)}),
    )
