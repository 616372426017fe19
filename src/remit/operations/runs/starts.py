"""Act, the beginning of it: consume grants and create runs.

Whether a grant holds is verified here, in the transaction that consumes it. Nothing is written for
a directive whose grant does not hold; `remit.operations.runs.beginning` looks into those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import ValidationError

from remit.approval.repository import LATEST_GRANT, consume_requests, grant_from_json
from remit.approval.rules import void_reason
from remit.approval.statements import verify_grant
from remit.approval.types import Grant
from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import Entry, evidence
from remit.base.json_types import JsonObject
from remit.db.batch import execute_batch
from remit.db.session import transaction
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.directives.mutator import Claim, claim_directives
from remit.errors import ConflictError, InvalidInputError, UnverifiableError
from remit.execution.models import ExecutionRunCreate, ExecutionRunRead
from remit.execution.mutator import create_execution_run, first_attempts
from remit.operations.gate.authority import Authority
from remit.operations.gate.routing import Route
from remit.signing.keys import Keyring
from remit.telemetry.metrics import count_directive, record_queue_lag
from remit.vocabulary import ModuleKind, VoidReason

ConsumedProblem = Literal["action_changed", "approval_unverifiable", "policy_changed"]
"""Why a grant that a run consumed does not cover one more attempt."""


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """The module that this worker has for a directive.

    Attributes:
        kind: how it is run.
        version: its version; empty when the worker has no such module.
        digest: digest of its description; empty when the worker has no such module.
    """

    kind: ModuleKind
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a directive and its run stand.

    Attributes:
        directive: the directive now.
        run: its run, when there is something left to do for it; None when there is not.
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
        starts = [_prepare(claim, choose, authority) for claim in claims]
        _write(connection, starts, authority.executing.id)
    for one in starts:
        record_queue_lag((one.now - one.grant.issued_at).total_seconds())
        count_directive("executing")
    states = {one.directive.id: RunState(one.directive, _as_read(one)) for one in starts}
    return [states[directive_id] for directive_id in directive_ids]


def check_grant(
    directive: DirectiveRead,
    grant: Grant | None,
    choice: ModuleChoice,
    authority: Authority,
    now: datetime,
) -> VoidReason | None:
    """Return why the grant does not hold for the directive as it is now; None when it does.

    Args:
        directive: the directive, freshly read.
        grant: its grant; None when it has none.
        choice: the module that would run.
        authority: the policy in force, and the keys that verify.
        now: the database's clock.
    """
    if grant is not None and not _is_signed(directive, grant, authority.keys):
        return "approval_unverifiable"
    return void_reason(
        grant,
        action_digest=_digest_now(directive),
        module=directive.type,
        module_digest=choice.digest,
        policy_digest=authority.policy.digest,
        now=now,
    )


def consumed_problem(
    directive: DirectiveRead,
    run: ExecutionRunRead,
    grant: Grant | None,
    choice: ModuleChoice,
    authority: Authority,
) -> ConsumedProblem | None:
    """Return why the grant that a run consumed does not cover one more attempt; None: it does.

    Its expiry was judged when it was consumed, by the database too. All else is judged again: that
    a row says a grant was consumed does not prove that anybody looked at the grant.
    """
    signed = grant is not None and _is_signed(directive, grant, authority.keys)
    if grant is None or grant.voided_at is not None or not signed:
        return "approval_unverifiable"
    if grant.policy_digest != authority.policy.digest:
        return "policy_changed"
    if (run.module, run.idempotency_key) != (grant.module, effect_key(grant)):
        return "approval_unverifiable"
    bound = (grant.action_digest, grant.module, grant.module_digest)
    found = (_digest_now(directive), directive.type, choice.digest)
    return None if bound == found else "action_changed"


def effect_key(grant: Grant) -> str:
    """Return the idempotency key of the one effect that a grant allows."""
    return f"{grant.directive_id}:{grant.id}"


def _digest_now(directive: DirectiveRead) -> str:
    """Return the digest of the content as it is; empty when it is such that none can be made."""
    try:
        return action_digest(intent_of(directive))
    except InvalidInputError:
        return ""


def _is_signed(directive: DirectiveRead, grant: Grant, keys: Keyring) -> bool:
    """Return whether a key that is trusted signed this very grant for this directive."""
    try:
        verify_grant(grant, keys)
    except UnverifiableError:
        return False
    return grant.directive_id == directive.id


def attempted(directive_id: UUID, attempt: int, worker_id: UUID) -> Entry:
    """Return the event of an attempt that begins."""
    data: JsonObject = {"attempt": attempt, "worker": str(worker_id)}
    return Entry(directive_id, "run.attempted", data=data)


@dataclass(frozen=True, slots=True)
class _Start:
    """One directive about to run: all verified, nothing written."""

    directive: DirectiveRead
    grant: Grant
    run: ExecutionRunCreate
    now: datetime


def _prepare(claim: Claim, choose: Callable[[str], ModuleChoice], authority: Authority) -> _Start:
    """Verify one grant and describe the run that it will become.

    Raises:
        ConflictError: it does not hold.
    """
    directive = claim.directive
    grant = None if claim.grounds is None else _readable_grant(claim.grounds)
    choice = choose(directive.type)
    void = check_grant(directive, grant, choice, authority, claim.judged_at)
    if grant is None or void is not None:
        raise ConflictError(f"the grant of directive {directive.id} does not hold: {void}")
    run = ExecutionRunCreate(
        id=uuid4(),
        directive_id=directive.id,
        grant_id=grant.id,
        module=directive.type,
        module_version=choice.version,
        idempotency_key=effect_key(grant),
        status="running" if choice.kind == "short" else "pending",
    )
    return _Start(directive, grant, run, claim.stamped_at)


def _readable_grant(stored: JsonObject) -> Grant:
    """Return the grant that was read.

    Raises:
        ConflictError: its row holds what no grant of Remit does.
    """
    try:
        return grant_from_json(stored)
    except ValidationError as error:
        raise ConflictError("the grant cannot be read; look at it again") from error


def _write(connection: sa.Connection, starts: Sequence[_Start], worker_id: UUID) -> None:
    requests = [one.grant.request_id for one in starts if one.grant.request_id is not None]
    entries = [entry for one in starts for entry in _start_entries(one, worker_id)]
    runs = [one.run for one in starts]
    parts = [
        create_execution_run(runs),
        first_attempts(runs, worker_id),
        consume_requests(requests),
        *evidence(entries, [_start_artifact(one) for one in starts]),
    ]
    execute_batch(connection, parts)


def _as_read(start: _Start) -> ExecutionRunRead:
    """Return a run that was just stored, without reading it back."""
    begun = start.run.status == "running"
    row = {
        **start.run.model_dump(),
        "attempts": int(begun),
        "result": None,
        "error_type": None,
        "error_message": None,
        "created_at": start.now,
        "started_at": start.now if begun else None,
        "ended_at": None,
    }
    return ExecutionRunRead.from_row(row)


def _start_entries(start: _Start, worker_id: UUID) -> list[Entry]:
    about = start.directive.id
    entries = [
        Entry(about, "grant.consumed", data={"grant": str(start.grant.id)}),
        Entry(about, "directive.executing", data={"run": str(start.run.id)}),
    ]
    if start.run.status == "running":
        entries.append(attempted(about, 1, worker_id))
    return entries


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
            "module_digest": grant.module_digest,
            "idempotency_key": run.idempotency_key,
        },
        directive_id=run.directive_id,
        run_id=run.id,
    )
