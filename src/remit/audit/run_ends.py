"""Whether runs and their attempts ended as was signed. Pure.

A row of either carries no authority. A worker signs the end of each attempt with a key of its own,
which the installation certified; a run that no attempt ended was ended by somebody else, who signed
that. What is signed names the result, the error, the times, the cost and the evidence. A bundle is
held against the same, see `remit.audit.bundle_attempts`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import JsonValue

from remit.audit.bundle_records import Attempt, Worker
from remit.audit.bundle_said import claims, kind_of, said, stated_moment, unlike, worker_keys
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import InvalidInputError, UnverifiableError
from remit.execution.statements import ATTEMPT_END, RECONCILIATION, RUN_END, output_digest
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """A run with all that its end is held against; JSON is whatever somebody forged into it.

    Attributes:
        id: the run.
        directive_id: the directive that it carries out.
        grant_id: the grant that it consumed.
        granted_at: when that was issued, by the database's clock.
        granted_digest: digest of the module that was granted.
        module: name of its module.
        status: where it stands.
        attempts: how many attempts were begun.
        result: what stands as its result.
        error_type: which error it ended with.
        error_message: the same for a person.
        started_at: when its first attempt began.
        ended_at: when it ended; None while it has not.
        reason: the reason of its directive's status.
        envelope: its end, signed, when it came from no attempt.
        left: digest of each artifact that was stored with its end, by its address.
    """

    id: UUID
    directive_id: UUID
    grant_id: UUID
    granted_at: datetime
    granted_digest: str
    module: str
    status: str
    attempts: int
    result: JsonValue
    error_type: str | None
    error_message: str | None
    started_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    envelope: JsonObject | None
    left: JsonObject


@dataclass(frozen=True, slots=True)
class AuditedAttempt:
    """An attempt with the worker that made it."""

    attempt: Attempt
    worker: Worker


def judge_run(
    run: AuditedRun,
    own: Sequence[AuditedAttempt],
    find_worker: Callable[[str], Worker | None],
    keys: Keyring,
) -> Iterator[str]:
    """Yield each thing that is wrong with a run and its attempts, in words.

    Args:
        run: the run.
        own: its attempts, in order.
        find_worker: returns the worker of an identifier; None: there is none.
        keys: the keys that are trusted.
    """
    numbers = [one.attempt.attempt for one in own]
    if run.attempts != len(own) or numbers != [*range(1, len(own) + 1)]:
        yield f"it says that it was begun {run.attempts} times, and {len(own)} attempts are there"
    for one in own:
        for problem in _of_attempt(run, one, keys):
            yield f"attempt {one.attempt.attempt} {problem}"
    ending = [one for one in own if claims(one.attempt.envelope).get("ends_run") is True]
    if run.ended_at is None:
        if ending or run.envelope is not None:
            yield "it has not ended, and its end was signed"
    elif (ending and run.envelope is not None) or len(ending) > 1:
        yield "it was ended more than once"
    elif not ending and run.envelope is None:
        yield "nobody signed how it ended"
    elif not ending:
        yield from _ended_without(run, find_worker, keys)


def _of_attempt(run: AuditedRun, one: AuditedAttempt, keys: Keyring) -> Iterator[str]:
    attempt, worker = one.attempt, one.worker
    modules: object = worker.modules
    had = modules.get(run.module) if isinstance(modules, dict) else None
    if had != run.granted_digest:
        yield "was made by a worker that does not have the module that was granted"
    if attempt.ended_at is None:
        return
    try:
        stated = said(ATTEMPT_END, attempt.envelope, worker_keys(worker, keys))
    except UnverifiableError as error:
        yield f"does not bear out its end: {error.message}"
        return
    wrong = [*unlike(stated, _row_of(run, attempt))]
    if stated.get("ends_run") is True:
        status = {"success": "completed", "error": "failed"}.get(str(attempt.outcome))
        ended: JsonObject = {
            **_end_of(run),
            "outcome": attempt.outcome if run.status == status else None,
        }
        wrong += unlike(stated, ended)
    if wrong:
        yield f"ended otherwise than its worker signed: {listed(wrong, 'and')}"


def _ended_without(
    run: AuditedRun, find_worker: Callable[[str], Worker | None], keys: Keyring
) -> Iterator[str]:
    """Yield what is wrong with an end that came from no attempt."""
    settled = kind_of(run.envelope) == RECONCILIATION.payload_type
    kind = RECONCILIATION if settled else RUN_END
    named = claims(run.envelope).get("worker")
    signer = find_worker(named) if isinstance(named, str) else None
    try:
        stated = said(kind, run.envelope, keys if signer is None else worker_keys(signer, keys))
    except UnverifiableError as error:
        yield f"its end does not verify: {error.message}"
        return
    row = {**_run_of(run), **_end_of(run)}
    if settled:
        row["as"] = {"completed": "done", "failed": "failed"}.get(run.status)
    else:
        row |= {"status": run.status, "reason": run.reason}
    wrong = [*unlike(stated, row)]
    if wrong:
        yield f"it ended otherwise than was signed: {listed(wrong, 'and')}"


def _row_of(run: AuditedRun, attempt: Attempt) -> JsonObject:
    cost: Decimal | None = attempt.cost
    return {
        **_run_of(run),
        "worker": str(attempt.worker_id),
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "cost": None if cost is None else f"{cost:.2f}",
        "started_at": stated_moment(attempt.started_at),
        "ended_at": stated_moment(attempt.ended_at),
    }


def _run_of(run: AuditedRun) -> JsonObject:
    """Return what every statement says of its run."""
    return {
        "run": str(run.id),
        "directive": str(run.directive_id),
        "grant": str(run.grant_id),
        "run_started_at": stated_moment(run.started_at),
    }


def _end_of(run: AuditedRun) -> JsonObject:
    """Return what the statement that ended a run says of what it left."""
    try:
        digest = output_digest(run.result) if isinstance(run.result, dict) else None
    except InvalidInputError:
        digest = "none that can be computed"
    return {
        "attempts": run.attempts,
        "output_digest": digest,
        "error_type": run.error_type,
        "error_message": run.error_message,
        "artifacts": run.left,
        "ended_at": stated_moment(run.ended_at),
    }
