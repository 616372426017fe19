"""Checks of a bundle about those who voted: who they were, and in whose hands their tokens. Pure.

A vote says what its voter was when they cast it, and with which token; both are signed with it. The
bundle holds the tokens, and those that they were made with, as they were signed when they were
made, and the principals as they were signed last. All of it must agree, and by it each grant must
rest on as many people as policy asks for.
"""

from collections.abc import Iterator, Mapping

from remit.approval.independence import hands_of
from remit.approval.rules import approvers, counting, tally
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.audit.bundle_facts import Check, counted, evaluations, judged, same, signed_votes
from remit.audit.bundle_installation import is_before
from remit.audit.bundle_people import kept_token, principal_row
from remit.audit.bundle_records import Asked, Evidence, Token
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import UnverifiableError
from remit.identity.statements import verify_principal, verify_revocation, verify_token
from remit.identity.types import TokenRow
from remit.policy.engine import token_terms
from remit.signing.keys import Keyring


def voters(evidence: Evidence, keys: Keyring) -> Check:
    """Check that each vote is of a person who could cast it, and each grant of enough of them."""
    problems = [*_unsigned_people(evidence, keys), *_unsigned_tokens(evidence, keys)]
    unborne: list[str] = []
    for asked in evidence.requests:
        for vote in asked.votes:
            if is_before(evidence, vote.cast_at):
                unborne.append(f"what {vote.voter} was, and with which token they voted")
                continue
            found = _of_vote(evidence, asked.request, vote)
            problems += [f"the vote of {vote.voter} {problem}" for problem in found]
    for grant in evidence.grants:
        problems += [f"grant {grant.id} {one}" for one in _of_grant(evidence, grant, keys)]
    people = {vote.voter for asked in evidence.requests for vote in asked.votes}
    words = f"{counted(len(people), 'voter')}, each with a token of their own"
    return judged("voters", problems, words if people else "nobody voted", unborne)


def _unsigned_people(evidence: Evidence, keys: Keyring) -> Iterator[str]:
    """Yield which principals are not as they were signed."""
    for one in evidence.people:
        try:
            verify_principal(principal_row(one), keys)
        except UnverifiableError as error:
            yield f"the principal {one.name} does not verify: {error.message}"


def _unsigned_tokens(evidence: Evidence, keys: Keyring) -> Iterator[str]:
    """Yield which tokens are not as they were signed, or were revoked by other means."""
    for one in evidence.tokens:
        kept = kept_token(one)
        try:
            verify_token(kept, keys)
            verify_revocation(kept.row, keys)
        except UnverifiableError as error:
            yield f"the token {one.id} of {one.principal} does not verify: {error.message}"


def _of_vote(evidence: Evidence, request: ApprovalRequest, vote: Vote) -> Iterator[str]:
    """Yield what is wrong with who cast a vote, and with which token."""
    person = next((one for one in evidence.people if one.name == vote.voter), None)
    if person is None:
        yield "is of somebody who is not known"
        return
    standing = vote.standing or {}
    fixed: JsonObject = {"kind": person.kind, "acts_for": person.acts_for}
    wrong = [name for name, value in fixed.items() if not same(standing.get(name), value)]
    if wrong:
        yield f"says that they are what they are not: {listed(wrong, 'and')}"
    if person.kind != "human":
        yield "is not that of a person"
    groups = standing.get("groups")
    belongs = set(map(str, groups)) if isinstance(groups, list) else set()
    if request.approver_groups and not belongs & set(request.approver_groups):
        yield "is of nobody whom the request asks"
    if not request.allow_self_approval and vote.voter in issuers(evidence):
        yield "is of whom the directive was issued for"
    yield from _of_token(evidence, vote, standing)


def _of_token(evidence: Evidence, vote: Vote, standing: JsonObject) -> Iterator[str]:
    """Yield what is wrong with the token of a vote."""
    token = next((one for one in evidence.tokens if one.id == vote.token_id), None)
    if token is None:
        yield "was cast with no token that is there"
        return
    if token.principal != vote.voter:
        yield f"was cast with a token of {token.principal}"
    if not token.created_at <= vote.cast_at < token.expires_at:
        yield "was cast when its token did not hold"
    known = {one.id: _row(one) for one in evidence.tokens if one.created_at <= vote.cast_at}
    made: JsonObject = {
        "made_by": token.created_by,
        "made_with": None if token.created_with is None else str(token.created_with),
        "redeemed": token.redeemed,
        "hands": [*hands_of(_row(token), known)],
    }
    wrong = [name for name, value in made.items() if not same(standing.get(name), value)]
    if wrong:
        yield f"says otherwise than there is how its token was made: {listed(wrong, 'and')}"


def _of_grant(evidence: Evidence, grant: Grant, keys: Keyring) -> Iterator[str]:
    """Yield why a grant does not rest on as many people as policy asks for."""
    asked = next((one for one in evidence.requests if one.request.id == grant.request_id), None)
    terms = [
        token_terms(one.policy)
        for one in evaluations(evidence)
        if one.policy_digest == grant.policy_digest
    ]
    if asked is None or not terms or _any_before(evidence, asked):
        return
    signed = [vote for vote in signed_votes(asked, keys)[0] if vote.cast_at <= grant.issued_at]
    spoiled = sorted({one.voter for one in signed if _is_spoiled(evidence, one)} & {*grant.votes})
    if spoiled and grant.voided_at is None:
        yield f"counts {listed(spoiled, 'and')}, with a token that is revoked since before it"
        return
    counted_votes = counting(asked.request, signed, terms[0], issuers(evidence))
    short = sorted({*grant.votes} - {*approvers(counted_votes)})
    if short:
        yield f"counts {listed(short, 'and')}, whom policy does not, for the token they voted with"
    elif tally(asked.request, counted_votes) != "approved":
        yield "rests on fewer people than it names"


def _is_spoiled(evidence: Evidence, vote: Vote) -> bool:
    """Return whether nothing counts that was done with the token of an approval at that time."""
    ends = [
        one.revoked_since or one.revoked_at for one in evidence.tokens if one.id == vote.token_id
    ]
    return vote.decision == "approve" and any(
        end is not None and end <= vote.cast_at for end in ends
    )


def _any_before(evidence: Evidence, asked: Asked) -> bool:
    return any(is_before(evidence, vote.cast_at) for vote in asked.votes)


def issuers(evidence: Evidence) -> tuple[str, ...]:
    """Return who issued the directive, for whom they act, for whom those act, and so on."""
    behind: Mapping[str, str | None] = {one.name: one.acts_for for one in evidence.people}
    found: list[str] = [evidence.directive.issued_by]
    while (name := behind.get(found[-1])) is not None and name not in found:
        found.append(name)
    return tuple(found)


def _row(token: Token) -> TokenRow:
    return kept_token(token).row
