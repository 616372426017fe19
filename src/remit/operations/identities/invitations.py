"""Invitations: an admin hands a person a code, and that person alone makes a token of it.

So the token's secret was never in the admin's hands. An admin who redeems the code themself is told
of: the person's own redemption is refused, and says when the code was redeemed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from remit.audit.repository import record
from remit.base.json_types import JsonObject
from remit.db.session import database_time, snapshot, transaction
from remit.errors import ConflictError, InvalidInputError, UnauthenticatedError, UnverifiableError
from remit.identity import invitation_repository, repository
from remit.identity.names import check_name
from remit.identity.repository import lock_installation
from remit.identity.rules import abilities, check_roles, may, require
from remit.identity.statements import sign_invitation, verify_invitation, verify_principal
from remit.identity.tokens import Code, new_code, parse_code
from remit.identity.types import SYSTEM, Invitation, KeptInvitation, Principal, PrincipalRow
from remit.operations.identities.principals import (
    MadeToken,
    check_shown,
    check_token,
    know,
    mint,
    require_second,
    required,
    told,
)
from remit.operations.identities.revocation import withdraw
from remit.signing.keys import Keyring

LONGEST_INVITATION = timedelta(days=30)
"""Longest time for which an invitation may be open."""

ASK_AGAIN = "ask an admin for another one"


@dataclass(frozen=True, slots=True)
class MadeInvitation:
    """An invitation that was just made, the only time that its code can be seen.

    Attributes:
        code: the code; nothing keeps it.
        row: what is kept of it.
    """

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

    Args:
        engine: the database.
        principal: whose token it becomes, limited to `scopes`; as of
            :func:`remit.operations.identities.directory.create_token`.
        valid_for: how long the token will be good, from its redemption.
        open_for: how long the code can be redeemed; at most :data:`LONGEST_INVITATION`.
        by: who invites.
        keys: the installation's.

    Raises:
        ForbiddenError: `by` may not administer.
        InvalidInputError: the name, a role that is only for people, or a length of time.
        ConflictError: the principal is known as something else, or was shut out.
        NotFoundError: it acts for somebody who is not known.
    """
    require(by, "administer")
    check_name(principal.name, field="name")
    check_roles(principal.kind, principal.roles)
    check_lengths(principal, valid_for, open_for)
    with transaction(engine) as connection:
        check_shown(connection, by)
        return invite_within(connection, principal, (valid_for, open_for), keys, by=by)


def check_lengths(principal: Principal, valid_for: timedelta, open_for: timedelta) -> None:
    """Return quietly when somebody may be invited for so long.

    Raises:
        InvalidInputError: the token would cover nothing, or a length of time is not allowed.
    """
    check_token(principal, valid_for)
    if not timedelta(0) < open_for <= LONGEST_INVITATION:
        allowed = f"must be above zero and at most {LONGEST_INVITATION.days} days"
        raise InvalidInputError(allowed, field="code_expires")


def invite_within(
    connection: sa.Connection,
    principal: Principal,
    lengths: tuple[timedelta, timedelta],
    keys: Keyring,
    *,
    by: Principal,
    agreed: bool = False,
) -> MadeInvitation:
    """Invite somebody inside a transaction; see :func:`invite`.

    `lengths` are how long the token is good and the code can be redeemed, and `agreed` says whether
    a second admin did.
    """
    known = know(connection, principal, keys, by=by)
    require_second(connection, known.roles, keys, agreed=agreed)
    return _invite(connection, principal, lengths, keys, by=by)


def redeem(
    engine: sa.Engine,
    text: str,
    keys: Keyring,
    *,
    keep: Callable[[MadeToken], None] | None = None,
) -> MadeToken:
    """Make a token of an invitation; whoever has the code is who was invited.

    Args:
        engine: the database.
        text: the code.
        keys: the installation's.
        keep: given the token to keep it; what it raises undoes all of this.

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
        ForbiddenError: it is another's, and `by` may not administer.
        ConflictError: it was redeemed.
        NotFoundError: there is none of that id.
    """
    with transaction(engine) as connection:
        check_shown(connection, by)
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


def _invite(
    connection: sa.Connection,
    principal: Principal,
    lengths: tuple[timedelta, timedelta],
    keys: Keyring,
    *,
    by: Principal,
) -> MadeInvitation:
    code, now = new_code(), database_time(connection)
    valid_for, open_for = lengths
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
    data: JsonObject = {
        "invitation": str(row.id),
        "principal": row.principal,
        "scopes": [*row.scopes],
        "valid_seconds": row.valid_seconds,
        "expires_at": row.expires_at.isoformat(),
    }
    record(connection, [told("token.invited", by, data, keys)])
    return MadeInvitation(code, row)


def _open(connection: sa.Connection, code: Code, keys: Keyring) -> tuple[Invitation, Principal]:
    """Return an invitation that can be redeemed now, locked, and whom it is for.

    Raises:
        UnauthenticatedError: there is none of that code.
        ConflictError: it was redeemed.
    """
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
    """Return who was invited, if they and whoever invited them are who they were.

    Raises:
        UnauthenticatedError: one of them was shut out, or may no longer invite anybody.
        UnverifiableError: one of them does not verify.
    """
    owner = _verified(required(connection, invitation.principal), keys)
    if owner.disabled_at is not None:
        raise UnauthenticatedError("this invitation is for somebody who was shut out")
    if invitation.created_by != SYSTEM.name:
        host = repository.find_principal(connection, invitation.created_by)
        if (
            host is None
            or host.disabled_at is not None
            or not may(_verified(host, keys).principal, "administer")
        ):
            raise UnauthenticatedError(
                f"this invitation is by somebody who may no longer invite; {ASK_AGAIN}"
            )
    return owner.principal


def _verified(row: PrincipalRow, keys: Keyring) -> PrincipalRow:
    verify_principal(row, keys)
    return row


def _check_open(invitation: Invitation) -> None:
    """Return quietly when an invitation has not ended.

    Raises:
        ConflictError: it was redeemed.
        UnauthenticatedError: it was revoked.
    """
    if invitation.redeemed_at is not None:
        raise ConflictError(
            f"this invitation was redeemed at {invitation.redeemed_at:%Y-%m-%d %H:%M:%S %Z}. If "
            "that was not you, somebody else acts in your name: tell an admin at once, who ends it "
            f"with `remit token revoke {invitation.token_id} --since "
            f"{invitation.redeemed_at.isoformat()}`"
        )
    if invitation.revoked_at is not None:
        raise UnauthenticatedError(f"this invitation was revoked; {ASK_AGAIN}")
