"""Act, where it goes on no further: a run that may not be begun again, and what becomes of it.

Where every attempt has ended it ends, too. Where one has not, nobody knows whether the directive
was carried out, and it says so until a person settles it.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from remit.approval.repository import grant_by_id
from remit.audit.repository import REMIT, Entry, record
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.directives.mutator import doubt_directive
from remit.directives.repository import get_directive
from remit.execution.models import MAX_ATTEMPTS, ExecutionRunRead, Standing, output_to_json
from remit.execution.modules.types import ModuleOutput
from remit.execution.statements import RunEnd
from remit.execution.workers import WorkerIdentity
from remit.operations.gate.authority import Authority
from remit.operations.metrics import count_end, report_in_doubt
from remit.operations.runs import endings
from remit.operations.runs.endings import RunEnding, checkpoint, digests_of, end_artifact, facts_of
from remit.operations.runs.starts import ModuleChoice, consumed_problem
from remit.vocabulary import AbortReason


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a run may not be begun again.

    Attributes:
        reason: why its directive aborts.
        said: the same, for a person.
    """

    reason: AbortReason
    said: str


def obstacle(
    connection: sa.Connection,
    directive: DirectiveRead,
    run: ExecutionRunRead,
    choice: ModuleChoice,
    authority: Authority,
) -> Obstacle | None:
    """Return why a run may not be begun again; None when it may.

    A row of `execution_runs` carries no authority: whoever wrote it may have had none. What counts
    is the signed grant that it consumed, for the content, the module and the policy as they are.
    """
    if run.attempts >= MAX_ATTEMPTS:
        said = f"begun {run.attempts} times and never ended"
        return Obstacle("attempts_exhausted", said)
    grant = grant_by_id(connection, run.grant_id)
    problem = consumed_problem(directive, run, grant, choice, authority)
    if problem is None:
        return None
    return Obstacle(problem, f"the grant that it consumed does not hold: {problem}")


def end_unbegun(
    connection: sa.Connection,
    directive: DirectiveRead,
    standing: Standing,
    problem: Obstacle,
    worker: WorkerIdentity,
) -> DirectiveRead:
    """End a run that may not be begun again, and of which every attempt has ended."""
    run, output = standing.run, output_to_json(ModuleOutput.error_(problem.said))
    end = end_artifact(standing, "failed", problem.reason, problem.said)
    artifacts = [checkpoint(standing, run.attempts, output), end]
    said = RunEnd(
        run=facts_of(standing),
        worker_id=worker.id,
        by=REMIT,
        reason=problem.reason,
        said=problem.said,
        status="failed",
        output=output,
        artifacts=digests_of(artifacts),
        ended_at=standing.now,
    )
    envelope = endings.signed_end(said, worker.keys)
    ended: JsonObject = {"outcome": "error", "artifact": end.uri}
    aborted: JsonObject = {"reason": problem.reason, "because": [problem.said]}
    entries = [
        Entry(directive.id, "run.ended", data=ended),
        Entry(directive.id, "directive.aborted", data=aborted),
    ]
    ending = RunEnding(
        standing, "failed", problem.reason, output, entries, artifacts, envelope=envelope
    )
    endings.write_endings(connection, [ending], endings.spent_by(connection, [run.id]))
    count_end(run, None, "aborted", problem.reason)
    return get_directive(connection, directive.id)


def put_in_doubt(connection: sa.Connection, directive: DirectiveRead, said: str) -> DirectiveRead:
    """Say that nobody knows whether a directive was carried out; a person settles it."""
    data: JsonObject = {"reason": "in_doubt", "because": [said]}
    doubt_directive(connection, directive.id)
    record(connection, [Entry(directive.id, "directive.in_doubt", data=data)])
    report_in_doubt(directive.id, said)
    return get_directive(connection, directive.id)
