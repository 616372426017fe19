"""All that is known of one directive, in one signed file that can be checked anywhere.

`remit.operations.bundles` writes one; `remit evidence verify` reads it with no database and no
network, and `bundle_checks` finds out whether what it says holds together. Pure.

A bundle is a DSSE envelope over canonical JSON. It has one form, byte for byte: a file that says
the same in another way is refused, so no byte of it can change unseen.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.chain import Event
from remit.budget.types import EntryKind
from remit.directives.digest import canonical_json
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, InvalidInputError, UnverifiableError
from remit.execution.models import ExecutionRunRead
from remit.json_types import MAX_NUMBER, JsonObject
from remit.signing.dsse import Envelope, envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring

EVIDENCE_TYPE = "application/vnd.remit.evidence+json"
"""DSSE payload type of a bundle."""

FORMAT: Final = "remit.evidence/1"
"""What a bundle calls its own form."""

MAX_BUNDLE_BYTES = 64 * 1024 * 1024
"""Largest bundle that is written or read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval request and what people answered.

    Attributes:
        request: the question.
        votes: every answer, oldest first.
    """

    request: ApprovalRequest
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class BudgetEntry:
    """One entry of the budget's ledger.

    Attributes:
        account: the account's key.
        period_start: when the period began that it counts in.
        grant_id: the grant that the amount was promised with.
        kind: whether it promises, or how it closes the promise.
        amount: US dollars.
        ceiling: most that the account may hold with a promise; None when a person let it pass, and
            for a closing.
        created_at: when it was written.
    """

    account: str
    period_start: datetime
    grant_id: UUID
    kind: EntryKind
    amount: Decimal
    ceiling: Decimal | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a bundle says: everything that the database holds of one directive, at one moment.

    Attributes:
        exported_at: that moment, by the database's clock.
        exported_by: who asked for it.
        directive: the directive then.
        requests: every approval request with its votes, oldest first.
        grants: every grant, oldest first.
        runs: every run, oldest first.
        budget: every entry of the budget's ledger, oldest first.
        artifacts: every artifact, oldest first.
        events: its whole log, oldest first.
        format: always :data:`FORMAT`.
    """

    exported_at: datetime
    exported_by: str
    directive: DirectiveRead
    requests: tuple[Asked, ...]
    grants: tuple[Grant, ...]
    runs: tuple[ExecutionRunRead, ...]
    budget: tuple[BudgetEntry, ...]
    artifacts: tuple[Artifact, ...]
    events: tuple[Event, ...]
    format: Literal["remit.evidence/1"] = FORMAT


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read.

    Attributes:
        evidence: what it says.
        envelope: the same, signed.
    """

    evidence: Evidence
    envelope: Envelope


def sign_bundle(evidence: Evidence, keys: Keyring) -> bytes:
    """Return the file: one DSSE envelope as canonical JSON, and a line break.

    Raises:
        MisconfiguredError: there is no key to sign with.
        ConflictError: no reader would take it: it is too large, or a row of the database holds
            what Remit never writes there.
    """
    payload = encode(evidence)
    try:
        _decoded(payload)
    except UnverifiableError as error:
        raise ConflictError(f"no bundle can carry what the database holds: {error}") from error
    data = _file(keys.sign(EVIDENCE_TYPE, payload))
    if len(data) > MAX_BUNDLE_BYTES:
        raise ConflictError(
            f"the evidence makes a bundle of {len(data)} bytes; at most {MAX_BUNDLE_BYTES} fit"
        )
    return data


def read_bundle(data: bytes, keys: Keyring) -> Bundle:
    """Return the bundle that :func:`sign_bundle` wrote, once its signature is proved.

    Args:
        data: the whole file; every byte of it counts.
        keys: the keys that are trusted.

    Raises:
        UnverifiableError: it is no bundle, was changed, is too large, or none of the keys signed
            it.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise UnverifiableError(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes; this has more")
    envelope = envelope_from_json(_parsed(data))
    payload = keys.verify(envelope, payload_type=EVIDENCE_TYPE)
    if _file(envelope) != data:
        raise UnverifiableError("the file is not as Remit writes one: it was changed")
    return Bundle(_decoded(payload), envelope)


def encode(evidence: Evidence) -> bytes:
    """Return what is signed: the evidence as canonical JSON.

    Raises:
        ConflictError: some text in it has no canonical form.
    """
    try:
        return canonical_json(_plain(evidence))
    except InvalidInputError as error:
        raise ConflictError(f"no bundle can carry what the database holds: {error}") from error


def carried(value: object) -> JsonObject:
    """Return a JSON object as a bundle carries it.

    What a forger wrote may be no object, or have no canonical form. It is carried as its text, and
    does not give its digest.

    Args:
        value: what the database holds, as parsed by Python.
    """
    try:
        text = json.dumps(value)
        plain: JsonValue = json.loads(text, parse_int=_number)
    except RecursionError:
        return {"unreadable": "nested too deeply"}
    if isinstance(plain, dict):
        with suppress(InvalidInputError):
            canonical_json(plain)
            return plain
    return {"unreadable": text}


def stamp(when: datetime) -> str:
    """Return a moment as a bundle writes it."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _file(envelope: Envelope) -> bytes:
    return canonical_json(envelope_to_json(envelope)) + b"\n"


def _parsed(data: bytes) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(data, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise UnverifiableError("the file is no bundle, or was changed: it is not JSON") from error
    return parsed


def _number(digits: str) -> float:
    """Return a whole number; canonical JSON also writes fractional ones below 1e21 so."""
    number = float(digits)
    return int(digits) if abs(number) <= MAX_NUMBER else number


def _decoded(payload: bytes) -> Evidence:
    """Return what a payload says, if it says it as :func:`encode` does."""
    try:
        evidence = _EVIDENCE.validate_python(_parsed(payload))
        written = encode(evidence)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UnverifiableError(f"the content is not that of a bundle, at {where}") from error
    except (ConflictError, OverflowError) as error:
        raise UnverifiableError("the content is not that of a bundle") from error
    # What is written again must be what was read: nothing unknown or doubled is overlooked.
    if written != payload:
        raise UnverifiableError("the content is not as Remit writes it")
    return evidence


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON, whose shape the value decides
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return carried(value)
    if isinstance(value, datetime):
        return stamp(value)
    return str(value) if isinstance(value, UUID | Decimal) else value


_EVIDENCE = TypeAdapter(Evidence)
