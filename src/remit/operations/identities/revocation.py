"""Revocation: a token ends, and what was done with a stolen one is found and undone.

What a thief did with a token from some moment on does not count. The tokens and the invitations
that they made with it end in the same transaction. What people approved with any of these is judged
anew in a transaction for each directive: :func:`reassess_approvals` may be called again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import CastWith, approvals_with, latest_grant, latest_request
from remit.approval.rules import tally
from remit.approval.types import Vote
from remit.audit.repository import principals_touched
from remit.base.json_types import JsonObject
from remit.db.session import database_time, snapshot, transaction
from remit.directives.models import DirectiveRead
from remit.directives.repository import lock_directive
from remit.errors import InvalidInputError, NotFoundError
from remit.identity import token_repository
from remit.identity.invitation_repository import invited_with, lock_invitation, revoke_invitation
from remit.identity.rules import require
from remit.identity.statements import sign_revocation, sign_withdrawal
from remit.identity.types import Invitation, Principal, TokenRow
from remit.operations.gate.ballots import counted_votes
from remit.operations.gate.grants import block_void
from remit.operations.identities.principals import check_token_shown, record_signed
from remit.signing.keys import Keyring
from remit.signing.statements import stated

Effect = Literal["waiting", "voided", "ran"]


@dataclass(frozen=True, slots=True)
class Revoked:
    """What a revocation ended: a token, what was made with it from `revoked_since` on, and so on.

    The invitations are those made with any of these, redeemed or not. The principals, by name, are
    those that somebody made known, changed or shut out with any of them. That is not undone: look
    at each.
    """

    row: TokenRow
    also: tuple[TokenRow, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reassessed:
    """What became of directives that were approved with tokens that do not count.

    Those that wait lose the approval; those that were approved and had not started are voided, and
    now blocked; those that ran, or run, with such an approval nobody can undo.
    """

    waiting: tuple[UUID, ...] = ()
    voided: tuple[UUID, ...] = ()
    ran: tuple[UUID, ...] = ()


def revoke_token(
    engine: sa.Engine,
    token_id: UUID,
    *,
    by: Principal,
    keys: Keyring,
    since: datetime | timedelta | None = None,
) -> Revoked:
    """End a token at once; with `since`, also what was made with it from then on.

    A token that was revoked before keeps the first time; `since` may reach further back than it
    did.

    `since` is from when on nothing that was done with it counts, or how long before now that was;
    None: nothing was done with it that was not its owner's doing.
    """
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        row = token_repository.lock_token(connection, token_id)
        if row.principal != by.name:
            require(by, "administer")
        now = database_time(connection)
        start = _start(row, since, now)
        ended = _end(connection, row, start, by=by, keys=keys)
        if start is None:
            return Revoked(ended)
        return _end_all(connection, ended, start, by=by, keys=keys)


def reassess_approvals(
    engine: sa.Engine, revoked: Revoked, *, by: Principal, keys: Keyring
) -> Reassessed:
    """Judge anew what was approved with tokens from the moment on that their revocation says.

    Without `revoked_since`, nothing is judged.

    Raises:
        UnavailableError: the database does not answer; what was done stays done.
    """
    ended = (revoked.row, *revoked.also)
    starts = {one.id: one.revoked_since for one in ended if one.revoked_since is not None}
    with snapshot(engine) as connection:
        cast = [one for one in approvals_with(connection, starts) if _is_spoiled(one, starts)]
    found: dict[Effect, list[UUID]] = {"waiting": [], "voided": [], "ran": []}
    requests = {one.request_id: one.directive_id for one in cast}
    for request_id, directive_id in requests.items():
        with transaction(engine) as connection:
            directive = lock_directive(connection, directive_id)
            became = _judge(connection, directive, request_id, starts, by=by, keys=keys)
        if became is not None:
            found[became].append(directive_id)
    return Reassessed(*(tuple(ids) for ids in found.values()))


def _start(row: TokenRow, since: datetime | timedelta | None, now: datetime) -> datetime | None:
    if since is None:
        return None
    start = now - since if isinstance(since, timedelta) else since
    if start > now:
        raise InvalidInputError("is to come: say since when the token was misused", field="since")
    # Nothing was done with it before it was made.
    start = max(start, row.created_at)
    # What comes after the end of a token was not done with it.
    start = start if row.revoked_at is None else min(start, row.revoked_at)
    return start if row.revoked_since is None else min(start, row.revoked_since)


def _end(
    connection: sa.Connection,
    row: TokenRow,
    start: datetime | None,
    *,
    by: Principal,
    keys: Keyring,
) -> TokenRow:
    """Revoke a token that was locked, on record; nothing where that says nothing new."""
    when = row.revoked_at or database_time(connection)
    # What was made while this transaction waited for it is younger than this transaction.
    since = row.revoked_since if start is None else min(start, when)
    if row.revocation is not None and since == row.revoked_since:
        return row
    ended = replace(row, revoked_at=when, revoked_since=since)
    ended = replace(ended, revocation=sign_revocation(ended, by.name, keys))
    token_repository.revoke_token(connection, ended)
    said: JsonObject = {
        "token": str(row.id),
        "principal": row.principal,
        "since": None if since is None else since.isoformat(),
    }
    record_signed(connection, "token.revoked", said, keys, by=by)
    return ended


def _end_all(
    connection: sa.Connection, first: TokenRow, start: datetime, *, by: Principal, keys: Keyring
) -> Revoked:
    tokens, starts, queue = {first.id: first}, {first.id: start}, [first.id]
    invitations: list[Invitation] = []
    while queue:
        token_id = queue.pop()
        made = [
            row.id for row in token_repository.made_with(connection, token_id, starts[token_id])
        ]
        for one in invited_with(connection, token_id, starts[token_id]):
            invitation = withdraw(connection, one.id, by=by, keys=keys)
            invitations.append(invitation)
            # Whoever had the token had the code, too.
            made += [] if invitation.token_id is None else [invitation.token_id]
        for new in (one for one in made if one not in tokens):
            row = token_repository.lock_token(connection, new)
            tokens[new] = _end(connection, row, row.created_at, by=by, keys=keys)
            starts[new] = row.created_at
            queue.append(new)
    also = tuple(row for key, row in tokens.items() if key != first.id)
    touched = tuple(principals_touched(connection, starts))
    return Revoked(tokens[first.id], also, tuple(invitations), touched)


def withdraw(
    connection: sa.Connection, invitation_id: UUID, *, by: Principal, keys: Keyring
) -> Invitation:
    """Revoke an invitation unless it has ended, and return it as it is then."""
    found = lock_invitation(connection, invitation_id)
    if found is None:
        raise NotFoundError(
            f"there is no invitation {invitation_id}; `remit token invitations` shows them"
        )
    invitation = found[0].invitation
    if invitation.redeemed_at is not None or invitation.revoked_at is not None:
        return invitation
    ended = replace(invitation, revoked_at=database_time(connection))
    revocation = sign_withdrawal(ended, by.name, keys)
    revoke_invitation(connection, invitation_id, revocation)
    said = stated(invitation, "principal", invitation="id")
    record_signed(connection, "invitation.revoked", said, keys, by=by)
    return replace(ended, revocation=revocation)


def _is_spoiled(one: CastWith | Vote, starts: Mapping[UUID, datetime]) -> bool:
    start = None if one.token_id is None else starts.get(one.token_id)
    return start is not None and one.cast_at >= start


def _judge(
    connection: sa.Connection,
    directive: DirectiveRead,
    request_id: UUID,
    starts: Mapping[UUID, datetime],
    *,
    by: Principal,
    keys: Keyring,
) -> Effect | None:
    """Carry out what it means for a directive that was locked; None: that it has no part in it."""
    request = latest_request(connection, directive.id)
    if request is None:
        return None
    if directive.status == "proposed":
        return "waiting" if request.id == request_id else None
    grant = latest_grant(connection, directive.id)
    if grant is None or grant.request_id != request_id:
        return None
    if directive.status != "approved":
        return "ran" if directive.status in {"executing", "complete", "aborted"} else None
    votes = [
        one
        for one in counted_votes(connection, directive, request, keys)
        if not _is_spoiled(one, starts) and one.voter in grant.votes
    ]
    if tally(request, votes) == "approved":
        return None
    block_void(connection, directive, grant, "approval_unverifiable", by=by.name)
    return "voided"
