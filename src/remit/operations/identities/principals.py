"""What the operations about people, tokens and invitations share inside their transactions.

Principals and tokens are signed, told in the installation's own chain of events, and never known as
two things at once. Two admins may be asked where one would make an approver or an admin: an event
of that chain switches it on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION, Event
from remit.audit.identity_events import is_genuine, signed_data
from remit.audit.repository import NewEvent, append_events, event_data, list_own_events
from remit.base.json_types import JsonObject
from remit.db.session import database_time
from remit.directives.plain_json import check_text
from remit.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
    UnverifiableError,
)
from remit.identity import repository
from remit.identity.repository import lock_installation
from remit.identity.rules import FOR_PEOPLE, GIVEN_BY
from remit.identity.statements import sign_principal, sign_token, verify_principal
from remit.identity.token_repository import insert_token, is_revoked
from remit.identity.tokens import Token, new_token
from remit.identity.types import KeptToken, Principal, PrincipalRow, TokenRow
from remit.operations.gate.disclosure import refuse_secrets
from remit.signing.keys import Keyring
from remit.signing.statements import stated
from remit.vocabulary import EventType, Role

MAX_WORD = 100
"""Most characters of the name of a principal or of a group."""


def signed(principal: Principal, keys: Keyring, *, by: str) -> tuple[Principal, JsonObject]:
    """Return a new principal with its signature."""
    check_words(principal.name, principal.groups)
    return principal, sign_principal(principal, 1, keys, created_by=by)


def check_words(name: str, groups: Sequence[str]) -> None:
    """Return quietly when a principal's own words can be kept and shown."""
    for field, words in (("name", [name]), ("group", groups)):
        for word in words:
            check_text(word, field=field, limit=MAX_WORD)
            refuse_secrets(word, field=field)


def record_signed(
    connection: sa.Connection, event: EventType, data: JsonObject, keys: Keyring, *, by: Principal
) -> None:
    """Add an event of people or tokens to the installation's own chain, signed.

    It names the token that was shown, so that all that was done with a stolen one can be found.
    """
    whole: JsonObject = {**data, "with": None if by.token is None else str(by.token)}
    signed = signed_data(event, by.name, whole, keys)
    append_events(connection, [NewEvent(INSTALLATION, event, by.name, signed)])


def check_token_shown(connection: sa.Connection, by: Principal) -> None:
    """Return quietly when the token that somebody showed still holds, until this transaction ends.

    It was looked at when they came in. Whoever revokes it waits for this transaction, or this one
    for them: so a revocation finds all that was done with it. One transaction at a time changes who
    is known.
    """
    lock_installation(connection)
    if by.token is not None and is_revoked(connection, by.token):
        raise UnauthenticatedError(
            "this token was revoked meanwhile; an admin gives you another one by "
            "`remit token invite`"
        )


def ensure_principal(
    connection: sa.Connection, wanted: Principal, keys: Keyring, *, by: Principal
) -> Principal:
    """Make a principal known, or see that it is known as what is wanted; return it as it is."""
    found = repository.find_principal(connection, wanted.name)
    if found is None:
        if not wanted.roles:
            raise InvalidInputError(
                f"{wanted.name} is not known yet: say with which roles", field="role"
            )
        if wanted.acts_for is not None:
            get_principal(connection, wanted.acts_for)
        if repository.insert_principals(
            connection, [signed(wanted, keys, by=by.name)], created_by=by.name
        ):
            record_created(connection, wanted, keys, by=by)
            return wanted
        # Somebody made it known at this very moment, and perhaps as something else.
        found = get_principal(connection, wanted.name)
    if found.disabled_at is not None:
        raise ConflictError(f"{wanted.name} was shut out; choose another name", field="name")
    check_signed(found, keys)
    known = found.principal
    for noun, said, stands in (
        ("kind", wanted.kind, known.kind),
        ("roles", sorted(wanted.roles) or sorted(known.roles), sorted(known.roles)),
        ("groups", sorted(wanted.groups) or sorted(known.groups), sorted(known.groups)),
        ("acts_for", wanted.acts_for or known.acts_for, known.acts_for),
    ):
        if said != stands:
            raise ConflictError(
                f"{wanted.name} is known with {noun} {stands}, not {said}; leave it out, or change "
                "it with `remit principal set`",
                field=noun,
            )
    return known


def check_signed(row: PrincipalRow, keys: Keyring) -> None:
    """Return quietly when Remit signed a principal; what it did not is never signed anew."""
    try:
        verify_principal(row, keys)
    except UnverifiableError as error:
        raise ConflictError(
            f"{row.principal.name} does not verify ({error}); disable it, and choose another name"
        ) from error


def record_created(
    connection: sa.Connection, one: Principal, keys: Keyring, *, by: Principal
) -> None:
    """Tell in the log that a principal was made known."""
    said = stated(one, "name", "kind", "roles", "groups", "acts_for")
    record_signed(connection, "principal.created", {**said, "revision": 1}, keys, by=by)


def get_principal(connection: sa.Connection, name: str) -> PrincipalRow:
    """Return a principal."""
    found = repository.find_principal(connection, name)
    if found is None:
        raise NotFoundError(f"nobody is known as {name!r}; `remit principal list` shows who is")
    return found


def genuine_events(connection: sa.Connection, kinds: Collection[str], keys: Keyring) -> list[Event]:
    """Return the installation's events of some types that one of the keys signed, oldest first."""
    found = list_own_events(connection, kinds)
    return [one for one in found if is_genuine(one, keys)]


def four_eyes_on(connection: sa.Connection, keys: Keyring) -> bool:
    """Return whether two admins are asked."""
    said = genuine_events(connection, ["four_eyes.set"], keys)
    return bool(said) and event_data(said[-1])["on"] is True


def needs_second_admin(roles: Collection[Role]) -> bool:
    """Return whether a principal with these roles can consent, or let others in."""
    return any(GIVEN_BY[role] & FOR_PEOPLE for role in roles)


def require_second_admin(
    connection: sa.Connection, roles: Collection[Role], keys: Keyring, *, agreed: bool
) -> None:
    """Return quietly when one admin may do what gives somebody these roles, or a second agreed."""
    if agreed or not needs_second_admin(roles) or not four_eyes_on(connection, keys):
        return
    raise ForbiddenError(
        "two admins are asked where an approver or an admin is made: one proposes it, with `remit "
        "token invite` or `remit principal set`, and another one confirms"
    )


LONGEST_TOKEN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token that was just made, the only time that it can be seen, and what is kept of it."""

    token: Token
    row: TokenRow


def check_token(owner: Principal, valid_for: timedelta) -> None:
    """Return quietly when a token of these scopes and this length may be made."""
    if owner.scopes == ():
        raise InvalidInputError("empty: a token that covers nothing is of no use", field="scope")
    if not timedelta(0) < valid_for <= LONGEST_TOKEN:
        allowed = f"must be above zero and at most {LONGEST_TOKEN.days} days"
        raise InvalidInputError(allowed, field="valid_for")


def mint(
    connection: sa.Connection,
    owner: Principal,
    valid_for: timedelta,
    keys: Keyring,
    *,
    by: Principal,
    invitation: UUID | None = None,
) -> MadeToken:
    """Make a token inside a transaction, limited to its owner's `scopes`; signed and in the log.

    `invitation` is what its owner makes it of; None: it is of none.
    """
    token, now = new_token(), database_time(connection)
    row = TokenRow(
        id=token.id,
        principal=owner.name,
        scopes=tuple(sorted(set(owner.scopes or ()))),
        created_by=by.name,
        created_at=now,
        expires_at=now + valid_for,
        revoked_at=None,
        created_with=by.token,
        redeemed=invitation is not None,
    )
    new = KeptToken(row, token.hash, None)
    row = insert_token(connection, replace(new, envelope=sign_token(new, keys)))
    data: JsonObject = {
        "token": str(row.id),
        **stated(row, "principal", "scopes"),
        "expires_at": row.expires_at.isoformat(),
    }
    if invitation is None:
        record_signed(connection, "token.created", data, keys, by=by)
    else:
        data["invitation"] = str(invitation)
        record_signed(connection, "token.redeemed", data, keys, by=by)
    return MadeToken(token, row)
