"""Consume grants and create runs, in the transaction that verifies the grants.

Nothing is written for a directive whose grant does not hold; `remit.operations.runs.beginning`
looks into those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import ValidationError

from remit.approval.repository import LATEST_GRANT, consume_requests, grant_from_json
from remit.approval.types import Grant
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import NewEvent, event_batch
from remit.base.json_types import JsonObject
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.directives.mutator import claim_directives
from remit.errors import ConflictError
from remit.execution.grants import effect_key, void_reason
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.registry import ModuleInfo
from remit.execution.mutator import create_execution_run, first_attempts
from remit.operations.gate.authority import Authority
from remit.operations.gate.routing import Route
from remit.telemetry.metrics import count_directive, record_queue_lag

Choose = Callable[[str], ModuleInfo | None]
"""Tells which module this worker has under a name. Without one a run starts as a short one's."""


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
    choose: Choose,
    authority: Authority,
) -> list[RunState]:
    """Consume the grants of approved directives and create their runs; all of them or none.

    For a `short` module the run is begun at once; a `long` one is begun when its activity is.

    Returns:
        Where each stands, in the order of `directive_ids`.

    Raises:
        ConflictError: one is not approved, or its grant does not hold.
        UnavailableError: the database does not answer; nothing was changed.
    """
    with transaction(engine) as connection:
        # This takes the directives' locks, so that an ordinary start needs no separate look.
        claimed = claim_directives(connection, directive_ids, grounds=LATEST_GRANT)
        started = {
            directive.id: _started(directive, stored, now, choose(directive.type), authority)
            for directive, stored, now in claimed
        }
        _write(connection, [*started.values()], authority.executing.id)
    for grant, run in started.values():
        record_queue_lag((run.created_at - grant.issued_at).total_seconds())
        count_directive("executing")
    states = {one.id: RunState(one, started[one.id][1]) for one, _, _ in claimed}
    return [states[directive_id] for directive_id in directive_ids]


def attempted(directive_id: UUID, attempt: int, worker_id: UUID) -> NewEvent:
    """Return the event of an attempt that begins."""
    return NewEvent(
        directive_id, "run.attempted", data={"attempt": attempt, "worker": str(worker_id)}
    )


def _started(
    directive: DirectiveRead,
    stored: JsonObject | None,
    now: datetime,
    module: ModuleInfo | None,
    authority: Authority,
) -> tuple[Grant, ExecutionRunRead]:
    """Verify a stored grant, and return it with the run that it becomes."""
    grant = None if stored is None else _readable(stored)
    void = void_reason(
        grant,
        directive,
        keys=authority.keys,
        module_digest=module.digest if module else None,
        policy_digest=authority.policy.digest,
        now=now,
    )
    if grant is None or void is not None:
        raise ConflictError(f"the grant of directive {directive.id} does not hold: {void}")
    is_begun = module is None or module.kind == "short"
    created_at = directive.updated_at  # the transaction's time
    return grant, ExecutionRunRead(
        id=uuid4(),
        directive_id=directive.id,
        grant_id=grant.id,
        module=directive.type,
        module_version=module.version if module else "",
        idempotency_key=effect_key(grant),
        status="running" if is_begun else "pending",
        attempts=int(is_begun),
        result=None,
        error_type=None,
        error_message=None,
        created_at=created_at,
        started_at=created_at if is_begun else None,
        ended_at=None,
    )


def _readable(stored: JsonObject) -> Grant:
    try:
        return grant_from_json(stored)
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
