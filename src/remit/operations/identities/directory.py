"""Identity: who is known, what each is trusted with, and who is given a token.

Everything that changes here is told in the installation's own chain of events.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.db.session import snapshot, transaction
from remit.errors import ConflictError, UnverifiableError
from remit.identity import repository, token_repository
from remit.identity.names import check_name
from remit.identity.repository import lock_installation
from remit.identity.rules import abilities, check_roles, require
from remit.identity.statements import sign_principal, verify_principal
from remit.identity.types import SYSTEM, Principal, PrincipalRow, TokenRow
from remit.operations.identities.principals import (
    MadeToken,
    check_signed,
    check_token,
    check_token_shown,
    check_words,
    ensure_principal,
    get_principal,
    mint,
    record_created,
    record_signed,
    require_second_admin,
    signed,
)
from remit.signing.keys import Keyring
from remit.signing.statements import stated
from remit.vocabulary import Role


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

    The token is limited to the principal's `scopes`, and good for at most :data:`LONGEST_TOKEN`.
    The principal's roles and the rest may be left empty for one that is known; otherwise they must
    be those that are known. `keep` is given the token; what it raises undoes all of this.

    Raises:
        ConflictError: the principal is known as something else, or was shut out.
    """
    require(by, "administer")
    check_name(principal.name, field="name")
    check_roles(principal.kind, principal.roles)
    check_token(principal, valid_for)
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        known = ensure_principal(connection, principal, keys, by=by)
        require_second_admin(connection, known.roles, keys, agreed=False)
        made = mint(connection, principal, valid_for, keys, by=by)
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
        if repository.is_anybody_known(connection):
            return None
        ensure_principal(connection, admin, keys, by=SYSTEM)
        made = mint(connection, admin, valid_for, keys, by=SYSTEM)
        if keep is not None:
            keep(made)
        return made


def recover_admin(
    engine: sa.Engine, name: str, *, valid_for: timedelta, keys: Keyring
) -> MadeToken:
    """Make a token for an admin, and make them known if need be, without asking anybody.

    For whoever owns the database and has the key that signs: they could do all of this by hand. It
    is the way back in when every admin's token is lost or over, and it is told in the log.

    Raises:
        ConflictError: the name is that of somebody who is no admin, was shut out, or does not
            verify.
    """
    check_name(name, field="name")
    admin = Principal(name, "human", roles=("admin",))
    with transaction(engine) as connection:
        ensure_principal(connection, admin, keys, by=SYSTEM)
        return mint(connection, admin, valid_for, keys, by=SYSTEM)


def ensure_principals(
    engine: sa.Engine, wanted: Sequence[Principal], *, by: Principal, keys: Keyring
) -> list[str]:
    """Make principals known whose names nobody has yet, and return their names."""
    require(by, "administer")
    for one in wanted:
        check_roles(one.kind, one.roles)
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        for one in wanted:
            require_second_admin(connection, one.roles, keys, agreed=False)
        made = repository.insert_principals(
            connection, [signed(one, keys, by=by.name) for one in wanted], created_by=by.name
        )
        for one in wanted:
            if one.name in made:
                record_created(connection, one, keys, by=by)
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
    """Give a principal other roles and groups; its tokens keep their scopes."""
    require(by, "administer")
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        wanted = Principal(name, "human", tuple(roles), tuple(groups))
        return change_within(connection, wanted, by=by, keys=keys)


def change_within(
    connection: sa.Connection,
    wanted: Principal,
    *,
    by: Principal,
    keys: Keyring,
    agreed: bool = False,
) -> PrincipalRow:
    """Give a principal the name, roles and groups of `wanted`, as :func:`change_principal` does.

    `agreed` says whether a second admin did.
    """
    known = get_principal(connection, wanted.name)
    check_roles(known.principal.kind, wanted.roles)
    check_signed(known, keys)
    require_second_admin(connection, wanted.roles, keys, agreed=agreed)
    if wanted.name == by.name and "admin" not in wanted.roles:
        raise ConflictError("you cannot stop being an admin; ask another one", field="roles")
    check_words(wanted.name, wanted.groups)
    changed = replace(known.principal, roles=wanted.roles, groups=wanted.groups)
    revision, out = known.revision + 1, known.disabled_at is not None
    envelope = sign_principal(changed, revision, keys, created_by=known.created_by, disabled=out)
    repository.update_principal(connection, changed, revision, envelope)
    said = {**stated(changed, "name", "roles", "groups"), "revision": revision}
    record_signed(connection, "principal.changed", said, keys, by=by)
    return get_principal(connection, wanted.name)


def disable_principal(
    engine: sa.Engine, name: str, *, by: Principal, keys: Keyring
) -> PrincipalRow:
    """Shut a principal out for good: no token of its holds, and none of its votes can be cast.

    It is signed as a new revision, but for one that does not verify: that is shut out as it is.

    Raises:
        ConflictError: nobody disables themselves; or somebody changed it at the same moment.
    """
    require(by, "administer")
    if name == by.name:
        raise ConflictError("you cannot shut yourself out; ask another admin", field="name")
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        known = get_principal(connection, name)
        if known.disabled_at is not None:
            return known
        revision, signed_end = known.revision, None
        with suppress(UnverifiableError):
            verify_principal(known, keys)
            ending = sign_principal(
                known.principal, revision + 1, keys, created_by=known.created_by, disabled=True
            )
            revision += 1
            signed_end = (revision, ending)
        repository.disable_principal(connection, name, signed_end)
        said: JsonObject = {"name": name, "revision": revision}
        record_signed(connection, "principal.disabled", said, keys, by=by)
        return get_principal(connection, name)


def read_tokens(engine: sa.Engine, *, by: Principal) -> list[TokenRow]:
    """Return every token's row, newest first; without `administer` or `audit` only one's own."""
    sees_all = bool(abilities(by) & {"administer", "audit"})
    with snapshot(engine) as connection:
        return token_repository.list_tokens(connection, None if sees_all else by.name)


def read_principals(engine: sa.Engine, *, by: Principal) -> list[PrincipalRow]:
    """Return every principal, by name."""
    require(by, "administer", "audit")
    with snapshot(engine) as connection:
        return repository.list_principals(connection)
