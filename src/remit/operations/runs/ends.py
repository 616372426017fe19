"""What is written when a run ends, whoever ends it: one statement, with what is signed of it.

`remit.operations.runs.results` ends runs with what modules returned. Those that no attempt ends are
ended by `beginning`, `cancellation` and `reconciliation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, new_artifact
from remit.audit.repository import REMIT, NewEvent, event_batch
from remit.base.json_types import JsonObject
from remit.budget.costs import add_costs, attempt_costs, closing_of
from remit.budget.ledger import releases, settlements, unpromised, unpromised_entry
from remit.budget.types import settlement
from remit.db.batch import execute_batch
from remit.directives.mutator import moves
from remit.execution.models import Standing, output_to_json
from remit.execution.modules.types import ModuleOutput, run_status_of
from remit.execution.mutator import attempt_ended, end_attempts, end_execution_runs, run_ended
from remit.operations.metrics import count_settled
from remit.vocabulary import AbortReason, AttemptOutcome, DirectiveStatus, RunStatus, StatusReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ends, with all that is written then.

    Attributes:
        standing: the run, as it stands when it ends.
        reason: why its directive aborts; None completes it.
        output: what stands as the run's result; None: nothing does.
        entries: the events of it, in order; the last one names the artifacts.
        attempt: the attempt that it ends with; None: none.
        cost: what that attempt cost in US dollars; None: nobody knows.
        envelope: what was signed of it, by the worker if an attempt ends it; None: there is no key.
    """

    standing: Standing
    status: RunStatus
    reason: AbortReason | None
    output: JsonObject | None
    entries: Sequence[NewEvent]
    artifacts: Sequence[NewArtifact] = ()
    attempt: int | None = None
    cost: Decimal | None = None
    envelope: JsonObject | None = None

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each artifact, by its address."""
        return {one.uri: one.digest for one in self.artifacts}

    @property
    def outcome(self) -> AttemptOutcome:
        """How the attempt that it ends with ended."""
        return "success" if self.reason is None else "error"

    @property
    def costs(self) -> list[Decimal | None]:
        """What each attempt that has ended cost; None: nobody knows."""
        costs = [one.cost for one in self.standing.attempts if one.ended_at is not None]
        return costs if self.attempt is None else [*costs, self.cost]

    @property
    def unpromised(self) -> Decimal:
        """The US dollars that are known to be spent where nothing was promised; else 0."""
        return add_costs(self.costs)[0] if self.standing.promised is None else Decimal(0)


def make_run_end(
    standing: Standing,
    output: ModuleOutput,
    reason: AbortReason | None,
    *,
    attempt: int | None = None,
    emitted: Sequence[NewArtifact] = (),
    by: str = REMIT,
) -> RunEnd:
    """Return the unsigned end of a run with what its module returned, or what stands for that."""
    run, stored = standing.run, output_to_json(output)
    status, message = run_status_of(output.status), output.error.message if output.error else None
    artifact = partial(new_artifact, directive_id=run.directive_id, run_id=run.id)
    number = attempt or run.attempts
    checkpoint: JsonObject = {"run": str(run.id), "attempt": number, "output": stored}
    ended: JsonObject = {
        "run": str(run.id),
        "status": status,
        "attempts": run.attempts,
        "reason": reason,
        "error": message,
        "artifacts": [one.uri for one in emitted],
    }
    end = artifact("execution_end", ended)
    entry = partial(NewEvent, run.directive_id, actor=by)
    told = entry("run.ended", data={"outcome": output.status.value, "artifact": end.uri})
    why = reason if message is None else message
    because: JsonObject = {"reason": reason, "because": [why]}
    completed = entry("directive.completed")
    return RunEnd(
        standing=standing,
        status=status,
        reason=reason,
        output=stored,
        entries=[told, entry("directive.aborted", data=because) if reason else completed],
        artifacts=[*emitted, artifact("execution_checkpoint", checkpoint), end],
        attempt=attempt,
    )


def write_run_ends(
    connection: sa.Connection, ends: Sequence[RunEnd], models: Mapping[UUID, list[Decimal | None]]
) -> None:
    """End runs and their directives, and close what was promised to them, in one statement.

    The ends are signed; `models` is what models cost each run that asked one, None: nobody knows.

    Raises:
        ConflictError: a run, its directive or its attempt has changed meanwhile; nothing may be
            committed.
    """
    promised = [one for one in ends if one.standing.promised is not None]
    closings = {one.standing.run.grant_id: _closing(one, models) for one in promised}
    spent = {each: closing for each, closing in closings.items() if closing is not None}
    targets: dict[UUID, tuple[DirectiveStatus, StatusReason | None]] = {
        one.standing.run.directive_id: ("aborted" if one.reason else "complete", one.reason)
        for one in ends
    }
    parts = [
        moves(targets, current="executing"),
        end_execution_runs([_run_row(one) for one in ends]),
        end_attempts(
            [attempt_row(one, one.attempt) for one in ends if one.attempt is not None], moving=True
        ),
        settlements(
            [settlement(each, known, unknown=more) for each, (known, more) in spent.items()]
        ),
        releases([each for each in closings if each not in spent]),
        unpromised([row for one in ends if (row := _unpromised_row(one)) is not None]),
    ]
    entries = [
        entry
        for one in ends
        for entry in [*_of_money(one, closings.get(one.standing.run.grant_id)), *one.entries]
    ]
    artifacts = [artifact for one in ends for artifact in one.artifacts]
    execute_batch(connection, [*parts, *event_batch(entries, artifacts)])
    count_settled(known for known, _ in spent.values())


def _closing(
    end: RunEnd, models: Mapping[UUID, list[Decimal | None]]
) -> tuple[Decimal, bool] | None:
    run = end.standing.run
    costs = [*attempt_costs(end.costs, run.attempts), *models.get(run.id, [])]
    return closing_of(costs, completed=end.reason is None)


def _unpromised_row(end: RunEnd) -> JsonObject | None:
    if not end.unpromised:
        return None
    run = end.standing.run
    return unpromised_entry(run.directive_id, run.grant_id, end.unpromised)


def _run_row(end: RunEnd) -> JsonObject:
    return run_ended(
        end.standing.run,
        end.status,
        ended_at=end.standing.now,
        output=end.output,
        envelope=end.envelope if end.attempt is None else None,
    )


def attempt_row(end: RunEnd, attempt: int) -> JsonObject:
    """Return the row of the attempt that a run ends with, or that ends alone."""
    return attempt_ended(
        end.standing.run.id,
        attempt,
        ended_at=end.standing.now,
        outcome=end.outcome,
        cost=end.cost,
        envelope=end.envelope,
    )


def _of_money(end: RunEnd, closing: tuple[Decimal, bool] | None) -> list[NewEvent]:
    about, promised = end.standing.run.directive_id, end.standing.promised
    if end.unpromised:
        return [NewEvent(about, "budget.unpromised", data={"spent": f"{end.unpromised:.2f}"})]
    if promised is None or closing is None or closing[0] <= promised:
        return []
    data: JsonObject = {"promised": f"{promised:.2f}", "spent": f"{closing[0]:f}"}
    return [NewEvent(about, "budget.exceeded", data=data)]
