"""Votes that count as so many people come from at least as many: rules and small worlds."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approval.independence import hands, hands_of, standing_of
from remit.approval.rules import approvers, counting, token_objection
from remit.approval.types import Vote
from remit.identity.types import Principal, TokenRow
from remit.policy.config import ApprovalPolicy
from tests.unit.approval.asking import NOON, request, vote

ASKED = request(required_approvals=2)
INDEPENDENT = ApprovalPolicy(independent_tokens=True, redeemed_tokens=False)
REDEEMED = ApprovalPolicy(independent_tokens=False, redeemed_tokens=True)
NEITHER = ApprovalPolicy(independent_tokens=False, redeemed_tokens=False)
BOTH = ApprovalPolicy(independent_tokens=True, redeemed_tokens=True)


def token(number: int, owner: str, by: str = "remit", with_: int | None = None) -> TokenRow:
    """Return a token, by default one that Remit made."""
    made_with = None if with_ is None else UUID(int=with_)
    return TokenRow(UUID(int=number), owner, (), by, NOON, NOON, None, created_with=made_with)


def world(*tokens: TokenRow) -> Mapping[UUID, TokenRow]:
    return {one.id: one for one in tokens}


def approval(row: TokenRow, known: Mapping[UUID, TokenRow], at: int = 0) -> Vote:
    """Return an approval that is cast with a token."""
    standing = standing_of(Principal(row.principal, "human"), row, known, None)
    return replace(vote(row.principal, at=at), token_id=row.id, standing=standing)


ADMIN = token(1, "admin")
ADA = token(2, "ada", "admin", 1)
GRACE = token(3, "grace", "admin", 1)
OWN = replace(token(4, "grace", "admin", 1), redeemed=True)
# Made with ada's token, which the admin has seen.
HEIR = token(5, "heir", "ada", 2)
# Made before it was noted with which token: with any of the maker's.
OLD = token(6, "old", "ada")
ALL = world(ADMIN, ADA, GRACE, OWN, HEIR, OLD)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ADMIN, ["admin"]),
        (ADA, ["ada", "admin"]),
        (OWN, ["grace"]),
        (HEIR, ["ada", "admin", "heir"]),
        (OLD, ["ada", "admin", "old"]),
        (token(7, "lost", "ada", 99), ["ada", "admin", "lost"]),
    ],
)
def test_a_token_is_in_the_hands_of_its_owner_and_of_whoever_may_have_made_it(
    row: TokenRow, found: list[str]
) -> None:
    assert list(hands_of(row, ALL)) == found


def test_a_token_that_was_made_with_itself_ends_the_line() -> None:
    odd = token(8, "odd", "odd", 8)
    assert hands_of(odd, world(odd)) == ("odd",)


TWO = "`remit token invite grace` gets them one that nobody else has seen"
BESIDE: list[tuple[list[TokenRow], TokenRow, str | None]] = [
    ([], ADA, None),
    ([ADA], OWN, None),
    ([ADMIN], OWN, None),
    (
        [ADA],
        GRACE,
        f"admin made the token of grace, and so grace and ada count as one person; {TWO}",
    ),
    (
        [ADMIN],
        GRACE,
        f"admin made the token of grace, and so grace and admin count as one person; {TWO}",
    ),
    (
        [ADMIN],
        HEIR,
        (
            "admin may have the token of heir, and so heir and admin count as one person; "
            "`remit token invite heir` gets them one that nobody else has seen"
        ),
    ),
    # The admin's own vote takes the place of one that they could have cast.
    ([GRACE], ADMIN, None),
]


@pytest.mark.parametrize(("cast", "row", "problem"), BESIDE)
def test_a_vote_that_adds_nobody_is_refused_with_whose_token_it_is_and_the_fix(
    cast: list[TokenRow], row: TokenRow, problem: str | None
) -> None:
    others = [approval(one, ALL, at=at) for at, one in enumerate(cast)]
    new = approval(row, ALL, at=9)
    assert token_objection(ASKED, new, others, INDEPENDENT, ["agent-1"]) == problem
    assert token_objection(ASKED, new, others, NEITHER, ["agent-1"]) is None


def test_nobody_approves_with_a_token_that_the_issuer_made() -> None:
    made = "admin made the token of ada, and policy does not allow self-approval; "
    said = token_objection(ASKED, approval(ADA, ALL), [], INDEPENDENT, ["agent-1", "admin"])
    assert said == made + "`remit token invite ada` gets them one that nobody else has seen"
    allowing = request(allow_self_approval=True)
    assert token_objection(allowing, approval(ADA, ALL), [], INDEPENDENT, ["admin"]) is None
    assert token_objection(ASKED, approval(OWN, ALL), [], INDEPENDENT, ["admin"]) is None


def test_where_tokens_must_be_redeemed_no_other_one_counts() -> None:
    for row in (ADMIN, ADA, HEIR):
        said = token_objection(ASKED, approval(row, ALL), [], REDEEMED, ())
        assert said is not None
        assert said.startswith(f"the token of {row.principal} was not made of an invitation; ")
    assert token_objection(ASKED, approval(OWN, ALL), [], REDEEMED, ()) is None
    assert counting(ASKED, [approval(ADA, ALL), approval(OWN, ALL, 1)], REDEEMED, ()) == [
        approval(OWN, ALL, 1)
    ]


@pytest.mark.parametrize(
    "standing", [None, {}, {"hands": "ada"}, {"hands": []}, {"hands": ["grace"]}], ids=str
)
def test_a_vote_that_does_not_say_who_could_have_cast_it_counts_for_nobody(standing: Any) -> None:
    unknown = replace(approval(ADA, ALL), standing=standing)
    assert hands(unknown) is None
    assert counting(ASKED, [unknown], INDEPENDENT, ()) == []
    assert counting(ASKED, [unknown], NEITHER, ()) == [unknown]
    said = token_objection(ASKED, unknown, [], INDEPENDENT, ())
    assert said is not None
    assert said.startswith("it is not known who made the token of ada; ")


def test_a_rejection_counts_whoever_may_have_cast_it() -> None:
    no = replace(approval(ADA, ALL), decision="reject", standing=None)
    assert counting(ASKED, [no], BOTH, ["ada"]) == [no]


def test_of_votes_that_one_hand_could_have_cast_the_own_one_counts_and_of_equals_the_earlier() -> (
    None
):
    votes = [approval(ADA, ALL, 0), approval(ADMIN, ALL, 1), approval(GRACE, ALL, 2)]
    assert approvers(counting(ASKED, votes, INDEPENDENT, ())) == ["admin"]
    assert approvers(counting(ASKED, [votes[0], votes[2]], INDEPENDENT, ())) == ["ada"]


NAMES = ("a", "b", "c", "d", "e")


@st.composite
def worlds(draw: st.DrawFn) -> Mapping[UUID, TokenRow]:
    """Return some tokens, each made by Remit, of an invitation, or with an earlier one."""
    rows: list[TokenRow] = []
    for number in range(draw(st.integers(1, 7))):
        owner = draw(st.sampled_from(NAMES))
        how = draw(st.sampled_from(("remit", "invitation", "token", "not noted")))
        maker = draw(st.sampled_from(rows)) if rows else None
        if maker is None or how == "remit":
            row = token(number, owner)
        else:
            with_ = None if how == "not noted" else maker.id.int
            row = token(number, owner, maker.principal, with_)
        rows.append(replace(row, redeemed=how == "invitation"))
    return world(*rows)


def reach(name: str, known: Mapping[UUID, TokenRow]) -> set[UUID]:
    """Return every token that somebody can show who keeps all that they ever see."""
    mine = {row.id for row in known.values() if row.principal == name}
    while True:
        # What a token makes is seen by whoever shows it; without a note, with any of its maker's.
        shown = {known[one].principal for one in mine}
        seen = {
            row.id
            for row in known.values()
            if not row.redeemed
            and row.created_by != "remit"
            and (row.created_with in mine or (row.created_with is None and row.created_by in shown))
        }
        if seen <= mine:
            return mine
        mine |= seen


@given(worlds(), st.sampled_from((1, -1)))
def test_votes_that_count_as_so_many_people_were_cast_by_at_least_as_many(
    known: Mapping[UUID, TokenRow], order: int
) -> None:
    rows = sorted(known.values(), key=lambda row: row.id.int * order)
    votes = [approval(row, known, at) for at, row in enumerate(rows)]
    counted = counting(ASKED, votes, INDEPENDENT, ["e"])
    shown = {name: reach(name, known) for name in NAMES}
    # Whoever conspires: fewer hands than votes that count never suffice to cast them all.
    for conspiring in combinations(NAMES, max(len(counted) - 1, 0)):
        could = set().union(*(shown[name] for name in conspiring))
        assert not counted or not {one.token_id for one in counted} <= could
    # And the issuer could have cast none of them.
    assert not {one.token_id for one in counted} & shown["e"]


@given(worlds())
def test_people_with_tokens_of_their_own_all_count(known: Mapping[UUID, TokenRow]) -> None:
    own = [replace(row, redeemed=True) for row in known.values()]
    votes = [approval(row, known, at) for at, row in enumerate(own)]
    found = approvers(counting(ASKED, votes, INDEPENDENT, ()))
    assert sorted(found) == sorted({row.principal for row in own})
