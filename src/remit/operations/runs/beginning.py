"""Start a run, or take up one that a crash left, and count its attempts.

The activities of `ExecutionWorkflow` call these. Each verifies under the directive's lock that what
it is about to do is still wanted, so a worker that comes late, twice, or after a cancel changes
nothing. A run that may not be begun again ends, or is in doubt until a person settles it.
"""

from dataclasses import replace
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import grant_by_id, latest_grants
from remit.approval.types import Grant
from remit.artifacts.repository import final_model_costs
from remit.audit.repository import REMIT, NewEvent, append_events, event_batch
from remit.base.json_types import JsonObject
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.mutator import doubt_directive, transition_directive_status
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError, UnavailableError
from remit.execution.grants import void_reason
from remit.execution.lifecycle import is_terminal_status
from remit.execution.models import MAX_ATTEMPTS, ExecutionRunRead, Standing
from remit.execution.modules.registry import ModuleInfo
from remit.execution.modules.types import ModuleOutput
from remit.execution.mutator import next_attempt
from remit.execution.repository import latest_run, standings
from remit.execution.statements import RUN_END, run_end_statement
from remit.execution.workers import WorkerIdentity
from remit.identity.types import SYSTEM
from remit.operations.gate.authority import Authority
from remit.operations.gate.grants import block_void
from remit.operations.gate.retries import pass_again
from remit.operations.gate.routing import announced_module, route
from remit.operations.metrics import count_directives, count_end, report_in_doubt
from remit.operations.runs.ends import make_run_end, write_run_ends
from remit.operations.runs.starts import Choose, RunState, attempted, start_runs
from remit.signing.statements import sign_statement
from remit.telemetry.metrics import count_execution_failure
from remit.vocabulary import AbortReason, VoidReason


def start_run(
    engine: sa.Engine,
    directive_id: UUID,
    choose: Choose,
    authority: Authority,
) -> RunState:
    """Start one directive, or take up the run that there is.

    A grant that no longer holds is voided and the directive blocked with the reason.

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
    choose: Choose,
    authority: Authority,
) -> RunState:
    """Begin the next attempt of a run that exists.

    Raises:
        NotFoundError: there is no such directive.
        UnavailableError: a worker that lives is at an earlier attempt, and may still end it.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        module = choose(directive.type)
        state = _under_way(connection, directive, module, authority)
        if state.run is None:
            return state
        return _begin(connection, directive, state.run, module, authority)


def _take_up(
    connection: sa.Connection,
    directive_id: UUID,
    choose: Choose,
    authority: Authority,
) -> RunState:
    directive = lock_directive(connection, directive_id)
    module = choose(directive.type)
    if directive.status == "approved":
        return _void(connection, directive, module, authority)
    state = _under_way(connection, directive, module, authority)
    if state.run is None or (module and module.kind != "short"):
        return state
    return _begin(connection, directive, state.run, module, authority)


def _under_way(
    connection: sa.Connection,
    directive: DirectiveRead,
    module: ModuleInfo | None,
    authority: Authority,
) -> RunState:
    if directive.status != "executing" or directive.status_reason == "in_doubt":
        return RunState(directive, None)
    run = latest_run(connection, directive.id)
    if run is None or is_terminal_status(run.status):
        return _abort_unfounded(connection, directive)
    grant = grant_by_id(connection, run.grant_id)
    if grant is None or (module and grant.module_digest == module.digest):
        return RunState(directive, run)
    # It may hold for another worker, which has the version that was granted.
    there = _consumed_problem(directive, run, grant, grant.module_digest, authority)
    elsewhere = route(connection, grant, authority) if there is None else None
    return RunState(directive, None if elsewhere else run, elsewhere)


def _void(
    connection: sa.Connection,
    directive: DirectiveRead,
    module: ModuleInfo | None,
    authority: Authority,
) -> RunState:
    """Void the grant that did not hold, unless another worker has the version that it is for."""
    grants, now = latest_grants(connection, [directive.id])
    grant = grants.get(directive.id)
    void_for = partial(
        void_reason,
        grant,
        directive,
        keys=authority.keys,
        policy_digest=authority.policy.digest,
        now=now,
    )
    void = void_for(module_digest=module.digest if module else None)
    if void is None:
        raise UnavailableError(f"directive {directive.id} was changed meanwhile; try again")
    if grant and void == "action_changed" and not void_for(module_digest=grant.module_digest):
        elsewhere = route(connection, grant, authority)
        if elsewhere is not None:
            return RunState(directive, None, elsewhere)
    state = RunState(block_void(connection, directive, grant, void), None)
    if grant is not None and void == "action_changed" and not grant.module_digest:
        return _decide_anew(connection, state, authority)
    return state


def _consumed_problem(
    directive: DirectiveRead,
    run: ExecutionRunRead,
    grant: Grant | None,
    module_digest: str | None,
    authority: Authority,
) -> VoidReason | None:
    return void_reason(
        grant,
        directive,
        keys=authority.keys,
        module_digest=module_digest,
        policy_digest=authority.policy.digest,
        now=None,
        run=run,
    )


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
    append_events(connection, [NewEvent(directive.id, "directive.aborted", data=data)])
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
    module: ModuleInfo | None,
    authority: Authority,
) -> RunState:
    """Begin the next attempt, unless another worker is at one, or nothing may begin any more."""
    worker = authority.executing
    standing = standings(connection, [run.id])[run.id]
    for one in standing.open:
        if one.alive and one.worker_id != worker.id:
            raise UnavailableError(
                f"attempt {one.attempt} is under way with worker {one.worker_id}; try again"
            )
    reason, said = _obstacle(connection, directive, run, module, authority)
    if reason is None:
        entry = attempted(directive.id, run.attempts + 1, worker.id)
        execute_batch(connection, [*next_attempt(run, worker.id), *event_batch([entry])])
        return RunState(directive, latest_run(connection, directive.id))
    # Who wrote a run that nobody granted, and no attempt of it, did not begin it.
    forged = reason == "approval_unverifiable" and not standing.attempts
    if standing.is_unknown and not forged:
        data: JsonObject = {"reason": "in_doubt", "because": [said]}
        doubt_directive(connection, directive.id)
        append_events(connection, [NewEvent(directive.id, "directive.in_doubt", data=data)])
        report_in_doubt(directive.id, said)
    else:
        _end(connection, standing, reason, said, worker)
    return RunState(get_directive(connection, directive.id), None)


def _obstacle(
    connection: sa.Connection,
    directive: DirectiveRead,
    run: ExecutionRunRead,
    module: ModuleInfo | None,
    authority: Authority,
) -> tuple[AbortReason | None, str]:
    """Return why a run may not be begun again, and the same for a person; None when it may.

    A row of `execution_runs` carries no authority: whoever wrote it may have had none. What counts
    is the signed grant that it consumed.
    """
    if run.attempts >= MAX_ATTEMPTS:
        return "attempts_exhausted", f"begun {run.attempts} times and never ended"
    grant = grant_by_id(connection, run.grant_id)
    problem = _consumed_problem(directive, run, grant, module.digest if module else None, authority)
    if problem == "approval_expired":  # which was not asked
        problem = "approval_unverifiable"
    return problem, f"the grant that it consumed does not hold: {problem}"


def _end(
    connection: sa.Connection,
    standing: Standing,
    reason: AbortReason,
    said: str,
    worker: WorkerIdentity,
) -> None:
    end = make_run_end(standing, ModuleOutput.error_(said), reason)
    statement = run_end_statement(
        standing.run,
        end.output,
        worker_id=worker.id,
        by=REMIT,
        reason=reason,
        said=said,
        status="failed",
        artifacts=end.digests,
        ended_at=standing.now,
    )
    signed = replace(end, envelope=sign_statement(RUN_END, statement, worker.keys))
    write_run_ends(connection, [signed], final_model_costs(connection, [standing.run.id]))
    count_end(standing.run, None, "aborted", reason)
