"""Checks of a bundle about how runs ended: each end is as whoever saw it signed it. Pure.

The rows of a run and of its attempts carry no authority. A worker signs the end of each of its
attempts with a key of its own, which the installation certified; a run that no attempt ended was
ended by somebody else, who signed that. What is signed names the result, the error, the times, the
cost and the evidence.
"""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from remit.audit.bundle_facts import Check, counted, judged, parsed_data
from remit.audit.bundle_installation import is_before
from remit.audit.bundle_records import Attempt, Evidence, Worker
from remit.audit.bundle_said import claims, kind_of, said, stated_moment, unlike, worker_keys
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import UnverifiableError
from remit.execution.lifecycle import is_terminal_status
from remit.execution.models import ExecutionRunRead
from remit.execution.statements import ATTEMPT_END, RECONCILIATION, RUN_END, output_digest
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType

_LEFT: frozenset[ArtifactType] = frozenset(
    {"module_output", "execution_checkpoint", "execution_end"}
)
"""What is stored with the end of a run."""


def attempts(evidence: Evidence, keys: Keyring) -> Check:
    """Check that each run was begun by certified workers, and ended as was signed."""
    workers = {one.id: one for one in evidence.workers}
    problems = [
        f"worker {one.id} {problem}"
        for one in workers.values()
        for problem in _of_worker(one, keys)
    ]
    unborne: list[str] = []
    for run in evidence.runs:
        if is_before(evidence, run.created_at):
            unborne.append(f"how run {run.id} ended: it began before workers signed that")
            continue
        own = [one for one in evidence.attempts if one.run_id == run.id]
        found = [*_numbered(run, own)]
        for one in own:
            found += [
                f"attempt {one.attempt} {problem}"
                for problem in _of_attempt(evidence, run, one, workers.get(one.worker_id), keys)
            ]
        found += _of_end(evidence, run, own, keys)
        problems += [f"run {run.id} {problem}" for problem in found]
    known = {run.id for run in evidence.runs}
    problems += [
        f"attempt {one.attempt} is of a run that is not there"
        for one in evidence.attempts
        if one.run_id not in known
    ]
    number = len(evidence.attempts)
    words = f"{counted(number, 'attempt')}, each end signed by whoever saw it"
    return judged("attempts", problems, words if number else "none was begun", unborne)


def _of_worker(worker: Worker, keys: Keyring) -> Iterator[str]:
    try:
        worker_keys(worker, keys)
    except UnverifiableError as error:
        yield f"was not certified: {error.message}"


def _numbered(run: ExecutionRunRead, own: list[Attempt]) -> Iterator[str]:
    """Yield what is wrong with how often a run was begun."""
    if [one.attempt for one in own] != [*range(1, run.attempts + 1)]:
        yield f"was begun {counted(run.attempts, 'time')}, and not each has its attempt"
    ending = [one for one in own if one.envelope is not None and _claims_end(one.envelope)]
    if len(ending) > 1:
        yield "was ended by more than one attempt"


def _claims_end(envelope: JsonObject) -> bool:
    return claims(envelope).get("ends_run") is True


def _of_attempt(
    evidence: Evidence,
    run: ExecutionRunRead,
    attempt: Attempt,
    worker: Worker | None,
    keys: Keyring,
) -> Iterator[str]:
    """Yield what is wrong with one attempt."""
    if worker is None:
        yield "was made by a worker that is not there"
        return
    grant = next((one for one in evidence.grants if one.id == run.grant_id), None)
    if grant is not None and worker.modules.get(run.module) != grant.module_digest:
        yield "was made by a worker that does not have the module that was granted"
    if attempt.started_at < worker.started_at:
        yield "was made before its worker was there"
    if attempt.ended_at is None:
        if attempt.envelope is not None:
            yield "has not ended, and its end was signed"
        return
    try:
        stated = said(ATTEMPT_END, attempt.envelope, worker_keys(worker, keys))
    except UnverifiableError as error:
        yield f"does not bear out its end: {error.message}"
        return
    wrong = [*unlike(stated, _row_of(run, attempt))]
    if stated.get("ends_run") is True:
        wrong += unlike(stated, _ended_by(evidence, run, attempt))
    if wrong:
        yield f"ended otherwise than its worker signed: {listed(wrong, 'and')}"


def _row_of(run: ExecutionRunRead, attempt: Attempt) -> Mapping[str, JsonValue]:
    """Return what the rows say of any attempt that ended."""
    return {
        "run": str(run.id),
        "directive": str(run.directive_id),
        "grant": str(run.grant_id),
        "run_started_at": stated_moment(run.started_at),
        "worker": str(attempt.worker_id),
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "cost": None if attempt.cost is None else f"{attempt.cost:.2f}",
        "started_at": stated_moment(attempt.started_at),
        "ended_at": stated_moment(attempt.ended_at),
    }


def _ended_by(
    evidence: Evidence, run: ExecutionRunRead, attempt: Attempt
) -> Mapping[str, JsonValue]:
    """Return what the rows say of the attempt that ended its run."""
    status = {"success": "completed", "error": "failed"}.get(str(attempt.outcome))
    return {
        **_result_of(evidence, run),
        "attempts": run.attempts,
        "ended_at": stated_moment(run.ended_at),
        "outcome": attempt.outcome if run.status == status else None,
    }


def _result_of(evidence: Evidence, run: ExecutionRunRead) -> JsonObject:
    """Return what every statement about the end of a run says of what it left."""
    left: JsonObject = {
        one.uri: one.digest
        for one in evidence.artifacts
        if one.run_id == run.id and one.type in _LEFT
    }
    return {
        "output_digest": None if run.result is None else output_digest(run.result),
        "error_type": run.error_type,
        "error_message": run.error_message,
        "artifacts": left,
    }


def _of_end(
    evidence: Evidence, run: ExecutionRunRead, own: list[Attempt], keys: Keyring
) -> Iterator[str]:
    """Yield what is wrong with the end of a run, which an attempt or somebody else signed."""
    ended = is_terminal_status(run.status)
    by_attempt = [one for one in own if one.envelope is not None and _claims_end(one.envelope)]
    signed = [one.envelope for one in evidence.ends if one.about == run.id]
    if not ended:
        if by_attempt or signed:
            yield f"is {run.status}, and its end was signed"
        return
    if by_attempt and signed:
        yield "was ended by an attempt, and by somebody else"
    elif not by_attempt and len(signed) != 1:
        yield "has an end that nobody signed"
    elif signed:
        yield from _ended_without(evidence, run, signed[0], keys)


def _ended_without(
    evidence: Evidence, run: ExecutionRunRead, envelope: JsonObject | None, keys: Keyring
) -> Iterator[str]:
    """Yield what is wrong with the end of a run that came from no attempt."""
    kind = RECONCILIATION if kind_of(envelope) == RECONCILIATION.payload_type else RUN_END
    try:
        stated = said(kind, envelope, _signer(evidence, envelope, keys))
    except UnverifiableError as error:
        yield f"has an end that does not verify: {error.message}"
        return
    row: JsonObject = {
        **_result_of(evidence, run),
        "run": str(run.id),
        "directive": str(run.directive_id),
        "grant": str(run.grant_id),
        "attempts": run.attempts,
        "run_started_at": stated_moment(run.started_at),
        "ended_at": stated_moment(run.ended_at),
    }
    if kind is RECONCILIATION:
        row |= _as_told(evidence)
        row["as"] = {"completed": "done", "failed": "failed"}.get(run.status)
    else:
        row |= {"status": run.status, "reason": _reason(evidence, run), "by": _by(evidence)}
    wrong = [*unlike(stated, row)]
    if wrong:
        yield f"ended otherwise than was signed: {listed(wrong, 'and')}"


def _as_told(evidence: Evidence) -> JsonObject:
    """Return who settled a run that was in doubt, and why, as the log says."""
    told = [event for event in evidence.events if event.type == "run.reconciled"]
    if not told:
        return {"by": None}
    because = parsed_data(told[-1].data).get("because")
    return {"by": told[-1].actor, "reason": because[0] if isinstance(because, list) else None}


def _by(evidence: Evidence) -> JsonValue:
    """Return who aborted a directive, as the log says."""
    told = [event.actor for event in evidence.events if event.type == "directive.aborted"]
    return told[-1] if told else None


def _reason(evidence: Evidence, run: ExecutionRunRead) -> JsonValue:
    """Return why a run ended: a directive has none after the run that aborted it."""
    last = evidence.runs[-1].id == run.id
    return evidence.directive.status_reason if last else None


def _signer(evidence: Evidence, envelope: JsonObject | None, keys: Keyring) -> Keyring:
    """Return the keys that verify an end that came from no attempt: a worker's, if it names one."""
    named = claims(envelope).get("worker")
    for worker in evidence.workers:
        if str(worker.id) == named:
            return worker_keys(worker, keys)
    return keys
