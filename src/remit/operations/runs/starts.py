"""Consume grants and create runs, in the transaction that verifies the grants.

Nothing is written for a directive whose grant does not hold; `remit.operations.runs.beginning`
looks into those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import ValidationError

from remit.approval.repository import LATEST_GRANT, consume_requests, grant_from_json
from remit.approval.types import Grant
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import NewEvent, event_batch
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.mutator import Claim, claim_directives
from remit.errors import ConflictError
from remit.execution.grants import effect_key, void_reason
from remit.execution.models import ExecutionRunRead
from remit.execution.mutator import create_execution_run, first_attempts
from remit.operations.gate.authority import Authority
from remit.operations.gate.routing import Route
from remit.telemetry.metrics import count_directive, record_queue_lag
from remit.vocabulary import ModuleKind


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """The module that a worker has for a directive; without one, version and digest are empty."""

    kind: ModuleKind
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a directive and its run stand.

    Attributes:
        run: its run, when there is something left to do for it, or when the attempt that was
            reported has just ended it; else None.
        route: where it must be executed; None: here, or nowhere any more.
    """

    directive: DirectiveRead
    run: ExecutionRunRead | None
    route: Route | None = None


def start_runs(
    engine: sa.Engine,
    directive_ids: Sequence[UUID],
    choose: Callable[[str], ModuleChoice],
    authority: Authority,
) -> list[RunState]:
    """Consume the grants of approved directives and create their runs; all of them or none.

    For a `short` module the run is begun at once; a `long` one is begun when its activity is.

    Args:
        engine: the database.
        directive_ids: whom to start, each once.
        choose: tells which module this worker has under a name.
        authority: the policy in force, the keys that verify grants, and who executes.

    Returns:
        Where each stands, in the order of `directive_ids`.

    Raises:
        ConflictError: one is not approved, or its grant does not hold.
        UnavailableError: the database does not answer; nothing was changed.
    """
    with transaction(engine) as connection:
        # This takes the directives' locks, so that an ordinary start needs no separate look.
        claims = claim_directives(connection, directive_ids, grounds=LATEST_GRANT)
        started = [_started(claim, choose(claim.directive.type), authority) for claim in claims]
        _write(connection, started, authority.executing.id)
    for grant, run in started:
        record_queue_lag((run.created_at - grant.issued_at).total_seconds())
        count_directive("executing")
    runs = {run.directive_id: run for _, run in started}
    states = {one.directive.id: RunState(one.directive, runs[one.directive.id]) for one in claims}
    return [states[directive_id] for directive_id in directive_ids]


def attempted(directive_id: UUID, attempt: int, worker_id: UUID) -> NewEvent:
    """Return the event of an attempt that begins."""
    return NewEvent(
        directive_id, "run.attempted", data={"attempt": attempt, "worker": str(worker_id)}
    )


def _started(
    claim: Claim, choice: ModuleChoice, authority: Authority
) -> tuple[Grant, ExecutionRunRead]:
    """Verify a grant, and return it with the run that it becomes.

    Raises:
        ConflictError: it does not hold.
    """
    directive, now = claim.directive, claim.stamped_at
    grant = None if claim.grounds is None else _readable(claim)
    void = void_reason(
        grant,
        directive,
        keys=authority.keys,
        module_digest=choice.digest,
        policy_digest=authority.policy.digest,
        now=claim.judged_at,
    )
    if grant is None or void is not None:
        raise ConflictError(f"the grant of directive {directive.id} does not hold: {void}")
    is_begun = choice.kind == "short"
    return grant, ExecutionRunRead(
        id=uuid4(),
        directive_id=directive.id,
        grant_id=grant.id,
        module=directive.type,
        module_version=choice.version,
        idempotency_key=effect_key(grant),
        status="running" if is_begun else "pending",
        attempts=int(is_begun),
        result=None,
        error_type=None,
        error_message=None,
        created_at=now,
        started_at=now if is_begun else None,
        ended_at=None,
    )


def _readable(claim: Claim) -> Grant:
    try:
        return grant_from_json(claim.grounds or {})
    except ValidationError as error:
        raise ConflictError("the grant cannot be read; look at it again") from error


def _write(
    connection: sa.Connection, started: Sequence[tuple[Grant, ExecutionRunRead]], worker_id: UUID
) -> None:
    runs = [run for _, run in started]
    entries: list[NewEvent] = []
    for grant, run in started:
        about = run.directive_id
        entries.append(NewEvent(about, "grant.consumed", data={"grant": str(grant.id)}))
        entries.append(NewEvent(about, "directive.executing", data={"run": str(run.id)}))
        if run.attempts:
            entries.append(attempted(about, 1, worker_id))
    requests = [grant.request_id for grant, _ in started if grant.request_id is not None]
    parts = [
        create_execution_run(runs),
        first_attempts(runs, worker_id),
        consume_requests(requests),
        *event_batch(entries, [_start_artifact(grant, run) for grant, run in started]),
    ]
    execute_batch(connection, parts)


def _start_artifact(grant: Grant, run: ExecutionRunRead) -> NewArtifact:
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
            "module_digest": grant.module_digest,
            "idempotency_key": run.idempotency_key,
        },
        directive_id=run.directive_id,
        run_id=run.id,
    )
