"""Act: start a run, or take up one that a crash left, and count its attempts.

The activities of `ExecutionWorkflow` call these. Each verifies under the directive's lock that what
it is about to do is still wanted, so a worker that comes late, twice, or after a cancel changes
nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import grant_by_id, latest_grants
from remit.approval.types import Grant
from remit.audit.repository import Entry, evidence, record
from remit.base.json_types import JsonObject
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError, UnavailableError
from remit.execution.lifecycle import is_terminal_status
from remit.execution.models import ExecutionRunRead
from remit.execution.mutator import next_attempt
from remit.execution.repository import latest_run, standings
from remit.identity.types import SYSTEM
from remit.operations.gate.authority import Authority
from remit.operations.gate.grants import block_void
from remit.operations.gate.retries import pass_again
from remit.operations.gate.routing import Route, announced_module, route
from remit.operations.metrics import count_directives
from remit.operations.runs.starts import (
    ModuleChoice,
    RunState,
    attempted,
    check_grant,
    consumed_problem,
    start_runs,
)
from remit.operations.runs.unbegun import end_unbegun, obstacle, put_in_doubt
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
    if state.directive.status == "approved" and state.route is None:
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
        choice = choose(directive.type)
        elsewhere = _run_elsewhere(connection, directive, run, choice, authority)
        if elsewhere is not None:
            return RunState(directive, None, elsewhere)
        return _begin(connection, directive, run, choice, authority)


def _take_up(
    connection: sa.Connection,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    authority: Authority,
) -> RunState:
    """Void a grant that does not hold, or go on with the run that there is."""
    directive = lock_directive(connection, directive_id)
    choice = choose(directive.type)
    if directive.status == "approved":
        return _void(connection, directive, choice, authority)
    if directive.status != "executing" or directive.status_reason == "in_doubt":
        return RunState(directive, None)
    run = latest_run(connection, directive_id)
    if run is None or is_terminal_status(run.status):
        return _abort_unfounded(connection, directive)
    elsewhere = _run_elsewhere(connection, directive, run, choice, authority)
    if elsewhere is not None:
        return RunState(directive, None, elsewhere)
    if choice.kind == "short":
        return _begin(connection, directive, run, choice, authority)
    return RunState(directive, run)


def _void(
    connection: sa.Connection,
    directive: DirectiveRead,
    choice: ModuleChoice,
    authority: Authority,
) -> RunState:
    """Void the grant that did not hold, unless another worker has the version that it is for."""
    grants, now = latest_grants(connection, [directive.id])
    grant = grants.get(directive.id)
    void = check_grant(directive, grant, choice, authority, now)
    if void is None:
        raise UnavailableError(f"directive {directive.id} was changed meanwhile; try again")
    if grant is not None and void == "action_changed":
        there = _as_granted(grant, choice)
        holds_there = check_grant(directive, grant, there, authority, now) is None
        elsewhere = route(connection, grant, authority) if holds_there else None
        if elsewhere is not None:
            return RunState(directive, None, elsewhere)
    state = RunState(block_void(connection, directive, grant, void), None)
    if grant is not None and void == "action_changed" and not grant.module_digest:
        return _decide_anew(connection, state, authority)
    return state


def _run_elsewhere(
    connection: sa.Connection,
    directive: DirectiveRead,
    run: ExecutionRunRead,
    choice: ModuleChoice,
    authority: Authority,
) -> Route | None:
    """Return where a run must go on that this worker has another version for; None: here."""
    grant = grant_by_id(connection, run.grant_id)
    if grant is None or grant.module_digest == choice.digest:
        return None
    there = _as_granted(grant, choice)
    if consumed_problem(directive, run, grant, there, authority) is not None:
        return None
    return route(connection, grant, authority)


def _as_granted(grant: Grant, choice: ModuleChoice) -> ModuleChoice:
    """Return what a worker would have that has the version which was granted."""
    return replace(choice, version=grant.module_version, digest=grant.module_digest)


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
    count_directives([aborted])
    count_execution_failure("approval_unverifiable")
    return RunState(aborted, None)


def _decide_anew(connection: sa.Connection, state: RunState, authority: Authority) -> RunState:
    """Pass the gate again with what was approved before any worker had announced anything.

    Such a grant binds to no module, so it can start none. Nobody did wrong, and nobody need be
    asked to retry it: the whole policy decides once more, about the content that was frozen.
    """
    directive = state.directive
    announced = announced_module(connection, directive.type, authority)
    # What nobody certified is worth no second decision: it would end here again.
    worthless = directive.type in announced.names and not announced.digest
    if not announced.names or worthless or authority.keys.signing_key is None:
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
    problem = obstacle(connection, directive, run, choice, authority)
    if problem is not None:
        # Who wrote a run that nobody granted, and no attempt of it, did not begin it.
        forged = problem.reason == "approval_unverifiable" and not standing.attempts
        if standing.is_unknown and not forged:
            return RunState(put_in_doubt(connection, directive, problem.said), None)
        return RunState(end_unbegun(connection, directive, standing, problem, worker), None)
    entry = attempted(directive.id, run.attempts + 1, worker.id)
    execute_batch(connection, [*next_attempt(run, worker.id), *evidence([entry])])
    return RunState(directive, latest_run(connection, directive.id))
