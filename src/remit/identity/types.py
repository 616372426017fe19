"""The values of identity. All frozen."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from remit.vocabulary import Ability, PrincipalKind, Role

if TYPE_CHECKING:
    # The command line names these types at its start, and must not load what this loads.
    from remit.base.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is known: a person, an agent, or a service.

    Attributes:
        name: what the evidence calls it; never used for another one.
        kind: what it is.
        roles: what it is trusted with.
        groups: the groups of approvers that it belongs to.
        acts_for: the principal on whose behalf it acts; None: on its own.
        scopes: the abilities that its token is limited to; None: all that its roles give.
        token: the token that was shown; None: none was, as Remit itself shows none.
        made_by: who made that token; None where `token` is.
        redeemed: whether that token was made of an invitation, so that only its owner has seen it.
    """

    name: str
    kind: PrincipalKind
    roles: tuple[Role, ...] = ()
    groups: tuple[str, ...] = ()
    acts_for: str | None = None
    scopes: tuple[Ability, ...] | None = None
    # Two tokens of one person are the same person.
    token: UUID | None = field(default=None, compare=False)
    made_by: str | None = field(default=None, compare=False)
    redeemed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class PrincipalRow:
    """A principal as it is kept.

    Attributes:
        principal: who it is.
        created_by: who made it known.
        created_at: when.
        disabled_at: when it was shut out; None while it is not.
        revision: how often its roles or groups were set; 1 when it was made known.
        envelope: all of `principal` and its revision, signed; None: somebody else wrote the row.
    """

    principal: Principal
    created_by: str
    created_at: datetime
    disabled_at: datetime | None
    revision: int
    envelope: "JsonObject | None"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is kept: all but the token.

    Attributes:
        id: its identifier, which is part of the token.
        principal: whose it is.
        scopes: the abilities that it is limited to; empty: all that the principal's roles give.
        created_by: who made it.
        created_at: when.
        expires_at: when it ends by itself.
        revoked_at: when it was revoked; None while it was not.
        created_with: the token that its maker showed; None: none was, or it was not noted.
        redeemed: whether its owner made it of an invitation, so that nobody else has seen it.
        revoked_since: from when on nothing that was done with it counts; None: from `revoked_at`.
        revocation: that it was revoked, signed; None while it was not.
    """

    id: UUID
    principal: str
    scopes: tuple[Ability, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    created_with: UUID | None = None
    redeemed: bool = False
    revoked_since: datetime | None = None
    revocation: "JsonObject | None" = None


@dataclass(frozen=True, slots=True)
class KeptToken:
    """All that is kept of a token; only what verifies it reads it.

    Attributes:
        row: what anybody may see of it.
        hash: the digest that the presented token must have.
        envelope: all of that but its end, signed; None: somebody else wrote the row.
    """

    row: TokenRow
    hash: str
    envelope: "JsonObject | None"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an admin hands to a person, who makes a token of it: all that is kept but its digest.

    Attributes:
        id: its identifier, which is part of the code.
        principal: whose token it becomes.
        scopes: the abilities that the token will be limited to; empty: all that the roles give.
        valid_seconds: how long the token will be good, from its redemption.
        created_by: who made it.
        created_with: the token that its maker showed.
        created_at: when.
        expires_at: until when it can be redeemed.
        redeemed_at: when it was; None while it was not.
        token_id: the token that was made of it; None while it was not redeemed.
        revoked_at: when it was revoked; None while it was not.
        revocation: that it was revoked, signed; None while it was not.
    """

    id: UUID
    principal: str
    scopes: tuple[Ability, ...]
    valid_seconds: int
    created_by: str
    created_with: UUID | None
    created_at: datetime
    expires_at: datetime
    redeemed_at: datetime | None = None
    token_id: UUID | None = None
    revoked_at: datetime | None = None
    revocation: "JsonObject | None" = None


@dataclass(frozen=True, slots=True)
class KeptInvitation:
    """All that is kept of an invitation; only what verifies it reads it.

    Attributes:
        invitation: what anybody may see of it.
        hash: the digest that the code must have.
        envelope: all of that but its end, signed.
    """

    invitation: Invitation
    hash: str
    envelope: "JsonObject | None"


SYSTEM = Principal("remit", "service", roles=("operator",))
"""Remit itself: a policy, a timer, a worker. It holds no token, and can neither issue nor vote."""
