"""Checks of a bundle about action: what ran, with which leave, and at what cost. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from remit.approval.types import Grant
from remit.audit.bundle_consent import is_signed
from remit.audit.bundle_facts import (
    Check,
    counted,
    judged,
    of_type,
    particulars,
    same,
    unlike_log,
)
from remit.audit.bundle_records import Evidence
from remit.base.json_types import JsonObject
from remit.execution.models import ExecutionRunRead
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType, DirectiveStatus, RunStatus

_OF_RUNS: frozenset[ArtifactType] = frozenset(
    {"execution_start", "execution_checkpoint", "execution_end", "module_output"}
)
_RUN_OF: Mapping[DirectiveStatus, frozenset[RunStatus]] = {
    "executing": frozenset({"pending", "running"}),
    "complete": frozenset({"completed"}),
    "aborted": frozenset({"failed", "canceled"}),
}
"""How the last run of a directive of each status stands; any other status has none."""


def runs(evidence: Evidence) -> Check:
    """Check that each run did what its grant lets it, and that evidence and log agree on it."""
    found = {grant.id: grant for grant in evidence.grants}
    problems: list[str] = []
    for run in evidence.runs:
        grant = found.get(run.grant_id)
        own = [*_beside_grant(run, grant)] if grant else []
        own += [*_beside_start(evidence, run, grant), *_beside_end(evidence, run)]
        problems += [f"run {run.id} {problem}" for problem in own]
    status = evidence.directive.status
    last = {evidence.runs[-1].status} if evidence.runs else set[RunStatus]()
    if not last <= _RUN_OF.get(status, frozenset()):
        problems.append(f"the directive is {status}, and its last run is not")
    attempts = sum(run.attempts for run in evidence.runs)
    told = len([*particulars(evidence, "run.attempted")])
    if attempts != told:
        problems.append(f"the log tells of {counted(told, 'attempt')}, not {attempts}")
    number = len(evidence.runs)
    words = f"{counted(number, 'run')}, of the module that was granted" if number else "none ran"
    return judged("runs", problems, words)


def leave(evidence: Evidence, keys: Keyring) -> Check:
    """Check that nothing ran without a grant, signed, good, and used for nothing else."""
    found = {grant.id: grant for grant in evidence.grants}
    uses = Counter(run.grant_id for run in evidence.runs)
    problems = [
        f"run {run.id} {problem}"
        for run in evidence.runs
        for problem in _of_leave(found.get(run.grant_id), uses[run.grant_id], keys)
    ]
    known = {run.id for run in evidence.runs}
    problems += [
        f"the artifact {one.uri} is of a run that is not there"
        for one in evidence.artifacts
        if (one.type in _OF_RUNS or one.run_id is not None) and one.run_id not in known
    ]
    if evidence.directive.status in _RUN_OF and not evidence.runs:
        problems.append(f"the directive is {evidence.directive.status}, and there is no run")
    begun = [one.get("run") for one in particulars(evidence, "directive.executing")]
    used = [one.get("grant") for one in particulars(evidence, "grant.consumed")]
    problems += unlike_log("run", [str(run.id) for run in evidence.runs], begun)
    problems += unlike_log("used grant", [str(run.grant_id) for run in evidence.runs], used)
    number = len(evidence.runs)
    words = f"{counted(number, 'run')}, {counted(number, 'grant')} used" if number else "none ran"
    return judged("no run without a grant", problems, words)


def _beside_grant(run: ExecutionRunRead, grant: Grant) -> Iterator[str]:
    """Yield in what a run differs from what its grant lets it do."""
    if (run.module, run.module_version) != (grant.module, grant.module_version):
        yield f"is of {run.module} {run.module_version}, not {grant.module} {grant.module_version}"
    if not grant.issued_at <= run.created_at < grant.expires_at:
        yield "began when its grant did not stand"
    if run.directive_id != grant.directive_id:
        yield "is of another directive than its grant"


def _beside_start(evidence: Evidence, run: ExecutionRunRead, grant: Grant | None) -> Iterator[str]:
    """Yield in what a run differs from the artifact of its start."""
    started = [a.metadata for a in of_type(evidence, "execution_start") if a.run_id == run.id]
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


def _beside_end(evidence: Evidence, run: ExecutionRunRead) -> Iterator[str]:
    """Yield in what a run differs from the artifacts of its end."""
    ended = [a.metadata for a in of_type(evidence, "execution_end") if a.run_id == run.id]
    given = [a.metadata for a in of_type(evidence, "execution_checkpoint") if a.run_id == run.id]
    if run.status not in {"completed", "failed"}:
        if ended or given:
            yield f"is {run.status}, and left an end"
    elif [one.get("status") for one in ended] != [run.status]:
        yield "ended otherwise than its artifact says"
    elif len(given) != 1 or not same(given[0].get("output"), run.result):
        yield "returned something else than its artifact says"


def _of_leave(grant: Grant | None, uses: int, keys: Keyring) -> Iterator[str]:
    """Yield why a grant is no leave to run."""
    if grant is None:
        yield "has no grant"
        return
    if not is_signed(grant, keys):
        yield "has a grant whose signature does not hold"
    if grant.voided_at is not None:
        yield f"has a grant that is void: {grant.void_reason}"
    if uses > 1:
        yield "shares its grant with another run"
