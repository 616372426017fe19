"""Checks of a bundle about consent: what people were asked, answered, and thereby granted. Pure.

The row of a request is not signed; votes and grants are, and the policy of each decision is known.
So a request must ask for what that policy asks, a grant must rest on votes or on the policy alone,
and the log must tell of each of them, and of no other.
"""

from collections.abc import Iterator
from dataclasses import asdict

from pydantic import JsonValue

from remit.approval.rules import approvers, tally
from remit.approval.statements import verify_grant
from remit.approval.types import ApprovalRequest, Grant
from remit.audit.bundle_facts import (
    Check,
    Evaluation,
    counted,
    evaluations,
    judged,
    parsed_data,
    particulars,
    signed_votes,
    unlike_log,
)
from remit.audit.bundle_records import Asked, Evidence
from remit.base.money import parse_budget
from remit.base.wording import listed
from remit.directives.models import DirectiveRead
from remit.errors import InvalidInputError, UnverifiableError
from remit.policy.engine import approval_terms
from remit.policy.types import PolicyInput
from remit.signing.keys import Keyring
from remit.vocabulary import PolicyVerdict


def requests(evidence: Evidence) -> Check:
    """Check that people were asked what the policy of a decision asks."""
    decided = evaluations(evidence)
    asked = [one.request for one in evidence.requests]
    problems = [
        f"request {one.id} {problem}"
        for one in asked
        for problem in _of_request(one, evidence.directive, decided)
    ]
    held = [list[JsonValue](one.rules) for one in asked]
    said = [one.get("because") for one in particulars(evidence, "approval.requested")]
    problems += unlike_log("request", held, said)
    words = f"{counted(len(asked), 'request')}, as policy asks" if asked else "nobody was asked"
    return judged("requests", problems, words)


def votes(evidence: Evidence, keys: Keyring) -> Check:
    """Check that each vote was signed, is not the issuer's own, and is in the log."""
    problems: list[str] = []
    cast = [vote for asked in evidence.requests for vote in asked.votes]
    for asked in evidence.requests:
        problems += signed_votes(asked, keys)[1]
        own = {vote.voter for vote in asked.votes} & {evidence.directive.issued_by}
        if own and not asked.request.allow_self_approval:
            problems.append(f"{evidence.directive.issued_by} voted on what they issued")
    held: list[JsonValue] = [[one.voter, one.decision, one.reason] for one in cast]
    said: list[JsonValue] = [
        [event.actor, data.get("decision"), data.get("reason")]
        for event in evidence.events
        if event.type == "approval.voted"
        for data in [parsed_data(event.data)]
    ]
    problems += unlike_log("vote", held, said)
    words = f"{counted(len(cast), 'vote')}, each signed and in the log" if cast else "nobody voted"
    return judged("votes", problems, words)


def grants(evidence: Evidence, keys: Keyring) -> Check:
    """Check that each grant was signed, binds to the action, and rests on votes or policy."""
    decided = evaluations(evidence)
    asked = {one.request.id: one for one in evidence.requests}
    problems: list[str] = []
    for grant in evidence.grants:
        found = [*_of_grant(grant, evidence.directive, keys)]
        if grant.request_id is None:
            found += _by_policy(grant, decided)
        elif grant.request_id in asked:
            found += _by_people(grant, asked[grant.request_id], decided, keys)
        else:
            found.append("rests on a request that is not there")
        problems += [f"grant {grant.id} {problem}" for problem in found]
    problems += _unlike_log(evidence)
    number = len(evidence.grants)
    words = f"{counted(number, 'grant')}, signed, for this action" if number else "none was issued"
    return judged("grants", problems, words)


def is_signed(grant: Grant, keys: Keyring) -> bool:
    """Return whether a key that is trusted signed this very grant."""
    try:
        verify_grant(grant, keys)
    except UnverifiableError:
        return False
    return True


def _of_request(
    request: ApprovalRequest, directive: DirectiveRead, decided: list[Evaluation]
) -> Iterator[str]:
    """Yield what is wrong with a request."""
    if request.directive_id != directive.id or request.action_digest != directive.action_digest:
        yield "asks about another action"
    wanted = (request.policy_version, request.policy_digest, request.rules)
    asking = [
        one
        for one in decided
        if one.verdict is PolicyVerdict.REQUIRE_APPROVAL
        and (one.policy.version, one.policy_digest, one.approval_reasons) == wanted
    ]
    if not asking:
        yield "follows from no decision of the gate"
        return
    seen = PolicyInput(asking[0].intent, request.action_digest)
    terms = asdict(approval_terms(seen, asking[0].policy))
    changed = [name for name, wanted in terms.items() if getattr(request, name) != wanted]
    if changed:
        yield f"asks for something else than policy does: {listed(changed, 'and')}"


def _of_grant(grant: Grant, directive: DirectiveRead, keys: Keyring) -> Iterator[str]:
    """Yield what is wrong with a grant, whoever allowed it."""
    try:
        verify_grant(grant, keys)
    except UnverifiableError as error:
        yield f"does not verify: {error}"
    if grant.directive_id != directive.id or grant.action_digest != directive.action_digest:
        yield "is for another action"
    if grant.module != directive.type:
        yield f"is for the module {grant.module}"
    try:
        budget = None if directive.budget is None else parse_budget(directive.budget)
    except InvalidInputError:
        yield "stands on a budget that cannot be read"
    else:
        if grant.budget != budget:
            yield "promises another amount than the budget"


def _by_policy(grant: Grant, decided: list[Evaluation]) -> Iterator[str]:
    """Yield what is wrong with a grant for which nobody was asked."""
    allowing = {one.policy_digest for one in decided if one.verdict is PolicyVerdict.ALLOW}
    if grant.policy_digest not in allowing:
        yield "follows from no decision of the gate"
    if grant.votes or grant.required_approvals:
        yield "speaks of votes, and nobody was asked"


def _by_people(
    grant: Grant, asked: Asked, decided: list[Evaluation], keys: Keyring
) -> Iterator[str]:
    """Yield what is wrong with a grant that people gave."""
    request, signed = asked.request, signed_votes(asked, keys)[0]
    bound = (grant.action_digest, grant.policy_digest, grant.required_approvals)
    if bound != (request.action_digest, request.policy_digest, request.required_approvals):
        yield "is not what its request asks for"
    if grant.policy_digest not in {one.policy_digest for one in decided}:
        yield "follows from no decision of the gate"
    if len(set(grant.votes)) != len(grant.votes):
        yield "counts a person twice"
    strangers = [name for name in grant.votes if name not in approvers(signed)]
    if strangers:
        yield f"names {listed(strangers, 'and')}, without a signed approval"
    if len(set(grant.votes)) < max(grant.required_approvals, 1):
        yield "has too few votes"
    if tally(request, signed) != "approved":
        yield "stands against the votes"


def _unlike_log(evidence: Evidence) -> list[str]:
    """Return in what the grants and the log differ."""
    held: list[JsonValue] = [
        "policy" if one.request_id is None else list[JsonValue](one.votes)
        for one in evidence.grants
    ]
    said = [one.get("by") for one in particulars(evidence, "grant.issued")]
    # The log may tell of more: a grant that is void already stays so, for its first reason.
    void = [one.void_reason for one in evidence.grants if one.voided_at is not None]
    told = {one.get("reason") for one in particulars(evidence, "grant.voided")}
    untold = [reason for reason in void if reason not in told]
    return unlike_log("grant", held, said) + [
        f"the log does not tell that a grant was voided: {reason}" for reason in untold
    ]
