"""Act: start a run, or take up one that a crash left, and count its attempts.

The activities of `ExecutionWorkflow` call these. Each verifies under the directive's lock that what
it is about to do is still wanted, so a worker that comes late, twice, or after a cancel changes
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from pydantic import JsonValue

from remit.approval.repository import grant_by_id, latest_grants
from remit.audit.repository import REMIT, Entry, evidence, record
from remit.db.session import transaction
from remit.db.together import write_together
from remit.directives.models import AbortReason, DirectiveRead
from remit.directives.mutator import doubt_directive, transition_directive_status
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError, UnavailableError
from remit.execution.catalog import announced_module
from remit.execution.lifecycle import is_terminal_status
from remit.execution.models import MAX_ATTEMPTS, ExecutionRunRead, Standing, output_to_json
from remit.execution.modules.types import ModuleOutput
from remit.execution.mutator import next_attempt
from remit.execution.repository import latest_run, standings
from remit.execution.statements import RunEnd
from remit.execution.workers import WorkerIdentity
from remit.identity.types import SYSTEM
from remit.json_types import JsonObject
from remit.operations.again import pass_again
from remit.operations.authority import Authority
from remit.operations.endings import (
    RunEnding,
    checkpoint,
    digests_of,
    end_artifact,
    facts_of,
    signed_end,
    spent_by,
    write_endings,
)
from remit.operations.starts import (
    ModuleChoice,
    RunState,
    attempted,
    check_grant,
    consumed_problem,
    start_runs,
)
from remit.operations.telling import tell_arrivals, tell_doubt, tell_end
from remit.operations.voiding import block_void
from remit.telemetry.metrics import count_execution_failure


def start_run(
    engine: sa.Engine,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    authority: Authority,
) -> RunState:
    """Start one directive, or take up the run that there is.

    A grant that no longer holds is voided and the directive blocked with the reason.

    Args:
        engine: the database.
        directive_id: the directive.
        choose: tells which module this worker has under a name.
        authority: the policy in force, the keys that verify grants, and who executes.

    Raises:
        NotFoundError: there is no such directive.
        UnavailableError: the database does not answer, or a worker that lives is at an earlier
            attempt, and may still end it; nothing was changed.
    """
    try:
        return start_runs(engine, [directive_id], choose, authority)[0]
    except ConflictError:
        with transaction(engine) as connection:
            state = _take_up(connection, directive_id, choose, authority)
    if state.directive.status == "approved":
        return start_run(engine, directive_id, choose, authority)
    return state


def begin_run(
    engine: sa.Engine,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    authority: Authority,
) -> RunState:
    """Begin the next attempt of a run that exists.

    Raises:
        NotFoundError: there is no such directive.
        UnavailableError: a worker that lives is at an earlier attempt, and may still end it.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        if directive.status != "executing" or directive.status_reason == "in_doubt":
            return RunState(directive, None)
        run = latest_run(connection, directive_id)
        if run is None or is_terminal_status(run.status):
            return _abort_unfounded(connection, directive)
        return _begin(connection, directive, run, choose(directive.type), authority)


def _take_up(
    connection: sa.Connection,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    authority: Authority,
) -> RunState:
    """Void a grant that does not hold, or go on with the run that there is."""
    directive = lock_directive(connection, directive_id)
    if directive.status == "approved":
        grants, now = latest_grants(connection, [directive_id])
        grant = grants.get(directive_id)
        void = check_grant(directive, grant, choose(directive.type), authority, now)
        if void is None:
            raise UnavailableError(f"directive {directive_id} was changed meanwhile; try again")
        state = RunState(block_void(connection, directive, grant, void), None)
        if grant is not None and void == "action_changed" and not grant.module_digest:
            return _decide_anew(connection, state, authority)
        return state
    if directive.status != "executing" or directive.status_reason == "in_doubt":
        return RunState(directive, None)
    run = latest_run(connection, directive_id)
    if run is None or is_terminal_status(run.status):
        return _abort_unfounded(connection, directive)
    choice = choose(directive.type)
    if choice.kind == "short":
        return _begin(connection, directive, run, choice, authority)
    return RunState(directive, run)


def _abort_unfounded(connection: sa.Connection, directive: DirectiveRead) -> RunState:
    """End a directive that executes and has no run to end: somebody else set its status."""
    [aborted] = transition_directive_status(
        connection,
        [directive.id],
        current="executing",
        target="aborted",
        reason="approval_unverifiable",
    )
    data: JsonObject = {"reason": "approval_unverifiable", "because": ["it has no run under way"]}
    record(connection, [Entry(directive.id, "directive.aborted", data=data)])
    tell_arrivals([aborted])
    count_execution_failure("approval_unverifiable")
    return RunState(aborted, None)


def _decide_anew(connection: sa.Connection, state: RunState, authority: Authority) -> RunState:
    """Pass the gate again with what was approved before any worker had announced anything.

    Such a grant binds to no module, so it can start none. Nobody did wrong, and nobody need be
    asked to retry it: the whole policy decides once more, about the content that was frozen.
    """
    directive = state.directive
    announced = announced_module(connection, directive.type).names
    if not announced or authority.keys.signing_key is None:
        return state
    pass_again(connection, directive, authority, by=SYSTEM)
    return RunState(get_directive(connection, directive.id), None)


def _begin(
    connection: sa.Connection,
    directive: DirectiveRead,
    run: ExecutionRunRead,
    choice: ModuleChoice,
    authority: Authority,
) -> RunState:
    """Begin the next attempt, unless another worker is at one, or nothing may begin any more.

    Raises:
        UnavailableError: a worker that lives is at an earlier attempt, and may still end it.
    """
    worker = authority.executing
    standing = standings(connection, [run.id])[run.id]
    for one in standing.open:
        if one.alive and one.worker_id != worker.id:
            raise UnavailableError(
                f"attempt {one.attempt} is under way with worker {one.worker_id}; try again"
            )
    problem = _obstacle(connection, directive, run, choice, authority)
    if problem is not None and standing.is_unknown:
        return put_in_doubt(connection, directive, standing, problem.said)
    if problem is not None:
        return _end_unbegun(connection, directive, standing, problem, worker)
    entry = attempted(directive.id, run.attempts + 1, worker.id)
    write_together(connection, [*next_attempt(run, worker.id), *evidence([entry])])
    return RunState(directive, latest_run(connection, directive.id))


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a run may not be begun again.

    Attributes:
        reason: why its directive aborts.
        said: the same, for a person.
    """

    reason: AbortReason
    said: str


def _obstacle(
    connection: sa.Connection,
    directive: DirectiveRead,
    run: ExecutionRunRead,
    choice: ModuleChoice,
    authority: Authority,
) -> _Obstacle | None:
    """Return why a run may not be begun again; None when it may.

    A row of `execution_runs` carries no authority: whoever wrote it may have had none. What counts
    is the signed grant that it consumed, for the content, the module and the policy as they are.
    """
    if run.attempts >= MAX_ATTEMPTS:
        said = f"begun {run.attempts} times and never ended"
        return _Obstacle("attempts_exhausted", said)
    grant = grant_by_id(connection, run.grant_id)
    problem = consumed_problem(directive, run, grant, choice, authority)
    if problem is None:
        return None
    return _Obstacle(problem, f"the grant that it consumed does not hold: {problem}")


def _end_unbegun(
    connection: sa.Connection,
    directive: DirectiveRead,
    standing: Standing,
    problem: _Obstacle,
    worker: WorkerIdentity,
) -> RunState:
    """End a run that may not be begun again, and of which every attempt has ended."""
    run, output = standing.run, output_to_json(ModuleOutput.error_(problem.said))
    end = end_artifact(standing, "failed", problem.reason, problem.said)
    artifacts = [checkpoint(standing, run.attempts, output), end]
    said = RunEnd(
        run=facts_of(standing),
        worker_id=worker.id,
        by=REMIT,
        reason=problem.reason,
        said=problem.said,
        status="failed",
        output=output,
        artifacts=digests_of(artifacts),
        ended_at=standing.now,
    )
    envelope = signed_end(said, worker.keys)
    ended: JsonObject = {"outcome": "error", "artifact": end.uri}
    aborted: JsonObject = {"reason": problem.reason, "because": [problem.said]}
    entries = [
        Entry(directive.id, "run.ended", data=ended),
        Entry(directive.id, "directive.aborted", data=aborted),
    ]
    ending = RunEnding(
        standing, "failed", problem.reason, output, entries, artifacts, envelope=envelope
    )
    write_endings(connection, [ending], spent_by(connection, [run.id]))
    tell_end(run, None, "aborted", problem.reason)
    return RunState(get_directive(connection, directive.id), None)


def put_in_doubt(
    connection: sa.Connection, directive: DirectiveRead, standing: Standing, said: str
) -> RunState:
    """Say that nobody knows whether a directive was carried out; a person settles it."""
    open_: list[JsonValue] = [
        {"attempt": one.attempt, "worker": str(one.worker_id)} for one in standing.open
    ]
    data: JsonObject = {"reason": "in_doubt", "because": [said], "open": open_}
    doubt_directive(connection, directive.id)
    record(connection, [Entry(directive.id, "directive.in_doubt", data=data)])
    tell_doubt(directive.id, said)
    return RunState(get_directive(connection, directive.id), None)
