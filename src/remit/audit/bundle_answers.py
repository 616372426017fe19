"""Checks of a bundle about answers: nothing that people said was left out or turned round. Pure.

Each vote names the one before it on its request, and a grant names every answer to its request and
every earlier request of the directive with its answers. So a rejection that somebody cut out is
missed by what was signed later. Nobody signs the status of a request: it follows from what was
signed, and from the log.
"""

from collections.abc import Iterator

from remit.approval.answers import Answered, heard_problems, in_line, line_problems
from remit.approval.rules import possible_statuses
from remit.approval.types import ApprovalRequest, Grant
from remit.audit.bundle_consent import is_signed
from remit.audit.bundle_facts import Check, counted, evaluations, judged, parsed_data, signed_votes
from remit.audit.bundle_installation import is_before
from remit.audit.bundle_records import Evidence
from remit.audit.chain import Event
from remit.signing.keys import Keyring


def answers(evidence: Evidence, keys: Keyring) -> Check:
    """Check that votes, grants and requests leave no answer out, and follow from one another."""
    answered: list[Answered] = [
        (asked.request, signed_votes(asked, keys)[0]) for asked in evidence.requests
    ]
    problems: list[str] = []
    for request, votes in answered:
        found = [*line_problems(votes), *_of_status(evidence, request, answered, keys)]
        if len(in_line(votes)) < len(votes):
            found.append("a vote that was cast once stands there twice")
        problems += [f"request {request.id}: {problem}" for problem in found]
    unborne: list[str] = []
    for grant in evidence.grants:
        if is_before(evidence, grant.issued_at):
            if evidence.requests:
                unborne.append(f"what was answered before grant {grant.id}: it does not say")
        elif is_signed(grant, keys):
            problems += [f"grant {grant.id} {one}" for one in _of_grant(grant, answered)]
    number = sum(len(asked.votes) for asked in evidence.requests)
    words = f"{counted(number, 'answer')}, and none is missed by what was signed later"
    return judged("answers", problems, words if number else "nobody answered", unborne)


def _of_grant(grant: Grant, answered: list[Answered]) -> list[str]:
    """Return in what a grant differs from what had been answered before it."""
    own = [votes for request, votes in answered if request.id == grant.request_id]
    earlier = [
        (request, votes)
        for request, votes in answered
        if request.id != grant.request_id and request.requested_at <= grant.issued_at
    ]
    return heard_problems(grant, own[0] if own else (), earlier)


def _of_status(
    evidence: Evidence, request: ApprovalRequest, answered: list[Answered], keys: Keyring
) -> Iterator[str]:
    """Yield in what a request's row differs from what was signed, and from the log."""
    grants = [
        one for one in evidence.grants if one.request_id == request.id and is_signed(one, keys)
    ]
    votes = next(votes for one, votes in answered if one.id == request.id)
    granted = {one.id for one in grants}
    can_be = possible_statuses(
        request,
        votes,
        grants,
        started=any(run.grant_id in granted for run in evidence.runs),
        at=evidence.exported_at,
    )
    told = _told(evidence, request, {str(one) for one in granted})
    if request.status not in can_be:
        yield f"it is {request.status}, which does not follow from what was signed"
    elif told not in {None, request.status}:
        yield f"it is {request.status}, and the log says {told}"
    terms = [
        one.policy.approval.expires_after
        for one in evaluations(evidence)
        if one.policy_digest == request.policy_digest
    ]
    if terms and request.expires_at - request.requested_at != terms[0]:
        yield "it waits for another time than policy lets it"


def _told(evidence: Evidence, request: ApprovalRequest, granted: set[str]) -> str | None:
    """Return the status of a request by the log; None: the log does not tell of it."""
    place = [one.request.id for one in evidence.requests].index(request.id)
    asked = [event for event in evidence.events if event.type == "approval.requested"]
    if place >= len(asked):
        return None
    until = asked[place + 1].seq if place + 1 < len(asked) else len(evidence.events) + 1
    status = "pending"
    for event in evidence.events:
        if asked[place].seq < event.seq < until:
            status = _after(status, event, granted)
    return status


def _after(status: str, event: Event, granted: set[str]) -> str:
    """Return the status of a request after one more event."""
    data = parsed_data(event.data)
    if event.type == "approval.resolved":
        return str(data.get("outcome"))
    if event.type == "grant.consumed" and data.get("grant") in granted:
        return "consumed"
    if event.type == "grant.voided" and status == "approved":
        return "canceled" if data.get("reason") == "canceled" else "invalidated"
    return status
