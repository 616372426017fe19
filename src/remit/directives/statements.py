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
class Issued:
    """A directive, as far as its issuer's statement repeats it.

    Attributes:
        directive_id: the directive.
        action_digest: the digest of its content, frozen.
        issued_by: in whose name it was issued.
        idempotency_key: the caller's own key; None: none was sent.
    """

    directive_id: UUID
    action_digest: str
    issued_by: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Proposer:
    """Who proposed a directive.

    Attributes:
        name: who it was: its issuer, or for a stored draft perhaps an operator.
        acts_for: on whose behalf they act; None: on their own.
        token: the token that they showed; None: none was, in a process that holds the key.
    """

    name: str
    acts_for: str | None
    token: UUID | None


def sign_intent(issued: Issued, by: Principal, keys: Keyring) -> JsonObject:
    """Return the envelope that says who proposed a directive.

    Args:
        issued: the directive.
        by: who proposes it, with the token that they showed.
        keys: the installation's.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    proposer = Proposer(by.name, by.acts_for, by.token)
    return sign_statement(INTENT, _statement(issued, proposer), keys)


def verify_intent(issued: Issued, envelope: JsonObject | None, keys: Keyring) -> Proposer:
    """Return who proposed a directive, when that is what one of the keys signed.

    Args:
        issued: the directive, as its row says.
        envelope: what is stored as the issuer's statement; None: nothing is.
        keys: the keys in force, of the installation.

    Raises:
        UnverifiableError: nobody who is known proposed it in this name; the message says why. Of a
            directive that was stored before `Installation.since`, or is a draft, nothing else is to
            be expected.
    """
    proposer = _said(envelope)
    verify_statement(INTENT, envelope, _statement(issued, proposer), keys)
    return proposer


def _statement(issued: Issued, by: Proposer) -> JsonObject:
    key = issued.idempotency_key
    return {
        "directive": str(issued.directive_id),
        "action_digest": issued.action_digest,
        "issued_by": issued.issued_by,
        "idempotency_key_digest": None if key is None else sha256_digest(key.encode()),
        "proposed_by": by.name,
        "acts_for": by.acts_for,
        "token": None if by.token is None else str(by.token),
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
