"""Checks of a bundle about who voted: every answer is there, and each a person's own. Pure.

Each vote names the one before it on its request, and a grant names every answer to its request and
every earlier request of the directive with its answers. So a rejection that somebody cut out is
missed by what was signed later. Nobody signs the status of a request: it follows from what was
signed, and from the log.

A vote says what its voter was when they cast it, and with which token; both are signed with it. The
bundle holds the tokens, and those that they were made with, as they were signed when they were
made, and the principals as they were signed last. By all of it each grant must rest on as many
people as policy asks for.
"""

from collections.abc import Iterator, Mapping, Sequence

from remit.approval.answers import Answered, heard_problems, in_line, line_problems
from remit.approval.independence import hands_of
from remit.approval.rules import approvers, counting, possible_statuses, tally
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.audit.bundle.consent import is_signed
from remit.audit.bundle.facts import (
    Check,
    counted,
    decisions_of,
    judged,
    kept_token,
    principal_row,
    same,
    signed_votes,
)
from remit.audit.bundle.origin import is_before
from remit.audit.bundle.types import Bundle
from remit.audit.chain import Event, parsed_data
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import UnverifiableError
from remit.identity.statements import verify_principal, verify_revocation, verify_token
from remit.signing.keys import Keyring


def answers(bundle: Bundle, keys: Keyring) -> Check:
    """Check that votes, grants and requests leave no answer out, and follow from one another."""
    answered: list[Answered] = [
        (asked.request, signed_votes(asked, keys)[0]) for asked in bundle.requests
    ]
    problems: list[str] = []
    for request, votes in answered:
        found = [*line_problems(votes), *_of_status(bundle, request, votes, keys)]
        if len(in_line(votes)) < len(votes):
            found.append("a vote that was cast once stands there twice")
        problems += [f"request {request.id}: {problem}" for problem in found]
    unborne: list[str] = []
    for grant in bundle.grants:
        if is_before(bundle, grant.issued_at):
            if bundle.requests:
                unborne.append(f"what was answered before grant {grant.id}: it does not say")
        elif is_signed(grant, keys):
            problems += [f"grant {grant.id} {one}" for one in _unheard(grant, answered)]
    number = sum(len(asked.votes) for asked in bundle.requests)
    words = f"{counted(number, 'answer')}, and none is missed by what was signed later"
    return judged("answers", problems, words if number else "nobody answered", unborne)


def _unheard(grant: Grant, answered: list[Answered]) -> list[str]:
    own = [votes for request, votes in answered if request.id == grant.request_id]
    earlier = [
        (request, votes)
        for request, votes in answered
        if request.id != grant.request_id and request.requested_at <= grant.issued_at
    ]
    return heard_problems(grant, own[0] if own else (), earlier)


def _of_status(
    bundle: Bundle, request: ApprovalRequest, votes: Sequence[Vote], keys: Keyring
) -> Iterator[str]:
    grants = [one for one in bundle.grants if one.request_id == request.id and is_signed(one, keys)]
    granted = {one.id for one in grants}
    can_be = possible_statuses(
        request,
        votes,
        grants,
        started=any(run.grant_id in granted for run in bundle.runs),
        at=bundle.exported_at,
    )
    logged = _logged_status(bundle, request, {str(one) for one in granted})
    if request.status not in can_be:
        yield f"it is {request.status}, which does not follow from what was signed"
    elif logged not in {None, request.status}:
        yield f"it is {request.status}, and the log says {logged}"
    terms = [
        one.policy.approval.expires_after
        for one in decisions_of(bundle)
        if one.policy_digest == request.policy_digest
    ]
    if terms and request.expires_at - request.requested_at != terms[0]:
        yield "it waits for another time than policy lets it"


def _logged_status(bundle: Bundle, request: ApprovalRequest, granted: set[str]) -> str | None:
    """Return the status of a request by the log; None: the log does not tell of it."""
    place = [one.request.id for one in bundle.requests].index(request.id)
    asked = [event for event in bundle.events if event.type == "approval.requested"]
    if place >= len(asked):
        return None
    until = asked[place + 1].seq if place + 1 < len(asked) else len(bundle.events) + 1
    status = "pending"
    for event in bundle.events:
        if asked[place].seq < event.seq < until:
            status = _after(status, event, granted)
    return status


def _after(status: str, event: Event, granted: set[str]) -> str:
    data = parsed_data(event.data)
    if event.type == "approval.resolved":
        return str(data.get("outcome"))
    if event.type == "grant.consumed" and data.get("grant") in granted:
        return "consumed"
    if event.type == "grant.voided" and status == "approved":
        return "canceled" if data.get("reason") == "canceled" else "invalidated"
    return status


def voters(bundle: Bundle, keys: Keyring) -> Check:
    """Check that each vote is of a person who could cast it, and each grant of enough of them."""
    problems = [*_unsigned(bundle, keys)]
    unborne: list[str] = []
    for asked in bundle.requests:
        for vote in asked.votes:
            if is_before(bundle, vote.cast_at):
                unborne.append(f"what {vote.voter} was, and with which token they voted")
                continue
            found = _of_vote(bundle, asked.request, vote)
            problems += [f"the vote of {vote.voter} {problem}" for problem in found]
    for grant in bundle.grants:
        problems += [f"grant {grant.id} {one}" for one in _too_few(bundle, grant, keys)]
    people = {vote.voter for asked in bundle.requests for vote in asked.votes}
    words = f"{counted(len(people), 'voter')}, each with a token of their own"
    return judged("voters", problems, words if people else "nobody voted", unborne)


def _unsigned(bundle: Bundle, keys: Keyring) -> Iterator[str]:
    for person in bundle.people:
        try:
            verify_principal(principal_row(person), keys)
        except UnverifiableError as error:
            yield f"the principal {person.name} does not verify: {error.message}"
    for token in bundle.tokens:
        kept = kept_token(token)
        try:
            verify_token(kept, keys)
            verify_revocation(kept.row, keys)
        except UnverifiableError as error:
            yield f"the token {token.id} of {token.principal} does not verify: {error.message}"


def _of_vote(bundle: Bundle, request: ApprovalRequest, vote: Vote) -> Iterator[str]:
    person = next((one for one in bundle.people if one.name == vote.voter), None)
    if person is None:
        yield "is of somebody who is not known"
        return
    standing = vote.standing or {}
    wrong = _otherwise(standing, {"kind": person.kind, "acts_for": person.acts_for})
    if wrong:
        yield f"says that they are what they are not: {wrong}"
    if person.kind != "human":
        yield "is not that of a person"
    groups = standing.get("groups")
    belongs = set(map(str, groups)) if isinstance(groups, list) else set()
    if request.approver_groups and not belongs & set(request.approver_groups):
        yield "is of nobody whom the request asks"
    if not request.allow_self_approval and vote.voter in _issuers(bundle):
        yield "is of whom the directive was issued for"
    yield from _of_token(bundle, vote, standing)


def _of_token(bundle: Bundle, vote: Vote, standing: JsonObject) -> Iterator[str]:
    token = next((one for one in bundle.tokens if one.id == vote.token_id), None)
    if token is None:
        yield "was cast with no token that is there"
        return
    if token.principal != vote.voter:
        yield f"was cast with a token of {token.principal}"
    if not token.created_at <= vote.cast_at < token.expires_at:
        yield "was cast when its token did not hold"
    known = {one.id: kept_token(one).row for one in bundle.tokens if one.created_at <= vote.cast_at}
    made: JsonObject = {
        "made_by": token.created_by,
        "made_with": None if token.created_with is None else str(token.created_with),
        "redeemed": token.redeemed,
        "hands": [*hands_of(kept_token(token).row, known)],
    }
    wrong = _otherwise(standing, made)
    if wrong:
        yield f"says otherwise than there is how its token was made: {wrong}"


def _otherwise(standing: JsonObject, there: JsonObject) -> str:
    wrong = [name for name, value in there.items() if not same(standing.get(name), value)]
    return listed(wrong, "and") if wrong else ""


def _too_few(bundle: Bundle, grant: Grant, keys: Keyring) -> Iterator[str]:
    asked = next((one for one in bundle.requests if one.request.id == grant.request_id), None)
    terms = [
        one.policy.approval
        for one in decisions_of(bundle)
        if one.policy_digest == grant.policy_digest
    ]
    if asked is None or not terms or any(is_before(bundle, one.cast_at) for one in asked.votes):
        return
    signed = [vote for vote in signed_votes(asked, keys)[0] if vote.cast_at <= grant.issued_at]
    spoiled = sorted({one.voter for one in signed if _is_spoiled(bundle, one)} & {*grant.votes})
    if spoiled and grant.voided_at is None:
        yield f"counts {listed(spoiled, 'and')}, with a token that is revoked since before it"
        return
    counted_votes = counting(asked.request, signed, terms[0], _issuers(bundle))
    short = sorted({*grant.votes} - {*approvers(counted_votes)})
    if short:
        yield f"counts {listed(short, 'and')}, whom policy does not, for the token they voted with"
    elif tally(asked.request, counted_votes) != "approved":
        yield "rests on fewer people than it names"


def _is_spoiled(bundle: Bundle, vote: Vote) -> bool:
    """Return whether nothing counts that was done with the token of an approval at that time."""
    ends = [one.revoked_since or one.revoked_at for one in bundle.tokens if one.id == vote.token_id]
    return vote.decision == "approve" and any(
        end is not None and end <= vote.cast_at for end in ends
    )


def _issuers(bundle: Bundle) -> tuple[str, ...]:
    """Return who issued the directive, for whom they act, for whom those act, and so on."""
    behind: Mapping[str, str | None] = {one.name: one.acts_for for one in bundle.people}
    found: list[str] = [bundle.directive.issued_by]
    while (name := behind.get(found[-1])) is not None and name not in found:
        found.append(name)
    return tuple(found)
