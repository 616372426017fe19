"""What the installation's log tells of people and tokens, signed and verified. Pure.

Each such event carries its own statement, signed: what happened, who did it, and all particulars.
So nobody without the key can tell of what never happened; a second telling of what did is found by
`remit.audit.identity_rows`, which holds the events against the rows both ways.

`remit.operations` signs with this what it records, and an audit verifies it.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from remit.audit.chain import Event
from remit.errors import UnverifiableError
from remit.json_types import JsonObject
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
    }
)
"""The types of the events that :func:`verify_identity_event` judges."""


def signed_data(event: str, by: str, data: JsonObject, keys: Keyring) -> JsonObject:
    """Return the particulars of an event with the envelope over all that it tells.

    Args:
        event: its type.
        by: its actor.
        data: its particulars: text, whole numbers, truth, lists and objects.
        keys: the keys in force.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    envelope = sign_statement(IDENTITY_EVENT, _statement(event, by, data), keys)
    return {**data, "envelope": envelope}


def verify_identity_event(event: Event, keys: Keyring) -> None:
    """Return quietly when an event of people or tokens is what one of the keys signed.

    One of before the installation was given its identity was not signed, and says nothing that the
    chain does not bear out.

    Args:
        event: one whose type is in :data:`IDENTITY_EVENTS`.
        keys: the keys that are trusted.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    try:
        data = _data(event)
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


def is_early(event: Event, keys: Keyring) -> bool:
    """Return whether an event is of before anything named its installation."""
    return keys.installation is not None and event.occurred_at < keys.installation.since


def _data(event: Event) -> JsonObject:
    data: JsonObject = json.loads(event.data)
    return data


def _statement(event: str, by: str, data: JsonObject) -> JsonObject:
    return {"event": event, "by": by, "said": data}


# What the log tells of somebody or something, event by event. ------------------------------------


@dataclass(frozen=True, slots=True)
class ToldPrincipal:
    """A principal as the log tells of it; the fields are those of its row."""

    kind: str
    roles: frozenset[str]
    groups: frozenset[str]
    acts_for: str | None
    created_by: str
    revision: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ToldToken:
    """A token as the log tells of it; the fields are those of its row."""

    principal: str
    scopes: frozenset[str]
    expires_at: datetime
    created_by: str
    created_with: UUID | None
    redeemed: bool
    revoked: bool = False
    revoked_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToldInvitation:
    """An invitation as the log tells of it; the fields are those of its row."""

    principal: str
    scopes: frozenset[str]
    valid_seconds: int
    expires_at: datetime
    created_by: str
    created_with: UUID | None
    token_id: UUID | None = None
    revoked: bool = False


class Told:
    """All that the log tells of people, tokens and invitations; events are added one by one."""

    def __init__(self) -> None:
        self.principals: dict[str, ToldPrincipal] = {}
        self.tokens: dict[UUID, ToldToken] = {}
        self.invitations: dict[UUID, ToldInvitation] = {}
        self.revocations: set[tuple[UUID, str | None]] = set()

    def add(self, event: Event) -> None:
        """Add what one event tells.

        Raises:
            UnverifiableError: it does not follow from the events before it, as when it is told a
                second time.
        """
        try:
            _FOLD[event.type](self, event.actor, _data(event))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnverifiableError("it does not follow from what was told before it") from error


def _created(told: Told, by: str, data: Mapping[str, Any]) -> None:
    _require_new(data["name"], told.principals)
    told.principals[data["name"]] = ToldPrincipal(
        kind=data["kind"],
        roles=frozenset(data["roles"]),
        groups=frozenset(data["groups"]),
        acts_for=data["acts_for"],
        created_by=by,
        revision=_next(0, data),
    )


def _changed(told: Told, _: str, data: Mapping[str, Any]) -> None:
    before = told.principals[data["name"]]
    told.principals[data["name"]] = replace(
        before,
        roles=frozenset(data["roles"]),
        groups=frozenset(data["groups"]),
        revision=_next(before.revision, data),
    )


def _disabled(told: Told, _: str, data: Mapping[str, Any]) -> None:
    before = told.principals[data["name"]]
    # Whoever was shut out before that was signed, or does not verify, got no new revision for it.
    revision = before.revision
    if data.get("revision", revision) != revision:
        revision = _next(revision, data)
    told.principals[data["name"]] = replace(before, revision=revision, disabled=True)


def _token(told: Told, by: str, data: Mapping[str, Any]) -> None:
    token_id = UUID(data["token"])
    _require_new(token_id, told.tokens)
    redeemed = "invitation" in data
    told.tokens[token_id] = ToldToken(
        principal=data["principal"],
        scopes=frozenset(data["scopes"]),
        expires_at=datetime.fromisoformat(data["expires_at"]),
        created_by=by,
        created_with=_uuid(data.get("with")),
        redeemed=redeemed,
    )
    if redeemed:
        invitation_id = UUID(data["invitation"])
        before = told.invitations[invitation_id]
        if before.token_id is not None or before.revoked:
            raise ValueError(invitation_id)
        told.invitations[invitation_id] = replace(before, token_id=token_id)


def _revoked(told: Told, _: str, data: Mapping[str, Any]) -> None:
    token_id = UUID(data["token"])
    before, since = told.tokens[token_id], data.get("since")
    if "with" in data:
        # A token is revoked again only to reach further back; earlier, it could be at any time.
        _require_new((token_id, since), told.revocations)
        told.revocations.add((token_id, since))
    found = (
        [before.revoked_since]
        if since is None
        else [
            before.revoked_since,
            datetime.fromisoformat(since),
        ]
    )
    earliest = min((one for one in found if one is not None), default=None)
    told.tokens[token_id] = replace(before, revoked=True, revoked_since=earliest)


def _invited(told: Told, by: str, data: Mapping[str, Any]) -> None:
    invitation_id = UUID(data["invitation"])
    _require_new(invitation_id, told.invitations)
    told.invitations[invitation_id] = ToldInvitation(
        principal=data["principal"],
        scopes=frozenset(data["scopes"]),
        valid_seconds=data["valid_seconds"],
        expires_at=datetime.fromisoformat(data["expires_at"]),
        created_by=by,
        created_with=_uuid(data["with"]),
    )


def _withdrawn(told: Told, _: str, data: Mapping[str, Any]) -> None:
    invitation_id = UUID(data["invitation"])
    before = told.invitations[invitation_id]
    if before.revoked or before.token_id is not None:
        raise ValueError(invitation_id)
    told.invitations[invitation_id] = replace(before, revoked=True)


_FOLD: Mapping[str, Callable[[Told, str, Mapping[str, Any]], None]] = {
    "principal.created": _created,
    "principal.changed": _changed,
    "principal.disabled": _disabled,
    "token.created": _token,
    "token.invited": _invited,
    "token.redeemed": _token,
    "token.revoked": _revoked,
    "invitation.revoked": _withdrawn,
}


def _require_new(key: object, known: Collection[object]) -> None:
    if key in known:
        raise ValueError(key)


def _next(revision: int, data: Mapping[str, Any]) -> int:
    """Return the revision after one, which the event must name unless it is an early one."""
    if data.get("revision", revision + 1) != revision + 1:
        raise ValueError(data["revision"])
    return revision + 1


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
