"""Whether votes are those of as many people as they name. Pure.

Whoever made a token has seen it, and can vote with it. So a token is in the hands of its owner and
of whoever made it; of whoever had made the token that its maker showed; and so on. The line ends at
a token that its owner made of an invitation, and at one that Remit itself made: nobody else has
seen those. A vote says in whose hands its token was, and this is signed with it.

Two votes are those of two people only where no hand could have cast both. So votes that count as
that many people were cast by at least as many, whoever passed for whom.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from remit.approval.types import Vote
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.identity.types import SYSTEM, Principal, TokenRow
from remit.policy.config import ApprovalPolicy


def hands_of(token: TokenRow, known: Mapping[UUID, TokenRow]) -> tuple[str, ...]:
    """Return everybody who may have a token, in the order of their names.

    `known` is every token with which it may have been made, and with which those were. Where it was
    not noted with which one, any of the maker's is meant.
    """
    found: set[str] = set()
    left, seen = [token], {token.id}
    while left:
        one = left.pop()
        found.add(one.principal)
        if one.redeemed or one.created_by == SYSTEM.name:
            continue
        found.add(one.created_by)
        makers = [
            each
            for each in known.values()
            if each.id == one.created_with
            or (one.created_with not in known and each.principal == one.created_by)
        ]
        left += [each for each in makers if each.id not in seen]
        seen |= {each.id for each in makers}
    return tuple(sorted(found))


def standing_of(
    voter: Principal, token: TokenRow, known: Mapping[UUID, TokenRow], previous: str | None
) -> JsonObject:
    """Return what a vote says of who casts it, and with which token."""
    made_with = token.created_with
    return {
        "kind": voter.kind,
        "groups": [*sorted(set(voter.groups))],
        "acts_for": voter.acts_for,
        "made_by": token.created_by,
        "made_with": None if made_with is None else str(made_with),
        "redeemed": token.redeemed,
        "hands": [*hands_of(token, known)],
        "previous": previous,
    }


def hands(vote: Vote) -> frozenset[str] | None:
    """Return everybody who could have cast a vote; None: it does not say."""
    said = None if vote.standing is None else vote.standing.get("hands")
    if not isinstance(said, list) or vote.voter not in said:
        return None
    return frozenset(str(name) for name in said)


def unfit(vote: Vote, terms: ApprovalPolicy, own: Collection[str]) -> str | None:
    """Return why an approval counts for nobody under `terms`; None: it counts for somebody."""
    standing = vote.standing or {}
    if terms.redeemed_tokens and standing.get("redeemed") is not True:
        return f"the token of {vote.voter} was not made of an invitation; {invite(vote.voter)}"
    if not terms.independent_tokens:
        return None
    held = hands(vote)
    if held is None:
        return f"it is not known who made the token of {vote.voter}; {invite(vote.voter)}"
    shared = sorted(held & set(own))
    if shared:
        return (
            f"{_made(vote, shared)}, and policy does not allow self-approval; {invite(vote.voter)}"
        )
    return None


def overlap(vote: Vote, counted: Sequence[Vote]) -> str | None:
    """Return why an approval adds nobody to those that count; None: it does."""
    for other in counted:
        shared = sorted((hands(vote) or frozenset()) & (hands(other) or frozenset()))
        if other.voter != vote.voter and shared:
            makers = [name for name in shared if name != vote.voter]
            # Where the voter alone is in both hands, it is they who made the other's token.
            made, whose = (_made(vote, makers), vote) if makers else (_made(other, shared), other)
            return (
                f"{made}, and so {vote.voter} and {other.voter} count as one person; "
                f"{invite(whose.voter)}"
            )
    return None


def independent(votes: Sequence[Vote]) -> list[Vote]:
    """Return approvals of which no hand could have cast two, in the order given.

    Those that the fewest hands could have cast come first, and of equals the earlier: so a person's
    own vote stands before that of somebody whose token they made.
    """
    chosen: list[Vote] = []
    taken: set[str] = set()
    for vote in sorted(votes, key=lambda one: (len(hands(one) or ()), one.cast_at)):
        held = hands(vote)
        if held is not None and not held & taken:
            chosen.append(vote)
            taken |= held
    return [vote for vote in votes if vote in chosen]


def invite(name: str) -> str:
    """Return how somebody gets a token that nobody else has seen."""
    return f"`remit token invite {name}` gets them one that nobody else has seen"


def _made(vote: Vote, makers: Sequence[str]) -> str:
    """Return who made the token of a vote; of a longer line, who may have it besides its owner."""
    made_by = (vote.standing or {}).get("made_by")
    if made_by in makers:
        return f"{made_by} made the token of {vote.voter}"
    return f"{listed(makers, 'and')} may have the token of {vote.voter}"
