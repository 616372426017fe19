"""Who may do what. Pure: a principal and an ability in, an answer out."""

from collections.abc import Collection, Mapping

from remit.base.wording import listed
from remit.errors import ForbiddenError, InvalidInputError
from remit.identity.types import Principal
from remit.vocabulary import Ability, PrincipalKind, Role

GIVEN_BY: Mapping[Role, frozenset[Ability]] = {
    "proposer": frozenset({"propose"}),
    "approver": frozenset({"vote"}),
    "operator": frozenset({"operate"}),
    "auditor": frozenset({"audit"}),
    "admin": frozenset({"propose", "vote", "operate", "audit", "administer"}),
}
FOR_PEOPLE: frozenset[Ability] = frozenset({"vote", "administer"})
"""What only a human can ever do, whatever the roles and scopes of an agent or a service say."""


def abilities(principal: Principal) -> frozenset[Ability]:
    """Return all that `principal` may do: what its roles give, within its token's scopes."""
    found: frozenset[Ability] = frozenset().union(*(GIVEN_BY[role] for role in principal.roles))
    if principal.kind != "human":
        found -= FOR_PEOPLE
    return found if principal.scopes is None else found & frozenset(principal.scopes)


def may(principal: Principal, ability: Ability) -> bool:
    """Return whether `principal` may do what needs `ability`."""
    return ability in abilities(principal)


def require(principal: Principal, *wanted: Ability) -> None:
    """Return quietly when `principal` has one of the abilities."""
    if abilities(principal) & set(wanted):
        return
    if principal.kind != "human" and FOR_PEOPLE.issuperset(wanted):
        raise ForbiddenError(
            f"{principal.name} is {_article(principal.kind)}, and only a person may "
            f"{listed(wanted)}; ask one"
        )
    roles = [role for role, given in GIVEN_BY.items() if given & set(wanted)]
    if any(role in principal.roles for role in roles):
        raise ForbiddenError(
            f"the token of {principal.name} does not cover {listed(wanted)}; use one that does"
        )
    raise ForbiddenError(
        f"{principal.name} may not {listed(wanted)}: that needs the role {listed(roles)}"
    )


def check_roles(kind: PrincipalKind, roles: Collection[Role]) -> None:
    """Return quietly when roles can be given to what is of this kind."""
    for_people = [role for role, given in GIVEN_BY.items() if given & FOR_PEOPLE]
    refused = [role for role in for_people if role in roles]
    if kind != "human" and refused:
        others = [role for role in GIVEN_BY if role not in for_people]
        raise InvalidInputError(
            f"{listed(refused, 'and')}: only for people, since {_article(kind)} can never "
            f"{listed(sorted(FOR_PEOPLE, reverse=True))}; say {listed(others)}",
            field="role",
        )


def require_own(principal: Principal, issued_by: str) -> None:
    """Return quietly when `principal` may steer a directive: its issuer may, and an operator."""
    if principal.name == issued_by:
        require(principal, "propose", "operate")
    else:
        require(principal, "operate")


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "agent" else f"a {kind}"
