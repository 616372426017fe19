"""Holds people, tokens and invitations against what the log tells of them, both ways. Pure.

An audit calls :func:`compare_identity` with the installation's own chain and every row.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from remit.audit.chain import INSTALLATION, Event
from remit.audit.identity_events import IDENTITY_EVENTS, verify_identity_event
from remit.audit.verification import Finding
from remit.base.wording import listed, quoted
from remit.errors import RemitError, UnverifiableError
from remit.identity.statements import (
    verify_invitation,
    verify_principal,
    verify_revocation,
    verify_token,
    verify_withdrawal,
)
from remit.identity.types import Invitation, KeptInvitation, KeptToken, PrincipalRow, TokenRow
from remit.signing.keys import Keyring

_Key = TypeVar("_Key", str, UUID)
_Fields = dict[str, Any]  # what a row and the events about it both say, by name


def compare_identity(
    events: Iterable[Event],
    keys: Keyring,
    *,
    principals: Sequence[PrincipalRow],
    tokens: Sequence[KeptToken],
    invitations: Sequence[KeptInvitation],
) -> Iterator[Finding]:
    """Yield what is wrong with the rows of who acts, and with the events that tell of them."""
    log = IdentityLog()
    for event in events:
        if event.type not in IDENTITY_EVENTS:
            continue
        try:
            verify_identity_event(event, keys)
        except RemitError as error:
            words = f"its event {event.type} does not verify: {error.message}"
            yield Finding(INSTALLATION, event.seq, "unverifiable", words)
            continue
        try:
            log.add(event)
        except UnverifiableError as error:
            yield Finding(
                INSTALLATION, event.seq, "told_otherwise", f"{event.type}: {error.message}"
            )
    for what, verify in _statements(principals, tokens, invitations, keys):
        try:
            verify()
        except RemitError as error:
            words = f"{what} does not verify: {error.message}"
            yield Finding(INSTALLATION, None, "unverifiable", words)
    people = {one.principal.name: _of_principal(one) for one in principals}
    yield from _compared("the principal", log.principals, people)
    made = {one.row.id: _of_token(one.row) for one in tokens}
    yield from _compared("the token", log.tokens, made)
    invited = {one.invitation.id: _of_invitation(one.invitation) for one in invitations}
    yield from _compared("the invitation", log.invitations, invited)


def _statements(
    principals: Sequence[PrincipalRow],
    tokens: Sequence[KeptToken],
    invitations: Sequence[KeptInvitation],
    keys: Keyring,
) -> Iterator[tuple[str, Callable[[], None]]]:
    for one in principals:
        name = quoted(one.principal.name)
        yield f"the principal {name}", partial(verify_principal, one, keys)
    for token in tokens:
        what = f"the token {token.row.id} of {quoted(token.row.principal)}"
        yield what, partial(verify_token, token, keys)
        yield f"the end of {what}", partial(verify_revocation, token.row, keys)
    for invitation in invitations:
        shown = invitation.invitation
        what = f"the invitation {shown.id} of {quoted(shown.principal)}"
        yield what, partial(verify_invitation, invitation, keys)
        yield f"the end of {what}", partial(verify_withdrawal, shown, keys)


def _compared(
    what: str, logged: Mapping[_Key, _Fields], kept: Mapping[_Key, _Fields]
) -> Iterator[Finding]:
    for key, row in kept.items():
        named = f"{what} {quoted(str(key))}"
        if key not in logged:
            yield Finding(INSTALLATION, None, "untold", f"{named}: no event tells of it")
        elif row != logged[key]:
            unlike = listed([name for name in row if row[name] != logged[key][name]], "and")
            yield Finding(
                INSTALLATION, None, "told_otherwise", f"{named} is not as the log tells: {unlike}"
            )
    for key in sorted(logged.keys() - kept.keys(), key=str):
        words = f"{what} {quoted(str(key))}: the log tells of it, and there is none"
        yield Finding(INSTALLATION, None, "unfounded", words)


def _of_principal(row: PrincipalRow) -> _Fields:
    return {
        **_fields(row.principal, "kind roles groups acts_for"),
        **_fields(row, "created_by revision"),
        "disabled": row.disabled_at is not None,
    }


def _of_token(row: TokenRow) -> _Fields:
    return {
        **_fields(row, "principal scopes expires_at created_by created_with redeemed"),
        "revoked": row.revoked_at is not None,
        "revoked_since": row.revoked_since,
    }


def _of_invitation(row: Invitation) -> _Fields:
    names = "principal scopes valid_seconds expires_at created_by created_with token_id"
    return {**_fields(row, names), "revoked": row.revoked_at is not None}


def _fields(row: object, names: str) -> _Fields:
    """Return some fields of a row; of what it holds several of, the order means nothing."""
    found = {name: getattr(row, name) for name in names.split()}
    return {
        name: frozenset(value) if isinstance(value, tuple) else value
        for name, value in found.items()
    }


class IdentityLog:
    """What genuine events add up to: the rows that must be there, by name or identifier."""

    def __init__(self) -> None:
        self.principals: dict[str, _Fields] = {}
        self.tokens: dict[UUID, _Fields] = {}
        self.invitations: dict[UUID, _Fields] = {}
        self.revocations: set[tuple[UUID, str | None]] = set()
        self.proposals: set[str] = set()
        self.confirmed: set[str] = set()

    def add(self, event: Event) -> None:
        """Add what one event tells; one that does not follow from those before is refused."""
        try:
            _FOLD[event.type](self, event.actor, json.loads(event.data))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnverifiableError("it does not follow from what was told before it") from error


def _created(log: IdentityLog, by: str, data: _Fields) -> None:
    _require_new(data["name"], log.principals)
    log.principals[data["name"]] = {
        "kind": data["kind"],
        "roles": frozenset(data["roles"]),
        "groups": frozenset(data["groups"]),
        "acts_for": data["acts_for"],
        "created_by": by,
        "revision": _next(0, data),
        "disabled": False,
    }


def _changed(log: IdentityLog, _: str, data: _Fields) -> None:
    before = log.principals[data["name"]]
    log.principals[data["name"]] = before | {
        "roles": frozenset(data["roles"]),
        "groups": frozenset(data["groups"]),
        "revision": _next(before["revision"], data),
    }


def _disabled(log: IdentityLog, _: str, data: _Fields) -> None:
    before = log.principals[data["name"]]
    # Whoever was shut out before that was signed, or does not verify, got no new revision for it.
    revision = before["revision"]
    if data.get("revision", revision) != revision:
        revision = _next(revision, data)
    log.principals[data["name"]] = before | {"revision": revision, "disabled": True}


def _token(log: IdentityLog, by: str, data: _Fields) -> None:
    token_id = UUID(data["token"])
    _require_new(token_id, log.tokens)
    log.tokens[token_id] = {
        "principal": data["principal"],
        "scopes": frozenset(data["scopes"]),
        "expires_at": datetime.fromisoformat(data["expires_at"]),
        "created_by": by,
        "created_with": _uuid(data.get("with")),
        "redeemed": "invitation" in data,
        "revoked": False,
        "revoked_since": None,
    }
    if "invitation" in data:
        invitation_id = UUID(data["invitation"])
        log.invitations[invitation_id] = _open(log, invitation_id) | {"token_id": token_id}


def _revoked(log: IdentityLog, _: str, data: _Fields) -> None:
    token_id, since = UUID(data["token"]), data.get("since")
    before = log.tokens[token_id]
    if "with" in data:
        # A token is revoked again only to reach further back; earlier, it could be at any time.
        _require_new((token_id, since), log.revocations)
        log.revocations.add((token_id, since))
    known = [before["revoked_since"], None if since is None else datetime.fromisoformat(since)]
    earliest = min((one for one in known if one is not None), default=None)
    log.tokens[token_id] = before | {"revoked": True, "revoked_since": earliest}


def _invited(log: IdentityLog, by: str, data: _Fields) -> None:
    invitation_id = UUID(data["invitation"])
    _require_new(invitation_id, log.invitations)
    log.invitations[invitation_id] = {
        "principal": data["principal"],
        "scopes": frozenset(data["scopes"]),
        "valid_seconds": data["valid_seconds"],
        "expires_at": datetime.fromisoformat(data["expires_at"]),
        "created_by": by,
        "created_with": _uuid(data["with"]),
        "token_id": None,
        "revoked": False,
    }


def _withdrawn(log: IdentityLog, _: str, data: _Fields) -> None:
    invitation_id = UUID(data["invitation"])
    log.invitations[invitation_id] = _open(log, invitation_id) | {"revoked": True}


def _switched(_log: IdentityLog, _: str, data: _Fields) -> None:
    if not isinstance(data["on"], bool):
        raise TypeError(data["on"])


def _proposed(log: IdentityLog, _: str, data: _Fields) -> None:
    _require_new(data["proposal"], log.proposals)
    log.proposals.add(data["proposal"])


def _confirmed(log: IdentityLog, _: str, data: _Fields) -> None:
    _require_new(data["proposal"], log.confirmed)
    if data["proposal"] not in log.proposals:
        raise KeyError(data["proposal"])
    log.confirmed.add(data["proposal"])


_FOLD: Mapping[str, Callable[[IdentityLog, str, _Fields], None]] = {
    "principal.created": _created,
    "principal.changed": _changed,
    "principal.disabled": _disabled,
    "token.created": _token,
    "token.invited": _invited,
    "token.redeemed": _token,
    "token.revoked": _revoked,
    "invitation.revoked": _withdrawn,
    "four_eyes.set": _switched,
    "change.proposed": _proposed,
    "change.confirmed": _confirmed,
}


def _open(log: IdentityLog, invitation_id: UUID) -> _Fields:
    found = log.invitations[invitation_id]
    if found["revoked"] or found["token_id"] is not None:
        raise ValueError(invitation_id)
    return found


def _require_new(key: object, known: Collection[object]) -> None:
    if key in known:
        raise ValueError(key)


def _next(revision: int, data: _Fields) -> int:
    """Return the revision after one, which the event must name unless it is an early one."""
    if data.get("revision", revision + 1) != revision + 1:
        raise ValueError(data["revision"])
    return revision + 1


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
