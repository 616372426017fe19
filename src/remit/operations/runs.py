"""Act: consume a grant, and begin an attempt.

The activities of `ExecutionWorkflow` call these. Each verifies under the directive's lock that what
it is about to do is still wanted, so a worker that comes late, twice, or after a cancel changes
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.approval.grants import void_reason
from remit.approval.repository import (
    latest_grant,
    resolve_request,
    void_grant,
)
from remit.approval.types import Grant, VoidReason
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import Entry, record
from remit.db.session import transaction
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.directives.mutator import transition_directive_status
from remit.directives.repository import lock_directive
from remit.errors import ConflictError, UnavailableError
from remit.execution.models import ExecutionRunCreate, ExecutionRunRead
from remit.execution.modules.base import ModuleKind
from remit.execution.modules.types import ModuleOutput
from remit.execution.mutator import (
    begin_attempt,
    create_execution_run,
)
from remit.execution.repository import latest_run
from remit.operations.results import close_run
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


def start_run(
    engine: sa.Engine,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    policy: PolicyConfig,
) -> RunState:
    """Consume the directive's grant and create its run, or take up the run that there is.

    A grant that no longer holds is voided and the directive blocked with the reason. For a `short`
    module the run is begun at once; a `long` one is begun by :func:`begin_run`.

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
        with transaction(engine) as connection:
            return _consume(connection, directive_id, choose, policy)
    except ConflictError:
        # Not approved, or the grant does not hold: what was done is rolled back, and looked into.
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


def _consume(
    connection: sa.Connection,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    policy: PolicyConfig,
) -> RunState:
    """Verify the grant where it is consumed, and create the run.

    The first statement takes the directive's lock by making it `executing`, so that an ordinary
    start needs no separate look.

    Raises:
        ConflictError: the directive is not approved, or its grant does not hold.
    """
    [directive] = transition_directive_status(
        connection, [directive_id], current="approved", target="executing"
    )
    grant, void = _check(connection, directive, policy)
    if grant is None or void is not None:
        raise ConflictError(f"the grant of directive {directive_id} does not hold: {void}")
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
    created = create_execution_run(connection, run)
    if grant.request_id is not None:
        resolve_request(connection, grant.request_id, "approved", "consumed")
    record(connection, _start_entries(run, grant), [_start_artifact(run, grant)])
    return RunState(directive, created)


def _take_up(
    connection: sa.Connection,
    directive_id: UUID,
    choose: Callable[[str], ModuleChoice],
    policy: PolicyConfig,
) -> RunState:
    """Void a grant that does not hold, or go on with the run that there is."""
    directive = lock_directive(connection, directive_id)
    if directive.status == "approved":
        grant, void = _check(connection, directive, policy)
        if void is None:
            raise UnavailableError(f"directive {directive_id} was changed meanwhile; try again")
        return _block(connection, directive, grant, void)
    if directive.status != "executing":
        return RunState(directive, None)
    run = latest_run(connection, directive_id)
    if run is not None and choose(directive.type).kind == "short":
        return _begin(connection, directive, run)
    return RunState(directive, run)


def _check(
    connection: sa.Connection, directive: DirectiveRead, policy: PolicyConfig
) -> tuple[Grant | None, VoidReason | None]:
    """Return the directive's grant, and why it does not hold; None when it does."""
    grant, now = latest_grant(connection, directive.id)
    reason = void_reason(
        grant,
        action_digest=action_digest(intent_of(directive)),
        module=directive.type,
        policy_digest=policy.digest,
        now=now,
    )
    return grant, reason


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
        ended = close_run(connection, run, output, (), "attempts_exhausted")
        return RunState(ended, None)
    begin_attempt(connection, run.id, run.status)
    record(connection, [_attempted(directive.id, run.attempts + 1)])
    return RunState(directive, latest_run(connection, directive.id))


def _start_entries(run: ExecutionRunCreate, grant: Grant) -> list[Entry]:
    about = run.directive_id
    entries = [
        Entry(about, "grant.consumed", data={"grant": str(grant.id)}),
        Entry(about, "directive.executing", data={"run": str(run.id)}),
    ]
    return [*entries, _attempted(about, 1)] if run.status == "running" else entries


def _attempted(directive_id: UUID, attempt: int) -> Entry:
    return Entry(directive_id, "run.attempted", data={"attempt": attempt})


def _start_artifact(run: ExecutionRunCreate, grant: Grant) -> NewArtifact:
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
