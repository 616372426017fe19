"""Act: consume a grant, and begin an attempt.

The activities of `ExecutionWorkflow` call these. Each verifies under the directive's lock that what
it is about to do is still wanted, so a worker that comes late, twice, or after a cancel changes
nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.approval.grants import void_reason
from remit.approval.repository import (
    consume_requests,
    latest_grants,
    resolve_request,
    void_grant,
)
from remit.approval.types import Grant, VoidReason
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import Entry, evidence, record
from remit.db.session import transaction
from remit.db.together import write_together
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import get_directive, lock_directive
from remit.errors import ConflictError, UnavailableError
from remit.execution.models import ExecutionRunCreate, ExecutionRunRead
from remit.execution.modules.base import ModuleKind
from remit.execution.modules.types import ModuleOutput
from remit.execution.mutator import (
    begin_attempt,
    create_execution_run,
)
from remit.execution.repository import latest_run
from remit.operations.results import Ending, close_runs
from remit.policy.config import PolicyConfig

MAX_ATTEMPTS = 3
"""How many times one run may be begun; after that its module is taken to kill its worker."""


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """The module that this worker has for a directive.

    Attributes:
        kind: how it is run.
        version: its version; empty when the worker has no such module.
    """

    kind: ModuleKind
    version: str


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a directive and its run stand.

    Attributes:
        directive: the directive now.
        run: its run, when there is something left to do for it; None when there is not.
    """

    directive: DirectiveRead
    run: ExecutionRunRead | None


def start_runs(
    engine: sa.Engine,
    directive_ids: Sequence[UUID],
    choose: Callable[[str], ModuleChoice],
    policy: PolicyConfig,
) -> list[RunState]:
    """Consume the grants of approved directives and create their runs; all of them or none.

    For a `short` module the run is begun at once; a `long` one is begun by :func:`begin_run`.

    Args:
        engine: the database.
        directive_ids: whom to start, each once.
        choose: tells which module this worker has under a name.
        policy: the policy in force.

    Returns:
        Where each stands, in the order of `directive_ids`.

    Raises:
        ConflictError: one is not approved, or its grant does not hold; :func:`start_run` looks
            into that, one at a time.
        UnavailableError: the database does not answer; nothing was changed.
    """
    with transaction(engine) as connection:
        # This takes the directives' locks, so that an ordinary start needs no separate look.
        moved = transition_directive_status(
            connection, directive_ids, current="approved", target="executing"
        )
        grants, now = latest_grants(connection, directive_ids)
        started = [
            _prepare(directive, _valid(directive, grants.get(directive.id), policy, now), choose)
            for directive in moved
        ]
        parts = [
            create_execution_run([one.run for one in started]),
            consume_requests([one.grant.request_id for one in started if one.grant.request_id]),
        ]
        entries = [entry for one in started for entry in _start_entries(one)]
        parts += evidence(entries, [_start_artifact(one) for one in started])
        write_together(connection, parts)
    states = {one.directive.id: RunState(one.directive, _as_read(one, now)) for one in started}
    return [states[directive_id] for directive_id in directive_ids]


def start_run(
    engine: sa.Engine,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    policy: PolicyConfig,
) -> RunState:
    """Start one directive, or take up the run that there is.

    A grant that no longer holds is voided and the directive blocked with the reason.

    Args:
        engine: the database.
        directive_id: the directive.
        choose: tells which module this worker has under a name.
        policy: the policy in force.

    Raises:
        NotFoundError: there is no such directive.
        UnavailableError: the database does not answer; nothing was changed.
    """
    try:
        return start_runs(engine, [directive_id], choose, policy)[0]
    except ConflictError:
        with transaction(engine) as connection:
            return _take_up(connection, directive_id, choose, policy)


def begin_run(engine: sa.Engine, directive_id: UUID) -> RunState:
    """Begin the next attempt of a run that exists.

    Raises:
        NotFoundError: there is no such directive.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        run = latest_run(connection, directive_id) if directive.status == "executing" else None
        return _begin(connection, directive, run) if run else RunState(directive, None)


@dataclass(frozen=True, slots=True)
class _Start:
    """One directive about to run: all verified, nothing written."""

    directive: DirectiveRead
    grant: Grant
    run: ExecutionRunCreate


def _prepare(
    directive: DirectiveRead, grant: Grant, choose: Callable[[str], ModuleChoice]
) -> _Start:
    choice = choose(directive.type)
    run = ExecutionRunCreate(
        id=uuid4(),
        directive_id=directive.id,
        grant_id=grant.id,
        module=directive.type,
        module_version=choice.version,
        idempotency_key=f"{directive.id}:{grant.id}",
        status="running" if choice.kind == "short" else "pending",
    )
    return _Start(directive, grant, run)


def _valid(
    directive: DirectiveRead, grant: Grant | None, policy: PolicyConfig, now: datetime
) -> Grant:
    """Return the grant if it holds for this directive, as it is now.

    Raises:
        ConflictError: it does not.
    """
    void = _void_reason(directive, grant, policy, now)
    if grant is None or void is not None:
        raise ConflictError(f"the grant of directive {directive.id} does not hold: {void}")
    return grant


def _void_reason(
    directive: DirectiveRead, grant: Grant | None, policy: PolicyConfig, now: datetime
) -> VoidReason | None:
    return void_reason(
        grant,
        action_digest=action_digest(intent_of(directive)),
        module=directive.type,
        policy_digest=policy.digest,
        now=now,
    )


def _as_read(start: _Start, now: datetime) -> ExecutionRunRead:
    """Return a run that was just stored, without reading it back."""
    begun = start.run.status == "running"
    row = {
        **start.run.model_dump(),
        "attempts": int(begun),
        "result": None,
        "error_type": None,
        "error_message": None,
        "created_at": now,
        "started_at": now if begun else None,
        "ended_at": None,
    }
    return ExecutionRunRead.from_row(row)


def _take_up(
    connection: sa.Connection,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    policy: PolicyConfig,
) -> RunState:
    """Void a grant that does not hold, or go on with the run that there is."""
    directive = lock_directive(connection, directive_id)
    if directive.status == "approved":
        grants, now = latest_grants(connection, [directive_id])
        grant = grants.get(directive_id)
        void = _void_reason(directive, grant, policy, now)
        if void is None:
            raise UnavailableError(f"directive {directive_id} was changed meanwhile; try again")
        return _block(connection, directive, grant, void)
    if directive.status != "executing":
        return RunState(directive, None)
    run = latest_run(connection, directive_id)
    if run is not None and choose(directive.type).kind == "short":
        return _begin(connection, directive, run)
    return RunState(directive, run)


def _block(
    connection: sa.Connection, directive: DirectiveRead, grant: Grant | None, void: VoidReason
) -> RunState:
    """Void the grant and block the directive."""
    if grant is not None:
        void_grant(connection, grant.id, void)
        if grant.request_id is not None:
            resolve_request(connection, grant.request_id, "approved", "invalidated")
    [blocked] = transition_directive_status(
        connection, [directive.id], current="approved", target="blocked", reason=void
    )
    record(
        connection,
        [
            Entry(directive.id, "grant.voided", data={"reason": void}),
            Entry(directive.id, "directive.blocked", data={"reason": void}),
        ],
    )
    return RunState(blocked, None)


def _begin(connection: sa.Connection, directive: DirectiveRead, run: ExecutionRunRead) -> RunState:
    if run.attempts >= MAX_ATTEMPTS:
        output = ModuleOutput.error_(f"begun {run.attempts} times and never ended")
        close_runs(connection, [Ending(run, output, reason="attempts_exhausted")])
        return RunState(get_directive(connection, directive.id), None)
    begin_attempt(connection, run.id, run.status)
    record(connection, [_attempted(directive.id, run.attempts + 1)])
    return RunState(directive, latest_run(connection, directive.id))


def _start_entries(start: _Start) -> list[Entry]:
    about = start.directive.id
    entries = [
        Entry(about, "grant.consumed", data={"grant": str(start.grant.id)}),
        Entry(about, "directive.executing", data={"run": str(start.run.id)}),
    ]
    return [*entries, _attempted(about, 1)] if start.run.status == "running" else entries


def _attempted(directive_id: UUID, attempt: int) -> Entry:
    return Entry(directive_id, "run.attempted", data={"attempt": attempt})


def _start_artifact(start: _Start) -> NewArtifact:
    run, grant = start.run, start.grant
    return new_artifact(
        "execution_start",
        {
            "run": str(run.id),
            "grant": str(grant.id),
            "action_digest": grant.action_digest,
            "policy_digest": grant.policy_digest,
            "approved_by": list(grant.votes),
            "module": run.module,
            "module_version": run.module_version,
            "idempotency_key": run.idempotency_key,
        },
        directive_id=run.directive_id,
        run_id=run.id,
    )
