"""What is signed of how attempts and runs end, and whether it still verifies. Pure.

A worker signs the end of each attempt with its own key, which the installation certified: that is
all that bears out what the rows `execution_attempts` and `execution_runs` say of it. A run that
ends by no attempt was ended by somebody else, who signs that instead: with the installation's key,
or with the worker's that found the obstacle.

A worker's key verifies with a keyring made of its certificate, see `remit.execution.workers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, moment, sign_statement, verify_statement
from remit.vocabulary import AttemptOutcome, Settled

ATTEMPT_END = Kind("attempt-end")
RUN_END = Kind("run-end")
RECONCILIATION = Kind("reconciliation")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What every statement about a run names.

    Attributes:
        run_id: the run.
        directive_id: the directive that it carries out.
        grant_id: the grant that it consumed.
        attempts: how many attempts had begun: `execution_runs.attempts`.
        started_at: when the first attempt began: `execution_runs.started_at`; None: none did.
    """

    run_id: UUID
    directive_id: UUID
    grant_id: UUID
    attempts: int
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How one attempt ended.

    Attributes:
        run: the run, as it stood when the attempt ended.
        worker_id: the worker that made the attempt, and signs.
        attempt: which attempt it was.
        ends_run: whether the run ended with it. If so, the run's status is `completed` for a
            success and `failed` for an error, its `ended_at`, `result`, `error_type` and
            `error_message` are those of this attempt.
        outcome: how it ended.
        output: what the module returned, as `execution_runs.result` and the attempt's
            `execution_checkpoint` hold it.
        cost: what it cost in US dollars, with two decimals; None: nobody knows.
        artifacts: digest of each artifact that was stored with the end, by its address.
        started_at: when it began.
        ended_at: when it ended.
    """

    run: RunFacts
    worker_id: UUID
    attempt: int
    ends_run: bool
    outcome: AttemptOutcome
    output: JsonObject
    cost: Decimal | None
    artifacts: Mapping[str, str]
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended with no attempt.

    Attributes:
        run: the run.
        worker_id: the worker that signs; None: the installation's key does.
        by: who ended it: a principal, or "remit".
        reason: the directive's reason: why it was aborted.
        said: what is told besides, for a person; None: nothing.
        status: the run's status.
        output: what stands as the run's result; None: nothing does.
        artifacts: digest of each artifact that was stored with the end, by its address.
        ended_at: when it ended.
    """

    run: RunFacts
    worker_id: UUID | None
    by: str
    reason: str
    said: str | None
    status: Literal["failed", "canceled"]
    output: JsonObject | None
    artifacts: Mapping[str, str]
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How a person settled a run that was in doubt.

    Attributes:
        run: the run.
        by: the person.
        settled: what the person says of it: `done` completes the run, `failed` fails it.
        reason: the person's words.
        output: what stands as the run's result.
        artifacts: digest of each artifact that was stored with it, by its address.
        ended_at: when it was settled: the run's end.
    """

    run: RunFacts
    by: str
    settled: Settled
    reason: str
    output: JsonObject
    artifacts: Mapping[str, str]
    ended_at: datetime


def attempt_end_statement(end: AttemptEnd) -> JsonObject:
    """Return what the signature of an attempt's end covers."""
    return {
        **_of_run(end.run),
        **_of_output(end.output),
        "worker": str(end.worker_id),
        "attempt": end.attempt,
        "ends_run": end.ends_run,
        "outcome": end.outcome,
        "cost": None if end.cost is None else f"{end.cost:.2f}",
        "artifacts": dict(end.artifacts),
        "started_at": moment(end.started_at),
        "ended_at": moment(end.ended_at),
    }


def run_end_statement(end: RunEnd) -> JsonObject:
    """Return what the signature of a run's end covers that came from no attempt."""
    return {
        **_of_run(end.run),
        **_of_output(end.output),
        "worker": None if end.worker_id is None else str(end.worker_id),
        "by": end.by,
        "reason": end.reason,
        "said": end.said,
        "status": end.status,
        "artifacts": dict(end.artifacts),
        "ended_at": moment(end.ended_at),
    }


def reconciliation_statement(end: Reconciliation) -> JsonObject:
    """Return what the signature of a reconciliation covers."""
    return {
        **_of_run(end.run),
        **_of_output(end.output),
        "by": end.by,
        "as": end.settled,
        "reason": end.reason,
        "artifacts": dict(end.artifacts),
        "ended_at": moment(end.ended_at),
    }


def sign_attempt_end(end: AttemptEnd, keys: Keyring) -> JsonObject:
    """Return the envelope of an attempt's end, signed by its worker.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(ATTEMPT_END, attempt_end_statement(end), keys)


def sign_run_end(end: RunEnd, keys: Keyring) -> JsonObject:
    """Return the envelope of a run's end that came from no attempt.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(RUN_END, run_end_statement(end), keys)


def sign_reconciliation(end: Reconciliation, keys: Keyring) -> JsonObject:
    """Return the envelope of a reconciliation.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(RECONCILIATION, reconciliation_statement(end), keys)


def verify_attempt_end(envelope: JsonObject | None, end: AttemptEnd, keys: Keyring) -> None:
    """Return quietly when one of the keys, the worker's, signed this end.

    Raises:
        UnverifiableError: none did; the message says why.
    """
    verify_statement(ATTEMPT_END, envelope, attempt_end_statement(end), keys)


def verify_run_end(envelope: JsonObject | None, end: RunEnd, keys: Keyring) -> None:
    """Return quietly when one of the keys signed this end of a run.

    Raises:
        UnverifiableError: none did; the message says why.
    """
    verify_statement(RUN_END, envelope, run_end_statement(end), keys)


def verify_reconciliation(envelope: JsonObject | None, end: Reconciliation, keys: Keyring) -> None:
    """Return quietly when one of the keys signed this reconciliation.

    Raises:
        UnverifiableError: none did; the message says why.
    """
    verify_statement(RECONCILIATION, envelope, reconciliation_statement(end), keys)


def output_digest(output: JsonObject) -> str:
    """Return the digest of a stored output: SHA-256 over its canonical JSON."""
    return sha256_digest(canonical_json(output))


def _of_run(run: RunFacts) -> JsonObject:
    return {
        "run": str(run.run_id),
        "directive": str(run.directive_id),
        "grant": str(run.grant_id),
        "attempts": run.attempts,
        "run_started_at": None if run.started_at is None else moment(run.started_at),
    }


def _of_output(output: JsonObject | None) -> JsonObject:
    """Return what a statement says of an output; its error is told in words, too."""
    error = None if output is None else output.get("error")
    found = error if isinstance(error, dict) else {}
    return {
        "output_digest": None if output is None else output_digest(output),
        "error_type": found.get("error_type"),
        "error_message": found.get("message"),
    }
