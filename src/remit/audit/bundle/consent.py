"""Checks of a bundle about consent: what the gate decided, and people were asked and granted. Pure.

Every decision is made again from its stored input. The row of a request is not signed; votes and
grants are. So a request must ask for what the policy of a decision asks, a grant must rest on votes
or on the policy alone, and the log must tell of each of them, and of no other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from pydantic import JsonValue

from remit.approval.rules import approvers, tally
from remit.approval.statements import verify_grant
from remit.approval.types import ApprovalRequest, Grant
from remit.artifacts.types import Artifact
from remit.audit.bundle.facts import (
    Check,
    StoredDecision,
    counted,
    decisions_of,
    judged,
    of_type,
    particulars,
    read_decision,
    same,
    signed_votes,
    unlike_log,
)
from remit.audit.bundle.types import Asked, Bundle
from remit.audit.chain import parsed_data
from remit.base.money import parse_budget
from remit.base.wording import listed
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import InvalidInputError, UnverifiableError
from remit.policy.engine import approval_terms, decide
from remit.policy.types import CHANGED_CONTENT, PolicyInput, PolicyResult, combine
from remit.signing.keys import Keyring
from remit.vocabulary import PolicyVerdict


def decisions(bundle: Bundle) -> Check:
    """Check that each decision of the gate comes out again, and that the log tells of it."""
    made = of_type(bundle, "policy_evaluation")
    problems = [
        f"the decision {one.id} {problem}"
        for one in made
        for problem in _of_decision(one, bundle.directive)
    ]
    held: list[JsonValue] = [
        [one.uri, one.metadata.get("verdict"), one.metadata.get("policy_digest")] for one in made
    ]
    logged: list[JsonValue] = [
        [data.get("artifact"), data.get("verdict"), data.get("policy_digest")]
        for data in particulars(bundle, "policy.evaluated")
    ]
    problems += unlike_log("decision", held, logged)
    words = f"{counted(len(made), 'decision')}, made again with the same result"
    return judged("decisions", problems, words if made else "none was made")


def _of_decision(artifact: Artifact, directive: DirectiveRead) -> Iterator[str]:
    stored = read_decision(artifact)
    if stored is None:
        yield "cannot be read"
        return
    if stored.policy.digest != stored.policy_digest:
        yield "was made by another policy than it says"
    if action_digest(stored.intent) != stored.action_digest:
        yield "is about another action than it says"
    if not same(stored.intent, dict(intent_of(directive))):
        yield "is about other content than the directive has"
    seen = PolicyInput(stored.intent, stored.action_digest, stored.committed, stored.announced)
    again = list(decide(seen, stored.policy).results)
    if stored.action_digest != directive.action_digest:
        # The gate knows the digest that the content was frozen with, which no policy sees.
        again.append(CHANGED_CONTENT)
    if stored.verdict is not combine(again) or _outline(stored.results) != _outline(again):
        yield f"comes out otherwise when it is made again: {combine(again).value}"


def _outline(results: Iterable[PolicyResult]) -> list[tuple[str, ...]]:
    """Return what was found, by whom, and why; of changed content the gate's words may differ."""
    return [
        (one.policy, one.verdict, "" if one.policy == CHANGED_CONTENT.policy else one.reason)
        for one in results
    ]


def requests(bundle: Bundle) -> Check:
    """Check that people were asked what the policy of a decision asks."""
    decided = decisions_of(bundle)
    asked = [one.request for one in bundle.requests]
    problems = [
        f"request {one.id} {problem}"
        for one in asked
        for problem in _of_request(one, bundle.directive, decided)
    ]
    held = [list[JsonValue](one.rules) for one in asked]
    logged = [one.get("because") for one in particulars(bundle, "approval.requested")]
    problems += unlike_log("request", held, logged)
    words = f"{counted(len(asked), 'request')}, as policy asks" if asked else "nobody was asked"
    return judged("requests", problems, words)


def _of_request(
    request: ApprovalRequest, directive: DirectiveRead, decided: list[StoredDecision]
) -> Iterator[str]:
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
    changed = [name for name, value in terms.items() if getattr(request, name) != value]
    if changed:
        yield f"asks for something else than policy does: {listed(changed, 'and')}"


def votes(bundle: Bundle, keys: Keyring) -> Check:
    """Check that each vote was signed, is not the issuer's own, and is in the log."""
    problems: list[str] = []
    cast = [vote for asked in bundle.requests for vote in asked.votes]
    issuer = bundle.directive.issued_by
    for asked in bundle.requests:
        problems += signed_votes(asked, keys)[1]
        is_own = issuer in {vote.voter for vote in asked.votes}
        if is_own and not asked.request.allow_self_approval:
            problems.append(f"{issuer} voted on what they issued")
    held: list[JsonValue] = [[one.voter, one.decision, one.reason] for one in cast]
    logged: list[JsonValue] = [
        [event.actor, data.get("decision"), data.get("reason")]
        for event in bundle.events
        if event.type == "approval.voted"
        for data in [parsed_data(event.data)]
    ]
    problems += unlike_log("vote", held, logged)
    words = f"{counted(len(cast), 'vote')}, each signed and in the log" if cast else "nobody voted"
    return judged("votes", problems, words)


def grants(bundle: Bundle, keys: Keyring) -> Check:
    """Check that each grant was signed, binds to the action, and rests on votes or policy."""
    decided = decisions_of(bundle)
    asked = {one.request.id: one for one in bundle.requests}
    problems: list[str] = []
    for grant in bundle.grants:
        found = [*_of_grant(grant, bundle.directive, keys)]
        if grant.request_id is None:
            found += _by_policy(grant, decided)
        elif grant.request_id in asked:
            found += _by_people(grant, asked[grant.request_id], decided, keys)
        else:
            found.append("rests on a request that is not there")
        problems += [f"grant {grant.id} {problem}" for problem in found]
    problems += _unlike_log(bundle)
    number = len(bundle.grants)
    words = f"{counted(number, 'grant')}, signed, for this action" if number else "none was issued"
    return judged("grants", problems, words)


def is_signed(grant: Grant, keys: Keyring) -> bool:
    """Return whether a key that is trusted signed this very grant."""
    try:
        verify_grant(grant, keys)
    except UnverifiableError:
        return False
    return True


def _of_grant(grant: Grant, directive: DirectiveRead, keys: Keyring) -> Iterator[str]:
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


def _by_policy(grant: Grant, decided: list[StoredDecision]) -> Iterator[str]:
    allowing = {one.policy_digest for one in decided if one.verdict is PolicyVerdict.ALLOW}
    if grant.policy_digest not in allowing:
        yield "follows from no decision of the gate"
    if grant.votes or grant.required_approvals:
        yield "speaks of votes, and nobody was asked"


def _by_people(
    grant: Grant, asked: Asked, decided: list[StoredDecision], keys: Keyring
) -> Iterator[str]:
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


def _unlike_log(bundle: Bundle) -> list[str]:
    held: list[JsonValue] = [
        "policy" if one.request_id is None else list[JsonValue](one.votes) for one in bundle.grants
    ]
    logged = [one.get("by") for one in particulars(bundle, "grant.issued")]
    # The log may tell of more: a grant that is void already stays so, for its first reason.
    void = [one.void_reason for one in bundle.grants if one.voided_at is not None]
    voided = {one.get("reason") for one in particulars(bundle, "grant.voided")}
    return unlike_log("grant", held, logged) + [
        f"the log does not tell that a grant was voided: {reason}"
        for reason in void
        if reason not in voided
    ]
