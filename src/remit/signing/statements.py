"""Statements: what rows say, signed and verified against the row as it is now.

A statement repeats a whole row as bytes in one form. So a row that was changed, or made, by whoever
writes to the database but has no key is worth nothing. What a statement says is its package's; here
is only what all of them share.

Every statement names its installation, so that nothing signed for one database means anything in
another that uses the same key. The first version of statements did not: it counts only for rows
that the database stamped before it began to keep the second.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from pydantic import JsonValue

from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.errors import InvalidInputError, MisconfiguredError, UnverifiableError
from remit.signing.dsse import Envelope, envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class Kind:
    """What statements are of, such as a grant or a vote; DSSE payload types are media types."""

    name: str

    @property
    def payload_type(self) -> str:
        """DSSE payload type."""
        return f"application/vnd.remit.{self.name}.v2+json"

    @property
    def first_type(self) -> str:
        """DSSE payload type of the first version, which named no installation."""
        return f"application/vnd.remit.{self.name}+json"


def stated(row: object, *names: str, **renamed: str) -> JsonObject:
    """Return fields of a row as statements say them; those of `renamed` have another name there.

    Identifiers and times are text, and words in a tuple are sorted, each once.
    """
    fields = {**dict(zip(names, names, strict=True)), **renamed}
    return {said: _json(getattr(row, name)) for said, name in fields.items()}


def sign_statement(kind: Kind, statement: JsonObject, keys: Keyring) -> JsonObject:
    """Return the envelope of a statement, to which the installation is added, as it is stored."""
    return envelope_to_json(keys.sign(kind.payload_type, _content(statement, keys)))


def verify_statement(
    kind: Kind,
    envelope: JsonObject | None,
    statement: JsonObject,
    keys: Keyring,
    *,
    earlier: JsonObject | None = None,
    stamped_at: datetime | None = None,
) -> None:
    """Return quietly when one of the keys signed exactly this statement for this installation.

    Args:
        kind: what the statement is of.
        envelope: what is stored as its envelope; None: nothing is.
        statement: what it must say, made from the row as it is now.
        keys: the keys in force, of an installation.
        earlier: what the first version would have said; None: there was none.
        stamped_at: when the row was made, by the database's clock; `earlier` counts by it.

    Raises:
        UnverifiableError: it is not so; the message says why.
    """
    if envelope is None:
        raise UnverifiableError("it was never signed")
    found = envelope_from_json(envelope)
    wanted, payload_type = _content(statement, keys), kind.payload_type
    if earlier is not None and found.payload_type == kind.first_type:
        if stamped_at is None or not is_earlier(stamped_at, keys):
            raise UnverifiableError(
                "it was signed in a form that names no installation, which only counts for what "
                "was there before"
            )
        wanted, payload_type = canonical(earlier), kind.first_type
    if keys.verify(found, payload_type=payload_type) != wanted:
        raise UnverifiableError(_unlike(found, keys))


def is_earlier(stamped_at: datetime, keys: Keyring) -> bool:
    """Return whether a row was made before every statement named its installation.

    What was not signed at all then need not be: services cannot write the time.
    """
    return keys.installation is not None and stamped_at < keys.installation.since


def claimed(envelope: JsonObject | None, name: str) -> JsonValue:
    """Return what a statement says under a name, which no column repeats; None: nothing.

    It proves nothing: :func:`verify_statement` does, given the rest of the row.
    """
    try:
        said = _said(envelope_from_json(envelope))
    except UnverifiableError:
        return None
    return said.get(name)


def moment(when: datetime) -> str:
    """Return a time as statements write it: in UTC, with six digits of a second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(statement: JsonObject) -> bytes:
    """Return a statement in its one form: canonical JSON, RFC 8785."""
    try:
        return canonical_json(statement)
    except InvalidInputError as error:
        raise UnverifiableError("it holds what has no canonical JSON") from error


def _content(statement: JsonObject, keys: Keyring) -> bytes:
    if keys.installation is None:
        raise MisconfiguredError("these keys are not used for any installation yet")
    return canonical({"installation": str(keys.installation.id), **statement})


def _json(value: Any) -> JsonValue:  # noqa: ANN401 - the value of any field
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, tuple):
        return sorted(set(value))
    return cast("JsonValue", value)


def _unlike(found: Envelope, keys: Keyring) -> str:
    own = None if keys.installation is None else str(keys.installation.id)
    if _said(found).get("installation", own) != own:
        return "it was signed for another installation"
    return "it is not what was signed: its row was changed"


def _said(envelope: Envelope) -> JsonObject:
    """Return what a payload says, unverified; empty where it is no JSON object."""
    try:
        said = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
