"""Whether runs and their attempts ended as was signed. Pure.

A row of either carries no authority. A worker signs the end of each attempt with a key of its own,
which the installation certified; a run that no attempt ended was ended by somebody else, who signed
that. An audit calls :func:`judge_run`; the checks of a bundle use the rest.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import InvalidInputError, UnverifiableError
from remit.execution.models import ExecutionRunRead
from remit.execution.statements import ATTEMPT_END, RECONCILIATION, RUN_END, output_digest
from remit.execution.workers import certificate, verify_certificate, worker_keyring
from remit.signing.dsse import envelope_from_json
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, canonical, moment
from remit.vocabulary import ArtifactType

LEFT: Final[tuple[ArtifactType, ...]] = ("module_output", "execution_checkpoint", "execution_end")
"""The types of what is stored with the end of a run, which names it and is signed."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that executed, with its key as PEM and its certificate.

    Attributes:
        modules: digest of each module that it had, by name.
    """

    id: UUID
    kid: str
    public_key: str
    modules: JsonObject
    envelope: JsonObject | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a run was begun; what only an end gives is None while nobody knows of one.

    Attributes:
        attempt: which one it is, from 1.
        cost: US dollars that its module reported; None: none, or as above.
        envelope: its end, signed by its worker.
    """

    run_id: UUID
    attempt: int
    worker_id: UUID
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    cost: Decimal | None
    envelope: JsonObject | None


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """A run with all that its end is held against; JSON is whatever somebody forged into it.

    Attributes:
        granted_at: when its grant was issued, by the database's clock.
        granted_digest: digest of the module that was granted.
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


def judge_run(
    run: AuditedRun,
    own: Sequence[tuple[Attempt, Worker]],
    find_worker: Callable[[str], Worker | None],
    keys: Keyring,
) -> Iterator[str]:
    """Yield each thing that is wrong with a run and its attempts, which stand in order."""
    numbers = [attempt.attempt for attempt, _ in own]
    if run.attempts != len(own) or numbers != [*range(1, len(own) + 1)]:
        yield f"it says that it was begun {run.attempts} times, and {len(own)} attempts are there"
    ended = end_facts(run, run.left)
    for attempt, worker in own:
        modules: object = worker.modules
        had = modules.get(run.module) if isinstance(modules, dict) else None
        problems: list[str] = []
        if had != run.granted_digest:
            problems.append("was made by a worker that does not have the module that was granted")
        if attempt.ended_at is not None:
            problems += attempt_problems(run, attempt, worker, ended, keys)
        yield from (f"attempt {attempt.attempt} {problem}" for problem in problems)
    ending = [attempt for attempt, _ in own if ends_run(attempt)]
    if run.ended_at is None:
        if ending or run.envelope is not None:
            yield "it has not ended, and its end was signed"
    elif (ending and run.envelope is not None) or len(ending) > 1:
        yield "it was ended more than once"
    elif not ending and run.envelope is None:
        yield "nobody signed how it ended"
    elif not ending:
        yield from _ended_without(run, ended, find_worker, keys)


def _ended_without(
    run: AuditedRun,
    ended: JsonObject,
    find_worker: Callable[[str], Worker | None],
    keys: Keyring,
) -> Iterator[str]:
    try:
        kind, stated = signed_end(run.envelope, find_worker, keys)
    except UnverifiableError as error:
        yield f"its end does not verify: {error.message}"
        return
    row = {**run_facts(run), **ended}
    if kind is RECONCILIATION:
        row["as"] = SETTLED_AS.get(run.status)
    else:
        row |= {"status": run.status, "reason": run.reason}
    wrong = [*unlike(stated, row)]
    if wrong:
        yield f"it ended otherwise than was signed: {listed(wrong, 'and')}"


SETTLED_AS: Final[Mapping[str, str]] = {"completed": "done", "failed": "failed"}
"""What a person said who settled a run in doubt, by the status that the run then has."""

_ENDED_AS: Final[Mapping[str, str]] = {"success": "completed", "error": "failed"}


def attempt_problems(
    run: AuditedRun | ExecutionRunRead,
    attempt: Attempt,
    worker: Worker,
    ended: Mapping[str, JsonValue],
    keys: Keyring,
) -> Iterator[str]:
    """Yield in what the end of an attempt differs from what its worker signed.

    `ended` is what the rows say of the end of its run.
    """
    try:
        stated = read_statement(ATTEMPT_END, attempt.envelope, worker_keys(worker, keys))
    except UnverifiableError as error:
        yield f"does not bear out its end: {error.message}"
        return
    row = {
        **run_facts(run),
        "worker": str(attempt.worker_id),
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "cost": None if attempt.cost is None else f"{attempt.cost:.2f}",
        "started_at": _moment(attempt.started_at),
        "ended_at": _moment(attempt.ended_at),
    }
    wrong = [*unlike(stated, row)]
    if stated.get("ends_run") is True:
        is_of_run = run.status == _ENDED_AS.get(str(attempt.outcome))
        wrong += unlike(stated, {**ended, "outcome": attempt.outcome if is_of_run else None})
    if wrong:
        yield f"ended otherwise than its worker signed: {listed(wrong, 'and')}"


def signed_end(
    envelope: JsonObject | None, find_worker: Callable[[str], Worker | None], keys: Keyring
) -> tuple[Kind, JsonObject]:
    """Return what was signed of an end that came from no attempt, and as which kind of statement.

    Raises:
        UnverifiableError: neither a worker that it names nor the installation signed it.
    """
    payload_type = envelope_from_json(envelope).payload_type if envelope else None
    kind = RECONCILIATION if payload_type == RECONCILIATION.payload_type else RUN_END
    named = claims(envelope).get("worker")
    signer = find_worker(named) if isinstance(named, str) else None
    return kind, read_statement(
        kind, envelope, keys if signer is None else worker_keys(signer, keys)
    )


def ends_run(attempt: Attempt) -> bool:
    """Return whether an attempt claims to have ended its run."""
    return claims(attempt.envelope).get("ends_run") is True


def run_facts(run: AuditedRun | ExecutionRunRead) -> JsonObject:
    """Return what every statement says of its run."""
    return {
        "run": str(run.id),
        "directive": str(run.directive_id),
        "grant": str(run.grant_id),
        "run_started_at": _moment(run.started_at),
    }


def end_facts(run: AuditedRun | ExecutionRunRead, artifacts: JsonObject) -> JsonObject:
    """Return what every statement that ends a run says of it and of what it left."""
    try:
        digest = output_digest(run.result) if isinstance(run.result, dict) else None
    except InvalidInputError:
        digest = "none that can be computed"
    return {
        "attempts": run.attempts,
        "output_digest": digest,
        "error_type": run.error_type,
        "error_message": run.error_message,
        "artifacts": artifacts,
        "ended_at": _moment(run.ended_at),
    }


def _moment(when: datetime | None) -> str | None:
    return None if when is None else moment(when)


def read_statement(kind: Kind, envelope: JsonObject | None, keys: Keyring) -> JsonObject:
    """Return what one of the keys signed; some of it stands in no column.

    Raises:
        UnverifiableError: none did, or for another one.
    """
    if envelope is None:
        raise UnverifiableError("it was never signed")
    payload = keys.verify(envelope_from_json(envelope), payload_type=kind.payload_type)
    try:
        stated = json.loads(payload)
        is_plain = isinstance(stated, dict) and canonical(stated) == payload
    except (ValueError, RecursionError):
        is_plain = False
    if not is_plain:
        raise UnverifiableError("what was signed is no statement of Remit's")
    own = None if keys.installation is None else str(keys.installation.id)
    if stated.pop("installation", None) != own:
        raise UnverifiableError("it was signed for another installation")
    found: JsonObject = stated
    return found


def unlike(stated: JsonObject, row: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield each thing that was signed otherwise than the row says it."""
    for name, value in row.items():
        if name not in stated or canonical_json(stated[name]) != canonical_json(value):
            yield name


def claims(envelope: JsonObject | None) -> JsonObject:
    """Return what an envelope claims, unverified; nothing when that cannot be read."""
    try:
        stated = json.loads(envelope_from_json(envelope).payload)
    except (UnverifiableError, ValueError, RecursionError):
        return {}
    return stated if isinstance(stated, dict) else {}


def worker_keys(worker: Worker, keys: Keyring) -> Keyring:
    """Return what verifies the word of a worker, once its certificate is proved.

    Raises:
        UnverifiableError: the installation did not certify this key.
    """
    modules: object = worker.modules
    if not isinstance(modules, dict):
        raise UnverifiableError("its modules are none that can be read")
    stated = certificate(worker.id, worker.kid, worker.public_key, worker.modules)
    verify_certificate(worker.envelope, stated, keys)
    return worker_keyring(worker.kid, worker.public_key, keys)
