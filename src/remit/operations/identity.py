"""Identity: who a token belongs to, and who may be given one.

Everything that changes here is told in the installation's own chain of events.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.repository import Entry, record
from remit.db.session import database_time, snapshot, transaction
from remit.errors import ConflictError, InvalidInputError, UnauthenticatedError, UnverifiableError
from remit.identity import repository
from remit.identity.installation import lock_installation
from remit.identity.names import check_name
from remit.identity.repository import NewToken
from remit.identity.rules import abilities, check_roles, require
from remit.identity.statements import (
    sign_principal,
    sign_token,
    token_statement,
    verify_principal,
    verify_token,
)
from remit.identity.tokens import Token, new_token, parse_token
from remit.identity.types import SYSTEM, Ability, Principal, PrincipalRow, Role, TokenRow
from remit.json_types import JsonObject
from remit.operations.principals import check_signed, created, know, required, signed
from remit.signing.keys import Keyring

LONGEST_TOKEN = timedelta(days=366)
"""Longest time for which a token may be good."""


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token that was just made, the only time that it can be seen.

    Attributes:
        token: the token itself; nothing keeps it.
        row: what is kept of it.
    """

    token: Token
    row: TokenRow


def authenticate(engine: sa.Engine, text: str, keys: Keyring) -> Principal:
    """Return whose token `text` is, limited to the token's scopes.

    Args:
        engine: the database.
        text: the token.
        keys: what verifies that Remit wrote the rows of the token and of its principal.

    Raises:
        UnauthenticatedError: it is no token, or none that holds; the message does not say which
            part of it is wrong.
        UnavailableError: the database does not answer.
    """
    token = parse_token(text)
    with snapshot(engine) as connection:
        known = repository.find_token(connection, token.id)
    if known is None or not token.matches(known.hash):
        raise UnauthenticatedError("this token is not known here; use one that was made here")
    owner = known.owner
    said = (owner.principal.name, known.hash, known.scopes, known.expires_at)
    try:
        verify_principal(owner, keys)
        statement = token_statement(token.id, *said)
        verify_token(known.envelope, statement, known.created_at, keys)
    except UnverifiableError as error:
        raise UnauthenticatedError(
            f"this token does not verify: {error}; `remit token create` makes another one"
        ) from error
    if known.revoked or known.expired or owner.disabled_at is not None:
        did = "was revoked" if known.revoked else "has expired"
        did = "belongs to somebody who was shut out" if owner.disabled_at is not None else did
        raise UnauthenticatedError(f"this token {did}; `remit token create` makes another one")
    return replace(
        owner.principal,
        scopes=known.scopes or None,
        token=token.id,
        made_by=known.created_by,
        redeemed=known.redeemed,
    )


def create_token(
    engine: sa.Engine,
    principal: Principal,
    *,
    valid_for: timedelta,
    by: Principal,
    keys: Keyring,
    keep: Callable[[MadeToken], None] | None = None,
) -> MadeToken:
    """Make a token, and make its principal known if nobody has the name yet.

    Args:
        engine: the database.
        principal: whose token it is, limited to `scopes`. Roles and the rest may be left empty for
            one that is known; otherwise they must be those that are known.
        valid_for: how long the token is good; at most :data:`LONGEST_TOKEN`.
        by: who makes it; `keys` sign both.
        keys: the installation's.
        keep: given the token to keep it; what it raises undoes all of this.

    Raises:
        ForbiddenError: `by` may not administer.
        InvalidInputError: the name, a role that is only for people, or the length of time.
        ConflictError: the principal is known as something else, or was shut out.
        NotFoundError: it acts for somebody who is not known.
    """
    require(by, "administer")
    check_name(principal.name, field="name")
    check_roles(principal.kind, principal.roles)
    if principal.scopes == ():
        raise InvalidInputError("empty: a token that covers nothing is of no use", field="scope")
    if not timedelta(0) < valid_for <= LONGEST_TOKEN:
        allowed = f"must be above zero and at most {LONGEST_TOKEN.days} days"
        raise InvalidInputError(allowed, field="valid_for")
    with transaction(engine) as connection:
        know(connection, principal, keys, by=by.name)
        made = _make(connection, principal, valid_for, keys, by=by.name)
        if keep is not None:
            keep(made)
        return made


def make_first_admin(
    engine: sa.Engine,
    name: str,
    *,
    valid_for: timedelta,
    keys: Keyring,
    keep: Callable[[MadeToken], None] | None = None,
) -> MadeToken | None:
    """Make the first person known, with every right, unless somebody is known already.

    Called by whoever set the installation up: there is nobody yet who could be asked. What `keep`
    raises, which is given the token to keep it, undoes all of this.
    """
    check_name(name, field="name")
    admin = Principal(name, "human", roles=("admin",))
    with transaction(engine) as connection:
        # Two that start at the same moment wait here for one another.
        lock_installation(connection)
        if repository.list_principals(connection):
            return None
        know(connection, admin, keys, by=SYSTEM.name)
        made = _make(connection, admin, valid_for, keys, by=SYSTEM.name)
        if keep is not None:
            keep(made)
        return made


def let_admin_in(engine: sa.Engine, name: str, *, valid_for: timedelta, keys: Keyring) -> MadeToken:
    """Make a token for an admin, and make them known if need be, without asking anybody.

    For whoever owns the database and has the key that signs: they could do all of this by hand. It
    is the way back in when every admin's token is lost or over, and it is told in the log.

    Raises:
        InvalidInputError: the name cannot be a principal's.
        ConflictError: the name is that of somebody who is no admin, was shut out, or does not
            verify.
    """
    check_name(name, field="name")
    admin = Principal(name, "human", roles=("admin",))
    with transaction(engine) as connection:
        know(connection, admin, keys, by=SYSTEM.name)
        return _make(connection, admin, valid_for, keys, by=SYSTEM.name)


def ensure_principals(
    engine: sa.Engine, wanted: Sequence[Principal], *, by: Principal, keys: Keyring
) -> list[str]:
    """Make principals known whose names nobody has yet, and return their names."""
    require(by, "administer")
    for one in wanted:
        check_roles(one.kind, one.roles)
    with transaction(engine) as connection:
        made = repository.insert_principals(
            connection, [signed(one, keys) for one in wanted], created_by=by.name
        )
        new = [one for one in wanted if one.name in made]
        record(connection, [created(one, by.name) for one in new])
        return made


def change_principal(
    engine: sa.Engine,
    name: str,
    *,
    roles: Sequence[Role],
    groups: Sequence[str],
    by: Principal,
    keys: Keyring,
) -> PrincipalRow:
    """Give a principal other roles and groups; its tokens keep their scopes.

    Raises:
        ForbiddenError: `by` may not administer.
        InvalidInputError: one of the roles is only for people, and this is none.
        NotFoundError: nobody has that name.
    """
    require(by, "administer")
    with transaction(engine) as connection:
        known = required(connection, name)
        check_roles(known.principal.kind, roles)
        check_signed(known, keys)
        if name == by.name and "admin" not in roles:
            raise ConflictError("you cannot stop being an admin; ask another one", field="roles")
        changed = replace(known.principal, roles=tuple(roles), groups=tuple(groups))
        revision = known.revision + 1
        envelope = sign_principal(changed, revision, keys)
        repository.update_principal(connection, changed, revision, envelope)
        data: JsonObject = {"name": name, "roles": [*sorted(roles)], "groups": [*sorted(groups)]}
        record(connection, [Entry(INSTALLATION, "principal.changed", by.name, data)])
        return required(connection, name)


def disable_principal(engine: sa.Engine, name: str, *, by: Principal) -> PrincipalRow:
    """Shut a principal out for good: no token of its holds, and none of its votes can be cast.

    Raises:
        ForbiddenError: `by` may not administer.
        ConflictError: nobody disables themselves.
        NotFoundError: nobody has that name.
    """
    require(by, "administer")
    if name == by.name:
        raise ConflictError("you cannot shut yourself out; ask another admin", field="name")
    with transaction(engine) as connection:
        required(connection, name)
        repository.disable_principal(connection, name)
        record(connection, [Entry(INSTALLATION, "principal.disabled", by.name, {"name": name})])
        return required(connection, name)


def revoke_token(engine: sa.Engine, token_id: UUID, *, by: Principal) -> TokenRow:
    """End a token at once.

    Raises:
        ForbiddenError: it is another's, and `by` may not administer.
        NotFoundError: there is none of that id.
    """
    with transaction(engine) as connection:
        row = repository.revoke_token(connection, token_id)
        if row.principal != by.name:
            require(by, "administer")
        data: JsonObject = {"token": str(token_id), "principal": row.principal}
        record(connection, [Entry(INSTALLATION, "token.revoked", by.name, data)])
        return row


def read_tokens(engine: sa.Engine, *, by: Principal) -> list[TokenRow]:
    """Return every token's row, newest first; without `administer` or `audit` only one's own."""
    with snapshot(engine) as connection:
        return repository.list_tokens(connection, None if _sees_all(by) else by.name)


def read_principals(engine: sa.Engine, *, by: Principal) -> list[PrincipalRow]:
    """Return every principal, by name.

    Raises:
        ForbiddenError: `by` may neither administer nor audit.
    """
    require(by, "administer", "audit")
    with snapshot(engine) as connection:
        return repository.list_principals(connection)


def _make(
    connection: sa.Connection,
    principal: Principal,
    valid_for: timedelta,
    keys: Keyring,
    *,
    by: str,
) -> MadeToken:
    token = new_token()
    scopes: tuple[Ability, ...] = principal.scopes or ()
    expires_at = database_time(connection) + valid_for
    said = (principal.name, token.hash, scopes, expires_at)
    new = NewToken(token.id, *said, sign_token(token_statement(token.id, *said), keys))
    row = repository.insert_token(connection, new, created_by=by)
    data: JsonObject = {
        "token": str(token.id),
        "principal": principal.name,
        "scopes": [*row.scopes],
        "expires_at": row.expires_at.isoformat(),
    }
    record(connection, [Entry(INSTALLATION, "token.created", by, data)])
    return MadeToken(token, row)


def _sees_all(by: Principal) -> bool:
    return bool(abilities(by) & {"administer", "audit"})
