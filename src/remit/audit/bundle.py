"""All that is known of one directive, in one signed file that can be checked anywhere.

`remit.operations.evidence.bundles` writes one; `remit evidence verify` reads it with no database
and no network, and `bundle_checks` finds out whether what it says holds together. Pure.

A bundle is a DSSE envelope over canonical JSON, in one of the formats of `bundle_forms`. It has one
form, byte for byte: a file that says
the same in another way is refused, so no byte of it can change unseen.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import JsonValue, TypeAdapter, ValidationError

from remit.audit.bundle_forms import FORMS, PAYLOAD_TYPES, Form
from remit.audit.bundle_records import Evidence
from remit.base.canonical import canonical_json
from remit.base.json_types import MAX_NUMBER, JsonObject
from remit.errors import ConflictError, InvalidInputError, UnverifiableError
from remit.signing.dsse import Envelope, envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring

MAX_BUNDLE_BYTES = 64 * 1024 * 1024
"""Largest bundle that is written or read."""


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
    data = _file(keys.sign(PAYLOAD_TYPES[evidence.format], payload))
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
    payload = keys.verify(envelope, payload_type=_known(envelope.payload_type))
    if _file(envelope) != data:
        raise UnverifiableError("the file is not as Remit writes one: it was changed")
    evidence = _decoded(payload)
    if PAYLOAD_TYPES[evidence.format] != envelope.payload_type:
        raise UnverifiableError("the content is of another format than was signed")
    return Bundle(evidence, envelope)


def encode(evidence: Evidence) -> bytes:
    """Return what is signed: the evidence as canonical JSON.

    Raises:
        ConflictError: some text in it has no canonical form.
    """
    try:
        return canonical_json(_plain(evidence, FORMS[evidence.format]))
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


def _known(payload_type: str) -> str:
    """Return the type of a bundle's payload; of anything else, that of a bundle as it is now."""
    known = list(PAYLOAD_TYPES.values())
    return payload_type if payload_type in known else known[-1]


def _number(digits: str) -> float:
    """Return a whole number; canonical JSON also writes fractional ones below 1e21 so."""
    number = float(digits)
    return int(digits) if abs(number) <= MAX_NUMBER else number


def _decoded(payload: bytes) -> Evidence:
    """Return what a payload says, if it says it as :func:`encode` does."""
    try:
        evidence = _EVIDENCE.validate_python(_parsed(payload))
        if evidence.says_who_said_it and evidence.installation is None:
            raise UnverifiableError("the content does not say of which installation it is")
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


def _plain(value: object, form: Form) -> Any:  # noqa: ANN401 - JSON, whose shape the value decides
    names = form.get(type(value))
    if names is not None:
        return {name: _plain(getattr(value, name), form) for name in names}
    if isinstance(value, tuple):
        return [_plain(each, form) for each in value]
    if isinstance(value, dict):
        return carried(value)
    if isinstance(value, datetime):
        return stamp(value)
    return str(value) if isinstance(value, UUID | Decimal) else value


_EVIDENCE = TypeAdapter(Evidence)
