"""Four eyes: one admin proposes to make an approver or an admin, and another one carries it out.

A proposal is an event of the installation's own log, and so is its confirmation; both are signed.
Nobody confirms what they could have proposed themself: whose tokens were in one hand is one admin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.approval.independence import hands_of
from remit.audit.chain import Event
from remit.audit.repository import event_data
from remit.base.json_types import JsonObject
from remit.db.session import snapshot, transaction, wall_clock
from remit.errors import ConflictError, ForbiddenError, NotFoundError
from remit.identity import repository
from remit.identity.names import check_name
from remit.identity.rules import check_roles, may, require
from remit.identity.token_repository import token_lineage, unrevoked_tokens
from remit.identity.types import Principal, PrincipalRow
from remit.operations.identities import directory, invitations
from remit.operations.identities.invitations import MadeInvitation, check_lengths
from remit.operations.identities.principals import (
    check_token_shown,
    four_eyes_on,
    genuine_events,
    needs_second_admin,
    record_signed,
)
from remit.signing.keys import Keyring
from remit.signing.statements import stated
from remit.vocabulary import Role

PROPOSAL_HOLDS = timedelta(days=7)
"""How long a proposal can be confirmed."""

Verb = Literal["invite", "set", "off"]
"""What is proposed: an invitation, other roles and groups, or to ask one admin again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an admin wants, and two are asked for.

    The principal is whom it is about, with all that they shall have; the proposer for `off`. The
    token of an invitation will be good for `valid_for`, its code for `open_for`.
    """

    verb: Verb
    principal: Principal
    valid_for: timedelta = timedelta(days=30)
    open_for: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for a second admin; `token` is what the first one showed."""

    id: UUID
    change: Change
    by: str
    token: UUID | None
    at: datetime


def switch_on(engine: sa.Engine, *, by: Principal, keys: Keyring) -> None:
    """Ask two admins from now on, wherever an approver or an admin is made.

    Raises:
        ConflictError: there is no other admin, so nobody could ever confirm anything.
    """
    require(by, "administer")
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        others = [
            one.principal.name
            for one in repository.list_principals(connection)
            if one.disabled_at is None and may(one.principal, "administer")
        ]
        if set(others) <= {by.name}:
            raise ConflictError(
                "there is no other admin who could confirm: `remit token invite NAME --role admin` "
                "makes one"
            )
        if not four_eyes_on(connection, keys):
            record_signed(connection, "four_eyes.set", {"on": True}, keys, by=by)


def is_asked(engine: sa.Engine, change: Change, keys: Keyring) -> bool:
    """Return whether a change needs a second admin."""
    with snapshot(engine) as connection:
        if not four_eyes_on(connection, keys):
            return False
        known = repository.find_principal(connection, change.principal.name)
        roles = change.principal.roles or (known.principal.roles if known else ())
        return change.verb == "off" or needs_second_admin(roles)


def propose(engine: sa.Engine, change: Change, *, by: Principal, keys: Keyring) -> UUID:
    """Put a change on record for a second admin to confirm, and return its identifier."""
    require(by, "administer")
    check_name(change.principal.name, field="name")
    check_roles(change.principal.kind, change.principal.roles)
    if change.verb == "invite":
        check_lengths(change.principal, change.valid_for, change.open_for)
    proposal = uuid4()
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        said: JsonObject = {
            "proposal": str(proposal),
            "verb": change.verb,
            **stated(change.principal, "name", "kind", "roles", "groups", "acts_for", "scopes"),
            "valid_seconds": int(change.valid_for.total_seconds()),
            "open_seconds": int(change.open_for.total_seconds()),
        }
        record_signed(connection, "change.proposed", said, keys, by=by)
    return proposal


def read_proposals(engine: sa.Engine, *, by: Principal, keys: Keyring) -> list[Proposal]:
    """Return what waits for a second admin, oldest first."""
    require(by, "administer", "audit")
    with snapshot(engine) as connection:
        return _waiting(connection, keys)


def confirm(
    engine: sa.Engine, proposal_id: UUID, *, by: Principal, keys: Keyring
) -> MadeInvitation | PrincipalRow | None:
    """Carry out what another admin proposed; return what came of it.

    Raises:
        ConflictError: it can no longer be carried out.
    """
    require(by, "administer")
    with transaction(engine) as connection:
        check_token_shown(connection, by)
        waiting = {one.id: one for one in _waiting(connection, keys)}
        if proposal_id not in waiting:
            raise NotFoundError(
                f"no proposal {proposal_id} waits; `remit principal proposals` shows those that do"
            )
        proposal = waiting[proposal_id]
        _require_another(connection, proposal, by)
        # First, so that it is confirmed once; whatever then fails undoes it.
        said: JsonObject = {"proposal": str(proposal_id), "proposed_by": proposal.by}
        record_signed(connection, "change.confirmed", said, keys, by=by)
        return _carry_out(connection, proposal.change, by, keys)


def _carry_out(
    connection: sa.Connection, change: Change, by: Principal, keys: Keyring
) -> MadeInvitation | PrincipalRow | None:
    if change.verb == "off":
        record_signed(connection, "four_eyes.set", {"on": False}, keys, by=by)
        return None
    if change.verb == "invite":
        return invitations.invite_within(
            connection,
            change.principal,
            valid_for=change.valid_for,
            open_for=change.open_for,
            by=by,
            keys=keys,
            agreed=True,
        )
    return directory.change_within(connection, change.principal, by=by, keys=keys, agreed=True)


def _require_another(connection: sa.Connection, proposal: Proposal, by: Principal) -> None:
    """Return quietly when `by` is an admin whom the proposer cannot pass for, nor the reverse."""
    shown = [one for one in (proposal.token, by.token) if one is not None]
    if by.name == proposal.by:
        raise ForbiddenError(f"{by.name} proposed it; another admin confirms it")
    good = unrevoked_tokens(connection, shown)
    if proposal.token not in good or by.token not in good:
        raise ForbiddenError(
            "it was proposed, or would be confirmed, with no token that holds; propose it anew"
        )
    hands = []
    for token_id in shown:
        line = {key: one.row for key, one in token_lineage(connection, token_id).items()}
        hands.append(set(hands_of(line[token_id], line)))
    shared = sorted(hands[0] & hands[1])
    if shared:
        raise ForbiddenError(
            f"{shared[0]} has seen the tokens of both admins, who so count as one; `remit token "
            f"invite {by.name}` gets them one that nobody else has seen"
        )


def _waiting(connection: sa.Connection, keys: Keyring) -> list[Proposal]:
    now = wall_clock(connection)
    settled = {
        event_data(one)["proposal"]
        for one in genuine_events(connection, ["change.confirmed"], keys)
    }
    found: dict[UUID, Proposal] = {}
    for event in genuine_events(connection, ["change.proposed"], keys):
        proposal = _proposal(event)
        if str(proposal.id) not in settled and now < proposal.at + PROPOSAL_HOLDS:
            found.setdefault(proposal.id, proposal)
    return list(found.values())


def _proposal(event: Event) -> Proposal:
    data: Mapping[str, Any] = event_data(event)
    scopes = data["scopes"]
    principal = Principal(
        data["name"],
        data["kind"],
        roles=cast("tuple[Role, ...]", tuple(data["roles"])),
        groups=tuple(data["groups"]),
        acts_for=data["acts_for"],
        scopes=None if scopes is None else tuple(scopes),
    )
    lengths = (timedelta(seconds=data[name]) for name in ("valid_seconds", "open_seconds"))
    change = Change(data["verb"], principal, *lengths)
    token = None if data["with"] is None else UUID(data["with"])
    return Proposal(UUID(data["proposal"]), change, event.actor, token, event.occurred_at)
