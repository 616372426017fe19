"""Invitations: an admin hands a person a code, and that person alone makes a token of it.

So the token's secret was never in the admin's hands. An admin who redeems the code themself is told
of: the person's own redemption is refused, and says when the code was redeemed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.db.session import database_time, snapshot, transaction
from remit.errors import ConflictError, InvalidInputError, UnauthenticatedError, UnverifiableError
from remit.identity import invitation_repository, repository
from remit.identity.names import check_name
from remit.identity.repository import lock_installation
from remit.identity.rules import abilities, check_roles, may, require
from remit.identity.statements import sign_invitation, verify_invitation, verify_principal
from remit.identity.tokens import Code, new_code, parse_code
from remit.identity.types import SYSTEM, Invitation, KeptInvitation, Principal
from remit.operations.identities.principals import (
    MadeToken,
    check_token,
    check_token_shown,
    ensure_principal,
    get_principal,
    mint,
    record_signed,
    require_second_admin,
)
from remit.operations.identities.revocation import withdraw
from remit.signing.keys import Keyring
from remit.signing.statements import stated

LONGEST_INVITATION = timedelta(days=30)
ASK_AGAIN = "ask an admin for another one"


@dataclass(frozen=True, slots=True)
class MadeInvitation:
    """An invitation that was just made, the only time that its code can be seen."""

    code: Code
    row: Invitation


def invite(
    engine: sa.Engine,
    principal: Principal,
    *,
    valid_for: timedelta,
    open_for: timedelta,
    by: Principal,
    keys: Keyring,
) -> MadeInvitation:
    """Invite somebody to make a token, and make them known if nobody has the name yet.

    The principal is as of :func:`remit.operations.identities.directory.create_token`. The token
    will be good for `valid_for` from its redemption, and the code can be redeemed for `open_for`,
    at most :data:`LONGEST_INVITATION`.

    Raises:
        ConflictError: the principal is known as something else, or was shut out.
    """
    require(by, "administer")
    check_name(principal.name, field="name")
    check_roles(principal.kind, principal.roles)
    check_lengths(principal, valid_for, open_for)
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        return invite_within(
            connection, principal, valid_for=valid_for, open_for=open_for, by=by, keys=keys
        )


def check_lengths(principal: Principal, valid_for: timedelta, open_for: timedelta) -> None:
    """Return quietly when somebody may be invited for so long."""
    check_token(principal, valid_for)
    if not timedelta(0) < open_for <= LONGEST_INVITATION:
        allowed = f"must be above zero and at most {LONGEST_INVITATION.days} days"
        raise InvalidInputError(allowed, field="code_expires")


def invite_within(
    connection: sa.Connection,
    principal: Principal,
    *,
    valid_for: timedelta,
    open_for: timedelta,
    by: Principal,
    keys: Keyring,
    agreed: bool = False,
) -> MadeInvitation:
    """Invite somebody as :func:`invite` does; `agreed` says whether a second admin did."""
    known = ensure_principal(connection, principal, keys, by=by)
    require_second_admin(connection, known.roles, keys, agreed=agreed)
    code, now = new_code(), database_time(connection)
    invitation = Invitation(
        id=code.id,
        principal=principal.name,
        scopes=tuple(sorted(set(principal.scopes or ()))),
        valid_seconds=max(int(valid_for.total_seconds()), 1),
        created_by=by.name,
        created_with=by.token,
        created_at=now,
        expires_at=now + open_for,
    )
    new = KeptInvitation(invitation, code.hash, None)
    new = replace(new, envelope=sign_invitation(new, keys))
    row = invitation_repository.insert_invitation(connection, new)
    said = stated(row, "principal", "scopes", "valid_seconds", invitation="id")
    said["expires_at"] = row.expires_at.isoformat()
    record_signed(connection, "token.invited", said, keys, by=by)
    return MadeInvitation(code, row)


def redeem(
    engine: sa.Engine,
    text: str,
    keys: Keyring,
    *,
    keep: Callable[[MadeToken], None] | None = None,
) -> MadeToken:
    """Make a token of an invitation by its code; whoever has the code is who was invited.

    `keep` is given the token to keep it; what it raises undoes all of this.

    Raises:
        UnauthenticatedError: it is no code, or none that holds; the message does not say which part
            of it is wrong.
        ConflictError: it was redeemed before; the message says when.
    """
    code = parse_code(text)
    with transaction(engine) as connection:
        lock_installation(connection)
        invitation, owner = _open(connection, code, keys)
        made = mint(
            connection,
            replace(owner, scopes=invitation.scopes or None),
            timedelta(seconds=invitation.valid_seconds),
            keys,
            by=owner,
            invitation=invitation.id,
        )
        invitation_repository.redeem_invitation(connection, invitation.id, made.row.id)
        if keep is not None:
            keep(made)
        return made


def revoke_invitation(
    engine: sa.Engine, invitation_id: UUID, *, by: Principal, keys: Keyring
) -> Invitation:
    """End an invitation at once.

    Raises:
        ConflictError: it was redeemed.
    """
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        invitation = withdraw(connection, invitation_id, by=by, keys=keys)
        if invitation.principal != by.name:
            require(by, "administer")
        if invitation.token_id is not None:
            raise ConflictError(
                f"it was redeemed at {invitation.redeemed_at:%Y-%m-%d %H:%M:%S %Z}; end its token "
                f"with `remit token revoke {invitation.token_id}`"
            )
        return invitation


def read_invitations(engine: sa.Engine, *, by: Principal) -> list[Invitation]:
    """Return every invitation, newest first; without `administer` or `audit` only one's own."""
    sees_all = bool(abilities(by) & {"administer", "audit"})
    with snapshot(engine) as connection:
        found = invitation_repository.list_invitations(connection, None if sees_all else by.name)
    return [one.invitation for one in found]


def _open(connection: sa.Connection, code: Code, keys: Keyring) -> tuple[Invitation, Principal]:
    found = invitation_repository.lock_invitation(connection, code.id)
    if found is None or not code.matches(found[0].hash):
        raise UnauthenticatedError("this invitation is not known here; use one that was made here")
    kept, now = found
    try:
        verify_invitation(kept, keys)
        owner = _invited(connection, kept.invitation, keys)
    except UnverifiableError as error:
        raise UnauthenticatedError(
            f"this invitation does not verify: {error}; {ASK_AGAIN}"
        ) from error
    _check_open(kept.invitation)
    if now >= kept.invitation.expires_at:
        raise UnauthenticatedError(f"this invitation has expired; {ASK_AGAIN}")
    return kept.invitation, owner


def _invited(connection: sa.Connection, invitation: Invitation, keys: Keyring) -> Principal:
    owner = get_principal(connection, invitation.principal)
    verify_principal(owner, keys)
    if owner.disabled_at is not None:
        raise UnauthenticatedError("this invitation is for somebody who was shut out")
    if invitation.created_by != SYSTEM.name:
        host = repository.find_principal(connection, invitation.created_by)
        known = host is not None and host.disabled_at is None
        if host and known:
            verify_principal(host, keys)
        if not host or not known or not may(host.principal, "administer"):
            raise UnauthenticatedError(
                f"this invitation is by somebody who may no longer invite; {ASK_AGAIN}"
            )
    return owner.principal


def _check_open(invitation: Invitation) -> None:
    if invitation.redeemed_at is not None:
        raise ConflictError(
            f"this invitation was redeemed at {invitation.redeemed_at:%Y-%m-%d %H:%M:%S %Z}. If "
            "that was not you, somebody else acts in your name: tell an admin at once, who ends it "
            f"with `remit token revoke {invitation.token_id} --since "
            f"{invitation.redeemed_at.isoformat()}`"
        )
    if invitation.revoked_at is not None:
        raise UnauthenticatedError(f"this invitation was revoked; {ASK_AGAIN}")
