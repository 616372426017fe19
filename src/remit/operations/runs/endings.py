"""What is written when a run ends, whoever ends it: one statement, with what is signed of it.

`remit.operations.runs.results` ends runs with what modules returned; runs that no attempt ends are
ended by `remit.operations.runs.beginning`, `remit.operations.runs.cancellation` and
`remit.operations.runs.reconciliation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact, final_model_costs, new_artifact
from remit.audit.repository import Entry, evidence
from remit.base.json_types import JsonObject
from remit.budget.costs import NO_MODELS, ModelCosts, attempts_cost, closing_of
from remit.budget.ledger import Unpromised, releases, settlements, unpromised
from remit.budget.types import Closing
from remit.db.batch import execute_batch
from remit.directives.mutator import moves
from remit.execution.models import Standing
from remit.execution.mutator import EndedAttempt, RunClose, attempt_ends, run_ends
from remit.execution.statements import RunEnd, RunFacts, sign_run_end
from remit.operations.metrics import count_settled
from remit.signing.keys import Keyring
from remit.vocabulary import AbortReason, DirectiveStatus, StatusReason


@dataclass(frozen=True, slots=True)
class RunEnding:
    """All that is written when one run ends.

    Attributes:
        standing: the run, as it stands when it ends.
        status: the status that it gets.
        reason: why its directive aborts; None completes it.
        output: what stands as the run's result; None: nothing does.
        entries: the events of it, in order; the last one names the artifacts.
        artifacts: the evidence.
        attempt: the attempt that it ends with; None: none.
        envelope: what was signed of an end that came from no attempt; None: the attempt's is.
    """

    standing: Standing
    status: Literal["completed", "failed", "canceled"]
    reason: AbortReason | None
    output: JsonObject | None
    entries: Sequence[Entry]
    artifacts: Sequence[NewArtifact] = ()
    attempt: EndedAttempt | None = None
    envelope: JsonObject | None = None

    @property
    def attempts(self) -> ModelCosts:
        """What its attempts cost together."""
        costs = [one.cost for one in self.standing.attempts if one.ended_at is not None]
        if self.attempt is not None:
            costs.append(self.attempt.cost)
        return attempts_cost(costs, self.standing.run.attempts)


def facts_of(standing: Standing) -> RunFacts:
    """Return what every statement about a run names."""
    run = standing.run
    return RunFacts(run.id, run.directive_id, run.grant_id, run.attempts, run.started_at)


def end_artifact(
    standing: Standing,
    status: str,
    reason: str | None,
    error: str | None,
    emitted: Sequence[NewArtifact] = (),
) -> NewArtifact:
    """Return the evidence that a run has ended."""
    run = standing.run
    return new_artifact(
        "execution_end",
        {
            "run": str(run.id),
            "status": status,
            "attempts": run.attempts,
            "reason": reason,
            "error": error,
            "artifacts": [one.uri for one in emitted],
        },
        directive_id=run.directive_id,
        run_id=run.id,
    )


def checkpoint(standing: Standing, attempt: int, output: JsonObject) -> NewArtifact:
    """Return the evidence of what stands as the run's result."""
    run = standing.run
    return new_artifact(
        "execution_checkpoint",
        {"run": str(run.id), "attempt": attempt, "output": output},
        directive_id=run.directive_id,
        run_id=run.id,
    )


def signed_end(end: RunEnd, keys: Keyring | None) -> JsonObject | None:
    """Return the envelope of a run's end that came from no attempt; None: there is no key."""
    return None if keys is None or keys.signing_key is None else sign_run_end(end, keys)


def digests_of(artifacts: Sequence[NewArtifact]) -> dict[str, str]:
    """Return the digest of each artifact, by its address."""
    return {one.uri: one.digest for one in artifacts}


def spent_by(connection: sa.Connection, run_ids: Sequence[UUID]) -> Mapping[UUID, ModelCosts]:
    """Return what models cost runs that end in this transaction, and hold their directives."""
    return final_model_costs(connection, run_ids)


def write_endings(
    connection: sa.Connection,
    endings: Sequence[RunEnding],
    models: Mapping[UUID, ModelCosts],
) -> None:
    """End runs and their directives, and close what was promised to them, in one statement.

    Args:
        connection: the operation's transaction.
        endings: what ends.
        models: what models cost each run that asked one.

    Raises:
        ConflictError: a run, its directive or its attempt has changed meanwhile; nothing may be
            committed.
    """
    closings = _closings(endings, models)
    parts = [
        moves(_targets(endings), current="executing"),
        run_ends([_close(one) for one in endings]),
        attempt_ends([one.attempt for one in endings if one.attempt is not None], moving=True),
        settlements([one for one in closings.values() if one is not None]),
        releases([grant_id for grant_id, closing in closings.items() if closing is None]),
        unpromised([spent for one in endings if (spent := _unpromised(one)) is not None]),
    ]
    entries = [
        entry
        for one in endings
        for entry in [*_of_money(one, closings.get(one.standing.run.grant_id)), *one.entries]
    ]
    artifacts = [artifact for one in endings for artifact in one.artifacts]
    execute_batch(connection, [*parts, *evidence(entries, artifacts)])
    count_settled(closings.values())


def _closings(
    endings: Sequence[RunEnding], models: Mapping[UUID, ModelCosts]
) -> dict[UUID, Closing | None]:
    """Return how each promise is closed, by grant; None where nothing was spent of it."""
    return {
        one.standing.run.grant_id: closing_of(
            one.standing.run.grant_id,
            one.attempts,
            models.get(one.standing.run.id, NO_MODELS),
            completed=one.reason is None,
        )
        for one in endings
        if one.standing.promised is not None
    }


def _targets(
    endings: Sequence[RunEnding],
) -> dict[UUID, tuple[DirectiveStatus, StatusReason | None]]:
    return {
        one.standing.run.directive_id: ("aborted" if one.reason else "complete", one.reason)
        for one in endings
    }


def _close(one: RunEnding) -> RunClose:
    standing = one.standing
    return RunClose(standing.run, one.status, standing.now, one.output, one.envelope)


def _unpromised(one: RunEnding) -> Unpromised | None:
    """Return what a run cost that nothing was promised to; None when that is nothing."""
    if one.standing.promised is not None or not one.attempts.known:
        return None
    run = one.standing.run
    return Unpromised(run.directive_id, run.grant_id, one.attempts.known)


def _of_money(one: RunEnding, closing: Closing | None) -> list[Entry]:
    """Return the events of money that was spent beyond what was promised."""
    about, promised = one.standing.run.directive_id, one.standing.promised
    found = _unpromised(one)
    if found is not None:
        return [Entry(about, "budget.unpromised", data={"spent": f"{found.amount:.2f}"})]
    if promised is None or closing is None:
        return []
    spent = max(closing.spent or Decimal(0), closing.at_least)
    if spent <= promised:
        return []
    data: JsonObject = {"promised": f"{promised:.2f}", "spent": f"{spent:f}"}
    return [Entry(about, "budget.exceeded", data=data)]
