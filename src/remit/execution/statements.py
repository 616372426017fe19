"""What is signed of how attempts and runs end. Pure.

A worker signs the end of each attempt with its own key, which the installation certified: that is
all that bears out what the rows `execution_attempts` and `execution_runs` say of it. A run that
ends by no attempt was ended by somebody else, who signs that instead: with the installation's key,
or with the key of the worker that found why it may not go on.

`remit.signing.statements` signs and verifies these; a worker's key verifies with a keyring made of
its certificate, see `remit.execution.workers`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.execution.models import ExecutionRunRead, error_of
from remit.signing.statements import Kind, moment
from remit.vocabulary import AttemptOutcome, Settled

ATTEMPT_END = Kind("attempt-end")
RUN_END = Kind("run-end")
RECONCILIATION = Kind("reconciliation")


def attempt_end_statement(
    run: ExecutionRunRead,
    output: JsonObject,
    *,
    worker_id: UUID,
    attempt: int,
    ends_run: bool,
    outcome: AttemptOutcome,
    cost: Decimal | None,
    artifacts: Mapping[str, str],
    started_at: datetime,
    ended_at: datetime,
) -> JsonObject:
    """Return what a worker signs of the end of an attempt.

    Args:
        output: what the module returned, as `execution_runs.result` and the attempt's
            `execution_checkpoint` hold it.
        ends_run: whether the run ended with it, and so has its outcome, end, result and error.
        cost: US dollars; None: nobody knows.
        artifacts: digest of each artifact that was stored with the end, by its address.
    """
    return {
        **_of_run(run),
        **_of_output(output),
        "worker": str(worker_id),
        "attempt": attempt,
        "ends_run": ends_run,
        "outcome": outcome,
        "cost": None if cost is None else f"{cost:.2f}",
        "artifacts": dict(artifacts),
        "started_at": moment(started_at),
        "ended_at": moment(ended_at),
    }


def run_end_statement(
    run: ExecutionRunRead,
    output: JsonObject | None,
    *,
    worker_id: UUID | None,
    by: str,
    reason: str,
    said: str | None,
    status: Literal["failed", "canceled"],
    artifacts: Mapping[str, str],
    ended_at: datetime,
) -> JsonObject:
    """Return what is signed of the end of a run that came from no attempt.

    Args:
        worker_id: the worker that signs; None: the installation's key does.
        by: who ended it: a principal, or "remit".
        said: what is told besides the reason, for a person.
    """
    return {
        **_of_run(run),
        **_of_output(output),
        "worker": None if worker_id is None else str(worker_id),
        "by": by,
        "reason": reason,
        "said": said,
        "status": status,
        "artifacts": dict(artifacts),
        "ended_at": moment(ended_at),
    }


def reconciliation_statement(
    run: ExecutionRunRead,
    output: JsonObject,
    *,
    by: str,
    settled: Settled,
    reason: str,
    artifacts: Mapping[str, str],
    ended_at: datetime,
) -> JsonObject:
    """Return what is signed when a person settles a run that was in doubt."""
    return {
        **_of_run(run),
        **_of_output(output),
        "by": by,
        "as": settled,
        "reason": reason,
        "artifacts": dict(artifacts),
        "ended_at": moment(ended_at),
    }


def output_digest(output: JsonObject) -> str:
    """Return the digest of a stored output: SHA-256 over its canonical JSON."""
    return sha256_digest(canonical_json(output))


def _of_run(run: ExecutionRunRead) -> JsonObject:
    return {
        "run": str(run.id),
        "directive": str(run.directive_id),
        "grant": str(run.grant_id),
        "attempts": run.attempts,
        "run_started_at": None if run.started_at is None else moment(run.started_at),
    }


def _of_output(output: JsonObject | None) -> JsonObject:
    """Return what a statement says of an output; its error is told in words, too."""
    error = error_of(output)
    return {
        "output_digest": None if output is None else output_digest(output),
        "error_type": error.get("error_type"),
        "error_message": error.get("message"),
    }
