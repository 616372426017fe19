"""What is signed of a directive when it is proposed: who issued it. Pure.

Whoever writes to the database with the service's own login can store a directive in another's name;
without the key, nobody said it. The gate decides about such a one as about any other, since what it
may do does not depend on who asks. The audit finds it, and so does whoever checks its bundle.
"""

import json
from dataclasses import dataclass
from uuid import UUID

from remit.base.canonical import sha256_digest
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.identity.types import Principal
from remit.signing.dsse import envelope_from_json
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, sign_statement, verify_statement

INTENT = Kind("intent")


@dataclass(frozen=True, slots=True)
class Proposer:
    """Who proposed a directive: its issuer, or for a stored draft perhaps an operator.

    Attributes:
        acts_for: on whose behalf they act; None: on their own.
        token: the one they showed; None: none was, in a process that holds the key.
    """

    name: str
    acts_for: str | None
    token: UUID | None


def intent_statement(
    directive_id: UUID, action_digest: str, issued_by: str, idempotency_key: str | None
) -> JsonObject:
    """Return what is signed of a directive itself, as its row has it."""
    key = idempotency_key
    return {
        "directive": str(directive_id),
        "action_digest": action_digest,
        "issued_by": issued_by,
        "idempotency_key_digest": None if key is None else sha256_digest(key.encode()),
    }


def sign_intent(statement: JsonObject, by: Principal, keys: Keyring) -> JsonObject:
    """Return the envelope that says who proposed the directive of an :func:`intent_statement`."""
    return sign_statement(INTENT, statement | _proposed(by.name, by.acts_for, by.token), keys)


def verify_intent(statement: JsonObject, envelope: JsonObject | None, keys: Keyring) -> Proposer:
    """Return who proposed the directive of an :func:`intent_statement`, when a key signed that.

    Raises:
        UnverifiableError: nobody who is known proposed it in this name; the message says why. Of a
            directive that was stored before `Installation.since`, or is a draft, nothing else is to
            be expected.
    """
    said = _said(envelope)
    statement = statement | _proposed(said.name, said.acts_for, said.token)
    verify_statement(INTENT, envelope, statement, keys)
    return said


def _proposed(name: str, acts_for: str | None, token: UUID | None) -> JsonObject:
    return {
        "proposed_by": name,
        "acts_for": acts_for,
        "token": None if token is None else str(token),
    }


def _said(envelope: JsonObject | None) -> Proposer:
    """Return whom an envelope names as the proposer; whether it was signed is seen later."""
    if envelope is None:
        raise UnverifiableError("it was never signed")
    try:
        said = json.loads(envelope_from_json(envelope).payload)
        name, acts_for, token = said["proposed_by"], said["acts_for"], said["token"]
        return Proposer(str(name), acts_for, None if token is None else UUID(token))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnverifiableError("it does not say who proposed it") from error
