"""Making principals known: signed, told in the log, and never known as two things at once.

The operations about people, tokens and invitations call this inside their transactions.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.identity_events import signed_data
from remit.audit.repository import Entry, record
from remit.base.json_types import JsonObject
from remit.directives.plain_json import check_text
from remit.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
    UnverifiableError,
)
from remit.identity import repository
from remit.identity.installation import lock_installation
from remit.identity.statements import sign_principal, verify_principal
from remit.identity.token_repository import is_revoked
from remit.identity.types import Principal, PrincipalRow
from remit.operations.gate.disclosure import refuse_secrets
from remit.signing.keys import Keyring
from remit.vocabulary import EventType

MAX_WORD = 100
"""Most characters of the name of a principal or of a group."""


def signed(principal: Principal, keys: Keyring, *, by: str) -> tuple[Principal, JsonObject]:
    """Return a new principal with its signature.

    Raises:
        InvalidInputError: its name or a group is too long, or holds a secret.
    """
    check_words(principal.name, principal.groups)
    return principal, sign_principal(principal, 1, keys, created_by=by)


def check_words(name: str, groups: Sequence[str]) -> None:
    """Return quietly when a principal's own words can be kept and shown.

    Raises:
        InvalidInputError: one is too long, cannot be stored, or holds a secret.
    """
    for field, words in (("name", [name]), ("group", groups)):
        for word in words:
            check_text(word, field=field, limit=MAX_WORD)
            refuse_secrets(word, field=field)


def told(event: EventType, by: Principal, data: JsonObject, keys: Keyring) -> Entry:
    """Return an event of people or tokens for the installation's own chain, signed.

    It names the token that was shown, so that all that was done with a stolen one can be found.
    """
    whole: JsonObject = {**data, "with": None if by.token is None else str(by.token)}
    return Entry(INSTALLATION, event, by.name, signed_data(event, by.name, whole, keys))


def check_shown(connection: sa.Connection, by: Principal) -> None:
    """Return quietly when the token that somebody showed still holds, until this transaction ends.

    It was looked at when they came in. Whoever revokes it waits for this transaction, or this one
    for them: so a revocation finds all that was done with it. One transaction at a time changes who
    is known.

    Raises:
        UnauthenticatedError: it was revoked meanwhile.
    """
    lock_installation(connection)
    if by.token is not None and is_revoked(connection, by.token):
        raise UnauthenticatedError(
            "this token was revoked meanwhile; an admin gives you another one by "
            "`remit token invite`"
        )


def know(
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
            required(connection, wanted.acts_for)
        if repository.insert_principals(
            connection, [signed(wanted, keys, by=by.name)], created_by=by.name
        ):
            record(connection, [created(wanted, by, keys)])
            return wanted
        # Somebody made it known at this very moment, and perhaps as something else.
        found = required(connection, wanted.name)
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
    """Return quietly when a principal is what Remit signed; what it did not is never signed anew.

    Raises:
        ConflictError: somebody wrote it by other means.
    """
    try:
        verify_principal(row, keys)
    except UnverifiableError as error:
        raise ConflictError(
            f"{row.principal.name} does not verify ({error}); disable it, and choose another name"
        ) from error


def created(one: Principal, by: Principal, keys: Keyring) -> Entry:
    """Return the event of a principal that was made known."""
    data: JsonObject = {
        "name": one.name,
        "kind": one.kind,
        "roles": [*sorted(set(one.roles))],
        "groups": [*sorted(set(one.groups))],
        "acts_for": one.acts_for,
        "revision": 1,
    }
    return told("principal.created", by, data, keys)


def required(connection: sa.Connection, name: str) -> PrincipalRow:
    """Return a principal.

    Raises:
        NotFoundError: nobody has that name.
    """
    found = repository.find_principal(connection, name)
    if found is None:
        raise NotFoundError(f"nobody is known as {name!r}; `remit principal list` shows who is")
    return found
