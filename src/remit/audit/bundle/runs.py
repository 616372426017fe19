"""Checks of a bundle about action: what ran, with which grant, and how it ended. Pure.

The rows of a run and of its attempts carry no authority: `remit.audit.run_ends` says who signs how
they ended.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from pydantic import JsonValue

from remit.approval.types import Grant
from remit.audit.bundle.consent import is_signed
from remit.audit.bundle.facts import (
    Check,
    counted,
    judged,
    of_type,
    particulars,
    same,
    unlike_log,
)
from remit.audit.bundle.origin import is_before
from remit.audit.bundle.types import Bundle
from remit.audit.chain import parsed_data
from remit.audit.run_ends import (
    LEFT,
    SETTLED_AS,
    Attempt,
    Worker,
    attempt_problems,
    end_facts,
    ends_run,
    run_facts,
    signed_end,
    unlike,
    worker_keys,
)
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import UnverifiableError
from remit.execution.lifecycle import is_terminal_status
from remit.execution.models import ExecutionRunRead
from remit.execution.statements import RECONCILIATION
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType, DirectiveStatus, RunStatus

_OF_RUNS: frozenset[ArtifactType] = frozenset({"execution_start", *LEFT})
_RUN_OF: Mapping[DirectiveStatus, frozenset[RunStatus]] = {
    "executing": frozenset({"pending", "running"}),
    "complete": frozenset({"completed"}),
    "aborted": frozenset({"failed", "canceled"}),
}
"""How the last run of a directive of each status stands; any other status has none."""


def no_run_without_grant(bundle: Bundle, keys: Keyring) -> Check:
    """Check that nothing ran without a grant, signed, good, and used for nothing else."""
    found = {grant.id: grant for grant in bundle.grants}
    uses = Counter(run.grant_id for run in bundle.runs)
    problems = [
        f"run {run.id} {problem}"
        for run in bundle.runs
        for problem in _of_grant(found.get(run.grant_id), uses[run.grant_id], keys)
    ]
    known = {run.id for run in bundle.runs}
    problems += [
        f"the artifact {one.uri} is of a run that is not there"
        for one in bundle.artifacts
        if (one.type in _OF_RUNS or one.run_id is not None) and one.run_id not in known
    ]
    if bundle.directive.status in _RUN_OF and not bundle.runs:
        problems.append(f"the directive is {bundle.directive.status}, and there is no run")
    begun = [one.get("run") for one in particulars(bundle, "directive.executing")]
    used = [one.get("grant") for one in particulars(bundle, "grant.consumed")]
    problems += unlike_log("run", [str(run.id) for run in bundle.runs], begun)
    problems += unlike_log("used grant", [str(run.grant_id) for run in bundle.runs], used)
    number = len(bundle.runs)
    words = f"{counted(number, 'run')}, {counted(number, 'grant')} used" if number else "none ran"
    return judged("no run without a grant", problems, words)


def _of_grant(grant: Grant | None, uses: int, keys: Keyring) -> Iterator[str]:
    if grant is None:
        yield "has no grant"
        return
    if not is_signed(grant, keys):
        yield "has a grant whose signature does not hold"
    if grant.voided_at is not None:
        yield f"has a grant that is void: {grant.void_reason}"
    if uses > 1:
        yield "shares its grant with another run"


def runs(bundle: Bundle) -> Check:
    """Check that each run did what its grant lets it, and that evidence and log agree on it."""
    found = {grant.id: grant for grant in bundle.grants}
    problems: list[str] = []
    for run in bundle.runs:
        grant = found.get(run.grant_id)
        own = [*_beside_grant(run, grant)] if grant else []
        own += [*_beside_start(bundle, run, grant), *_beside_end(bundle, run)]
        problems += [f"run {run.id} {problem}" for problem in own]
    status = bundle.directive.status
    last = {run.status for run in bundle.runs[-1:]}
    if not last <= _RUN_OF.get(status, frozenset()):
        problems.append(f"the directive is {status}, and its last run is not")
    begun = sum(run.attempts for run in bundle.runs)
    logged = len([*particulars(bundle, "run.attempted")])
    if begun != logged:
        problems.append(f"the log tells of {counted(logged, 'attempt')}, not {begun}")
    number = len(bundle.runs)
    words = f"{counted(number, 'run')}, of the module that was granted" if number else "none ran"
    return judged("runs", problems, words)


def _beside_grant(run: ExecutionRunRead, grant: Grant) -> Iterator[str]:
    if (run.module, run.module_version) != (grant.module, grant.module_version):
        yield f"is of {run.module} {run.module_version}, not {grant.module} {grant.module_version}"
    if not grant.issued_at <= run.created_at < grant.expires_at:
        yield "began when its grant did not stand"
    if run.directive_id != grant.directive_id:
        yield "is of another directive than its grant"


def _beside_start(bundle: Bundle, run: ExecutionRunRead, grant: Grant | None) -> Iterator[str]:
    started = _metadata(bundle, "execution_start", run)
    if len(started) != 1:
        yield f"has {counted(len(started), 'artifact')} of its start"
        return
    wanted: JsonObject = {
        "run": str(run.id),
        "grant": str(run.grant_id),
        "module": run.module,
        "module_version": run.module_version,
        "idempotency_key": run.idempotency_key,
    }
    if grant is not None:
        wanted |= {
            "action_digest": grant.action_digest,
            "policy_digest": grant.policy_digest,
            "approved_by": [*grant.votes],
            "module_digest": grant.module_digest,
        }
    for name, value in wanted.items():
        if not same(started[0].get(name), value):
            yield f"began otherwise: {name}"


def _beside_end(bundle: Bundle, run: ExecutionRunRead) -> Iterator[str]:
    ended = _metadata(bundle, "execution_end", run)
    given = _metadata(bundle, "execution_checkpoint", run)
    if run.status not in {"completed", "failed"}:
        if ended or given:
            yield f"is {run.status}, and left an end"
    elif [one.get("status") for one in ended] != [run.status]:
        yield "ended otherwise than its artifact says"
    elif len(given) != 1 or not same(given[0].get("output"), run.result):
        yield "returned something else than its artifact says"


def _metadata(bundle: Bundle, kind: ArtifactType, run: ExecutionRunRead) -> list[JsonObject]:
    return [one.metadata for one in of_type(bundle, kind) if one.run_id == run.id]


def attempts(bundle: Bundle, keys: Keyring) -> Check:
    """Check that each run was begun by certified workers, and ended as was signed."""
    problems: list[str] = []
    for worker in {one.id: one for one in bundle.workers}.values():
        try:
            worker_keys(worker, keys)
        except UnverifiableError as error:
            problems.append(f"worker {worker.id} was not certified: {error.message}")
    unborne: list[str] = []
    for run in bundle.runs:
        if is_before(bundle, run.created_at):
            unborne.append(f"how run {run.id} ended: it began before workers signed that")
        else:
            problems += [f"run {run.id} {problem}" for problem in _of_run(bundle, run, keys)]
    known = {run.id for run in bundle.runs}
    problems += [
        f"attempt {one.attempt} is of a run that is not there"
        for one in bundle.attempts
        if one.run_id not in known
    ]
    number = len(bundle.attempts)
    words = f"{counted(number, 'attempt')}, each end signed by whoever saw it"
    return judged("attempts", problems, words if number else "none was begun", unborne)


def _of_run(bundle: Bundle, run: ExecutionRunRead, keys: Keyring) -> Iterator[str]:
    own = [one for one in bundle.attempts if one.run_id == run.id]
    ending = [one for one in own if ends_run(one)]
    if [one.attempt for one in own] != [*range(1, run.attempts + 1)]:
        yield f"was begun {counted(run.attempts, 'time')}, and not each has its attempt"
    if len(ending) > 1:
        yield "was ended by more than one attempt"
    left: JsonObject = {
        one.uri: one.digest for one in bundle.artifacts if one.run_id == run.id and one.type in LEFT
    }
    ended = _in_order(end_facts(run, left))
    for one in own:
        for problem in _of_attempt(bundle, run, one, ended, keys):
            yield f"attempt {one.attempt} {problem}"
    signed = [one.envelope for one in bundle.ends if one.about == run.id]
    if not is_terminal_status(run.status):
        if ending or signed:
            yield f"is {run.status}, and its end was signed"
    elif ending and signed:
        yield "was ended by an attempt, and by somebody else"
    elif not ending and len(signed) != 1:
        yield "has an end that nobody signed"
    elif signed:
        yield from _ended_without(bundle, run, signed[0], ended, keys)


def _of_attempt(
    bundle: Bundle, run: ExecutionRunRead, attempt: Attempt, ended: JsonObject, keys: Keyring
) -> Iterator[str]:
    worker = {one.id: one for one in bundle.workers}.get(attempt.worker_id)
    if worker is None:
        yield "was made by a worker that is not there"
        return
    grant = next((one for one in bundle.grants if one.id == run.grant_id), None)
    if grant is not None and worker.modules.get(run.module) != grant.module_digest:
        yield "was made by a worker that does not have the module that was granted"
    if attempt.started_at < worker.started_at:
        yield "was made before its worker was there"
    if attempt.ended_at is not None:
        yield from attempt_problems(run, attempt, worker, ended, keys)
    elif attempt.envelope is not None:
        yield "has not ended, and its end was signed"


def _ended_without(
    bundle: Bundle,
    run: ExecutionRunRead,
    envelope: JsonObject | None,
    ended: JsonObject,
    keys: Keyring,
) -> Iterator[str]:
    try:
        kind, stated = signed_end(envelope, partial(_worker, bundle), keys)
    except UnverifiableError as error:
        yield f"has an end that does not verify: {error.message}"
        return
    row = _in_order({**run_facts(run), **ended})
    if kind is RECONCILIATION:
        row |= _as_logged(bundle)
        row["as"] = SETTLED_AS.get(run.status)
    else:
        aborted = [event.actor for event in bundle.events if event.type == "directive.aborted"]
        is_last = bundle.runs[-1].id == run.id
        # A directive has no reason after the run that aborted it.
        reason: JsonValue = bundle.directive.status_reason if is_last else None
        row |= {"status": run.status, "reason": reason, "by": aborted[-1] if aborted else None}
    wrong = [*unlike(stated, row)]
    if wrong:
        yield f"ended otherwise than was signed: {listed(wrong, 'and')}"


def _in_order(facts: JsonObject) -> JsonObject:
    """Return what is signed of an end, in the order in which a check names what differs."""
    names = (
        *("output_digest", "error_type", "error_message", "artifacts", "run", "directive"),
        *("grant", "attempts", "run_started_at", "ended_at"),
    )
    return {name: facts[name] for name in names if name in facts}


def _worker(bundle: Bundle, worker_id: str) -> Worker | None:
    return next((one for one in bundle.workers if str(one.id) == worker_id), None)


def _as_logged(bundle: Bundle) -> JsonObject:
    """Return who settled a run that was in doubt, and why, as the log says."""
    settled = [event for event in bundle.events if event.type == "run.reconciled"]
    if not settled:
        return {"by": None}
    because = parsed_data(settled[-1].data).get("because")
    return {"by": settled[-1].actor, "reason": because[0] if isinstance(because, list) else None}
