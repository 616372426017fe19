"""What the installation's log tells of people and tokens, signed and verified. Pure.

Each such event carries its own statement, signed: what happened, who did it, and all particulars.
So nobody without the key can tell of what never happened.
"""

import json

from remit.audit.chain import Event
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, sign_statement, verify_statement

IDENTITY_EVENT = Kind("identity-event")

IDENTITY_EVENTS = frozenset(
    {
        "principal.created",
        "principal.changed",
        "principal.disabled",
        "token.created",
        "token.invited",
        "token.redeemed",
        "token.revoked",
        "invitation.revoked",
        "four_eyes.set",
        "change.proposed",
        "change.confirmed",
    }
)
"""The types of the events that :func:`verify_identity_event` judges."""


def signed_data(event: str, by: str, data: JsonObject, keys: Keyring) -> JsonObject:
    """Return the particulars of an event with the envelope over all that it tells.

    No number in `data` may be fractional.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    envelope = sign_statement(IDENTITY_EVENT, _statement(event, by, data), keys)
    return {**data, "envelope": envelope}


def verify_identity_event(event: Event, keys: Keyring) -> None:
    """Return quietly when an event of people or tokens is what one of the keys signed.

    One of before the installation was given its identity was not signed, and says nothing that the
    chain does not bear out.

    Raises:
        UnverifiableError: it is not.
    """
    try:
        data: JsonObject = json.loads(event.data)
    except (ValueError, RecursionError) as error:
        raise UnverifiableError("it holds what cannot be read") from error
    if not isinstance(data, dict):
        raise UnverifiableError("it tells nothing")
    envelope = data.pop("envelope", None)
    if envelope is None and is_early(event, keys):
        return
    if not isinstance(envelope, dict):
        raise UnverifiableError("it was never signed")
    verify_statement(IDENTITY_EVENT, envelope, _statement(event.type, event.actor, data), keys)


def is_genuine(event: Event, keys: Keyring) -> bool:
    """Return whether one of the keys signed an event; one of before anything was signed is not."""
    try:
        verify_identity_event(event, keys)
    except UnverifiableError:
        return False
    return not is_early(event, keys)


def is_early(event: Event, keys: Keyring) -> bool:
    """Return whether an event is of before anything named its installation."""
    return keys.installation is not None and event.occurred_at < keys.installation.since


def _statement(event: str, by: str, data: JsonObject) -> JsonObject:
    return {"event": event, "by": by, "said": data}
