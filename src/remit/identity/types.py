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
        acts_for: on whose behalf it acts; None: on its own.
        scopes: the abilities that its token is limited to; None: all that its roles give.
        token: the token that was shown; None: none was, as Remit itself shows none.
        made_by: who made that token.
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

    `revision` is how often its roles or groups were set, 1 when it was made known. The envelope
    signs all of `principal` and the revision; None: somebody else wrote the row.
    """

    principal: Principal
    created_by: str
    created_at: datetime
    disabled_at: datetime | None
    revision: int
    envelope: "JsonObject | None"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is kept: all but the token, of which `id` is a part.

    Its scopes limit it to abilities; empty: all that the principal's roles give. `created_with` is
    the token that its maker showed; None: none was, or it was not noted. Who redeemed an invitation
    alone has seen it. From `revoked_since` on nothing that was done with it counts; None: from
    `revoked_at`. The revocation is signed.
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
    """All that is kept of a token, with the digest that it must have; only what verifies reads it.

    The envelope signs all of it but its end; None: somebody else wrote the row.
    """

    row: TokenRow
    hash: str
    envelope: "JsonObject | None"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an admin hands to a person, who makes a token of it: all that is kept but its digest.

    `id` is a part of the code. The token will be limited to the scopes (empty: all that the roles
    give) and good for `valid_seconds` from its redemption. The revocation is signed.
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
    """All that is kept of an invitation, with the digest that the code must have."""

    invitation: Invitation
    hash: str
    envelope: "JsonObject | None"


SYSTEM = Principal("remit", "service", roles=("operator",))
"""Remit itself: a policy, a timer, a worker. It holds no token, and can neither issue nor vote."""
