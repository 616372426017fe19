"""Who may do what: every kind, every role, every ability, and what a token leaves of it."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import ForbiddenError, InvalidInputError
from remit.identity.rules import abilities, check_roles, may, require, require_own
from remit.identity.types import SYSTEM, Principal
from remit.vocabulary import Ability, PrincipalKind, Role

ALL = set(get_args(Ability))
PERSON: dict[Role, set[Ability]] = {
    "proposer": {"propose"},
    "approver": {"vote"},
    "operator": {"operate"},
    "auditor": {"audit"},
    "admin": {"propose", "vote", "operate", "audit", "administer"},
}
"""What each role gives a person."""

MACHINE: dict[Role, set[Ability]] = {
    "proposer": {"propose"},
    "approver": set(),
    "operator": {"operate"},
    "auditor": {"audit"},
    "admin": {"propose", "operate", "audit"},
}
"""What each role gives an agent or a service."""

TABLE: dict[PrincipalKind, dict[Role, set[Ability]]] = {
    "human": PERSON,
    "agent": MACHINE,
    "service": MACHINE,
}
CASES = [
    (kind, role, ability) for kind in TABLE for role in PERSON for ability in get_args(Ability)
]
KINDS, ROLES = st.sampled_from(get_args(PrincipalKind)), st.lists(st.sampled_from(list(PERSON)))
SCOPES = st.none() | st.lists(st.sampled_from(sorted(ALL))).map(tuple)


def one(kind: PrincipalKind = "human", *roles: Role, **changes: Any) -> Principal:
    return Principal("somebody", kind, roles=roles, **changes)


def test_the_table_has_every_kind_and_every_role() -> None:
    assert TABLE.keys() == set(get_args(PrincipalKind))
    assert PERSON.keys() == MACHINE.keys() == set(get_args(Role))


@pytest.mark.parametrize(("kind", "role", "ability"), CASES)
def test_a_role_gives_each_kind_exactly_what_the_table_says(
    kind: PrincipalKind, role: Role, ability: Ability
) -> None:
    somebody = one(kind, role)
    allowed = ability in TABLE[kind][role]
    assert may(somebody, ability) is allowed
    if allowed:
        require(somebody, ability)
        return
    with pytest.raises(ForbiddenError):
        require(somebody, ability)


def test_without_a_role_nobody_may_do_anything() -> None:
    for kind in get_args(PrincipalKind):
        assert abilities(one(kind)) == set()


@given(KINDS, ROLES, SCOPES)
def test_roles_add_up_and_scopes_only_take_away(
    kind: PrincipalKind, roles: list[Role], scopes: tuple[Ability, ...] | None
) -> None:
    given_by_roles: set[Ability] = set().union(*(TABLE[kind][role] for role in roles))
    expected = given_by_roles if scopes is None else given_by_roles & set(scopes)
    assert abilities(one(kind, *roles, scopes=scopes)) == expected


@given(st.sampled_from(["agent", "service"]), ROLES, SCOPES)
def test_no_roles_and_no_scopes_let_a_machine_vote_or_administer(
    kind: PrincipalKind, roles: list[Role], scopes: tuple[Ability, ...] | None
) -> None:
    assert abilities(one(kind, *roles, scopes=scopes)).isdisjoint({"vote", "administer"})


def test_a_token_with_no_scope_at_all_gives_nothing() -> None:
    assert abilities(one("human", "admin", scopes=())) == set()


@pytest.mark.parametrize(
    ("who", "wanted", "said"),
    [
        (
            one("agent", "approver"),
            ("vote",),
            "somebody is an agent, and only a person may vote; ask one",
        ),
        (
            one("service", "admin", scopes=("vote", "administer")),
            ("administer",),
            "somebody is a service, and only a person may administer; ask one",
        ),
        (
            one("human", "approver", scopes=("propose",)),
            ("vote",),
            "the token of somebody does not cover vote; use one that does",
        ),
        (
            one("human", "proposer"),
            ("vote",),
            "somebody may not vote: that needs the role approver or admin",
        ),
        (
            one("human", "proposer"),
            ("administer", "audit"),
            "somebody may not administer or audit: that needs the role auditor or admin",
        ),
        (
            one("agent"),
            ("propose",),
            "somebody may not propose: that needs the role proposer or admin",
        ),
        (
            one("agent", "proposer"),
            ("administer", "audit"),
            "somebody may not administer or audit: that needs the role auditor or admin",
        ),
    ],
)
def test_a_refusal_says_what_would_help(
    who: Principal, wanted: tuple[Ability, ...], said: str
) -> None:
    with pytest.raises(ForbiddenError) as caught:
        require(who, *wanted)
    assert str(caught.value) == said


def test_one_of_several_abilities_is_enough() -> None:
    require(one("human", "auditor"), "administer", "audit")


OWN: list[tuple[Principal, bool, bool]] = [
    (one("agent", "proposer"), True, False),
    (one("human", "proposer"), True, False),
    (one("human", "operator"), True, True),
    (one("service", "operator"), True, True),
    (one("human", "admin"), True, True),
    (one("human", "approver", "auditor"), False, False),
    (one("human"), False, False),
    (one("human", "proposer", scopes=("vote",)), False, False),
    (one("human", "operator", scopes=("propose",)), False, False),
    (one("human", "proposer", "operator", scopes=("propose",)), True, False),
]


@pytest.mark.parametrize(("who", "own", "others"), OWN)
def test_the_issuer_steers_their_own_directive_and_an_operator_every_one(
    who: Principal, *, own: bool, others: bool
) -> None:
    for issued_by, allowed in (("somebody", own), ("somebody-else", others)):
        if allowed:
            require_own(who, issued_by)
            continue
        with pytest.raises(ForbiddenError):
            require_own(who, issued_by)


def test_remit_itself_neither_issues_nor_votes_nor_administers() -> None:
    assert abilities(SYSTEM) == {"operate"}


@pytest.mark.parametrize("kind", get_args(PrincipalKind))
def test_roles_that_only_people_can_use_are_given_to_people_alone(kind: PrincipalKind) -> None:
    check_roles(kind, ["proposer", "operator", "auditor"])
    if kind == "human":
        check_roles(kind, list(PERSON))
        return
    for role in ("approver", "admin"):
        with pytest.raises(InvalidInputError, match=f"{role}: only for people, since an? {kind}"):
            check_roles(kind, ["proposer", role])
