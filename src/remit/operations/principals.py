"""Making principals known: signed, told in the log, and never known as two things at once.

`remit.operations.identity` calls this inside its transactions.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.repository import Entry, record
from remit.directives.plain_json import check_text
from remit.errors import ConflictError, InvalidInputError, NotFoundError, UnverifiableError
from remit.identity import repository
from remit.identity.statements import sign_principal, verify_principal
from remit.identity.types import Principal, PrincipalRow
from remit.json_types import JsonObject
from remit.operations.disclosure import refuse_secrets
from remit.signing.keys import Keyring

MAX_WORD = 100
"""Most characters of the name of a principal or of a group."""


def signed(principal: Principal, keys: Keyring) -> tuple[Principal, JsonObject]:
    """Return a new principal with its signature.

    Raises:
        InvalidInputError: its name or a group is too long, or holds a secret.
    """
    check_words(principal.name, principal.groups)
    return principal, sign_principal(principal, 1, keys)


def check_words(name: str, groups: Sequence[str]) -> None:
    """Return quietly when a principal's own words can be kept and shown.

    Raises:
        InvalidInputError: one is too long, cannot be stored, or holds a secret.
    """
    for field, words in (("name", [name]), ("group", groups)):
        for word in words:
            check_text(word, field=field, limit=MAX_WORD)
            refuse_secrets(word, field=field)


def know(connection: sa.Connection, wanted: Principal, keys: Keyring, *, by: str) -> None:
    """Make a principal known, or see that it is known as what is wanted."""
    found = repository.find_principal(connection, wanted.name)
    if found is None:
        if not wanted.roles:
            raise InvalidInputError(
                f"{wanted.name} is not known yet: say with which roles", field="role"
            )
        if wanted.acts_for is not None:
            required(connection, wanted.acts_for)
        if repository.insert_principals(connection, [signed(wanted, keys)], created_by=by):
            record(connection, [created(wanted, by)])
            return
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


def created(one: Principal, by: str) -> Entry:
    """Return the event of a principal that was made known."""
    data: JsonObject = {
        "name": one.name,
        "kind": one.kind,
        "roles": [*sorted(one.roles)],
        "groups": [*sorted(one.groups)],
        "acts_for": one.acts_for,
    }
    return Entry(INSTALLATION, "principal.created", by, data)


def required(connection: sa.Connection, name: str) -> PrincipalRow:
    """Return a principal.

    Raises:
        NotFoundError: nobody has that name.
    """
    found = repository.find_principal(connection, name)
    if found is None:
        raise NotFoundError(f"nobody is known as {name!r}; `remit principal list` shows who is")
    return found
