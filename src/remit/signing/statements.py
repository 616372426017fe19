"""Statements: what rows say, signed and verified against the row as it is now.

A statement repeats a whole row as bytes in one form. So a row that was changed, or made, by whoever
writes to the database but has no key is worth nothing. What a statement says, and in which form, is
its package's; here is only what all of them share.
"""

from datetime import UTC, datetime

from remit.errors import UnverifiableError
from remit.json_types import JsonObject
from remit.signing.dsse import envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring


def sign_statement(payload_type: str, content: bytes, keys: Keyring) -> JsonObject:
    """Return the envelope of a statement, as it is stored.

    Args:
        payload_type: what the statement is of, as a media type.
        content: the statement in its one form.
        keys: the keys in force.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return envelope_to_json(keys.sign(payload_type, content))


def verify_statement(
    payload_type: str, envelope: JsonObject | None, content: bytes, keys: Keyring
) -> None:
    """Return quietly when one of the keys signed exactly this statement.

    Args:
        payload_type: what the statement is of, as a media type.
        envelope: what is stored as its envelope; None: nothing is.
        content: the statement in its one form, made from the row as it is now.
        keys: the keys in force.

    Raises:
        UnverifiableError: it is not so; the message says why.
    """
    if envelope is None:
        raise UnverifiableError("it was never signed")
    payload = keys.verify(envelope_from_json(envelope), payload_type=payload_type)
    if payload != content:
        raise UnverifiableError("it is not what was signed: its row was changed")


def moment(when: datetime) -> str:
    """Return a time as statements write it: in UTC, with six digits of a second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
