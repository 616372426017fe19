"""Edits to what a bundle says of intent and consent, each with the verdict it must get."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from remit.audit.bundle.types import Bundle
from tests.unit.audit.bundle_editing import (
    DAY,
    MINUTE,
    Edit,
    artifact,
    dated,
    event,
    first_vote,
    grant,
    log,
    of,
    request,
    telling,
    then,
    votes,
    without,
)
from tests.unit.audit.bundle_speakers import signed_first, token

OTHER = UUID(int=99)
Kind = tuple[tuple[str, ...], Edit, set[str]]
"""The lives that are edited, how, and which checks must fail: exactly these."""


def person(name: str, **changes: Any) -> Edit:
    """Return what changes the row of a principal."""
    return lambda one: replace(
        one,
        people=tuple(replace(p, **changes) if p.name == name else p for p in one.people),
    )


def token_of(name: str, **changes: Any) -> Edit:
    """Return what changes the row of somebody's token."""
    return lambda one: replace(
        one,
        tokens=tuple(replace(t, **changes) if t.principal == name else t for t in one.tokens),
    )


def cut(first: int, last: int) -> Edit:
    """Return what cuts a part out of the log, from one place up to another."""
    return log(lambda chain: [*chain[:first], *chain[last:]])


def first_request_gone(one: Bundle) -> Bundle:
    """Take the first request away, with the decision, the answers and the retry around it."""
    told = next(at for at, each in enumerate(one.events) if each.type == "directive.retried")
    made = one.artifacts[0]
    kept = tuple(each for each in one.artifacts if each.id != made.id)
    return cut(1, told + 1)(replace(one, requests=one.requests[1:], artifacts=kept))


def first_vote_gone(one: Bundle) -> Bundle:
    """Take the first vote on the last request away, with its event."""
    place = next(at for at, each in enumerate(one.events) if each.type == "approval.voted")
    return cut(place, place + 1)(votes(lambda cast: cast[1:])(one))


ANY = ("auto", "approved", "failed", "filed")
ASKED = ("approved", "retried")

INTENT: dict[str, Kind] = {
    "proposer in the log": (
        ANY,
        log(lambda chain: [replace(chain[0], actor="mallory"), *chain[1:]]),
        {"issuer"},
    ),
    "word of the issuer taken away": (ANY, lambda one: replace(one, issued=None), {"issuer"}),
    "idempotency key": (ANY, of(idempotency_key="other"), {"issuer"}),
    "objective": (("auto", "filed"), of(objective="Other."), {"action digest", "decisions"}),
    "for whom the issuer acts": (ANY, person("agent-1", acts_for=None), {"issuer", "voters"}),
    "issuer made a person": (ANY, person("agent-1", kind="human"), {"voters"}),
    "issuer unknown": (
        ("auto",),
        lambda one: replace(one, people=tuple(p for p in one.people if p.name != "agent-1")),
        {"issuer"},
    ),
    "token of the issuer": (("auto",), token_of("agent-1", principal="ada"), {"issuer", "voters"}),
    "when it was proposed": (
        ANY,
        lambda one: of(created_at=one.directive.created_at - DAY)(one),
        {"times"},
    ),
    "when its status changed": (
        ANY,
        lambda one: of(updated_at=one.directive.updated_at + MINUTE)(one),
        {"times"},
    ),
    "status": (("auto",), of(status="aborted", status_reason="canceled"), {"status", "runs"}),
    "rule of the policy": (
        ("auto",),
        artifact("policy_evaluation", verdict="block"),
        {"decisions", "grants"},
    ),
}
CONSENT: dict[str, Kind] = {
    "status of a request": (ASKED, request(status="rejected"), {"answers"}),
    "status of an earlier request": (("retried",), request(0, status="expired"), {"answers"}),
    "status of a request, in the log too": (
        ("retried",),
        then(
            request(0, status="expired"),
            log(lambda chain: [_as_expired(each) for each in chain]),
        ),
        {"answers"},
    ),
    "how long a request waits": (
        ASKED,
        lambda one: request(expires_at=one.requests[-1].request.expires_at + DAY)(one),
        {"answers"},
    ),
    "when a request was made": (
        ASKED,
        lambda one: replace(
            one,
            requests=(
                *one.requests[:-1],
                replace(
                    one.requests[-1],
                    request=dated(requested_at=-DAY, expires_at=-DAY)(one.requests[-1].request),
                ),
            ),
        ),
        {"times"},
    ),
    "how many must approve": (ASKED, request(required_approvals=1), {"requests", "grants"}),
    "whom a request asks": (ASKED, request(approver_groups=("friends",)), {"requests", "voters"}),
    "own approval": (ASKED, request(allow_self_approval=True), {"requests"}),
    "rejection cut out": (("approved",), first_vote_gone, {"answers"}),
    "earlier request cut out": (("retried",), first_request_gone, {"answers"}),
    "decision of a vote": (
        ("approved",),
        then(first_vote(decision="approve"), log(lambda chain: [_approving(e) for e in chain])),
        {"votes", "answers"},
    ),
    "reason of a vote": (
        ("approved",),
        then(first_vote(reason="gladly"), log(lambda chain: [_gladly(e) for e in chain])),
        {"votes", "answers"},
    ),
    "vote counted twice": (
        ("asked_again",),
        then(
            votes(lambda cast: [*cast, cast[-1]]),
            telling("approval.voted", {"decision": "approve", "reason": None}, actor="ada"),
        ),
        {"answers"},
    ),
    "vote in another's name": (
        ("asked_again",),
        then(first_vote(voter="grace"), event("approval.voted", actor="grace")),
        {"votes", "voters"},
    ),
    "groups of a voter": (
        ("asked_again",),
        lambda one: first_vote(standing=_with(one, groups=["x"]))(one),
        {"votes"},
    ),
    "kind of a voter": (
        ("asked_again",),
        lambda one: first_vote(standing=_with(one, kind="agent"))(one),
        {"votes", "voters"},
    ),
    "token of a vote": (("asked_again",), first_vote(token_id=OTHER), {"votes", "voters"}),
    "voter made an agent": (ASKED, person("ada", kind="agent"), {"voters"}),
    "voter shut out": (
        ASKED,
        lambda one: person("ada", disabled_at=one.exported_at)(one),
        {"voters"},
    ),
    "who made a token": (ASKED, token_of("ada", created_by="grace"), {"voters"}),
    "token said to be redeemed": (ASKED, token_of("ada", redeemed=True), {"voters"}),
    "token taken away": (
        ASKED,
        lambda one: replace(one, tokens=tuple(t for t in one.tokens if t.principal != "ada")),
        {"voters"},
    ),
    "token that had ended": (
        ASKED,
        lambda one: token_of("ada", expires_at=one.events[0].occurred_at)(one),
        {"voters"},
    ),
    "token revoked without a word": (
        ASKED,
        lambda one: token_of("ada", revoked_at=one.exported_at)(one),
        {"voters"},
    ),
    "status of a request that was turned round in the log": (
        ("retried",),
        request(0, status="invalidated"),
        {"answers"},
    ),
    "token of somebody else": (
        ASKED,
        token_of("ada", envelope=token("eve").envelope),
        {"voters"},
    ),
    "vote of the first version": (
        ("asked_again",),
        lambda one: replace(one, requests=signed_first(one).requests),
        {"votes", "voters"},
    ),
    "grant of the first version": (
        ("auto",),
        lambda one: replace(one, grants=signed_first(one).grants),
        {"grants", "no run without a grant"},
    ),
    "voters of a grant": (
        ("approved",),
        grant(votes=("ada", "mallory")),
        {"answers", "grants", "no run without a grant", "runs", "voters"},
    ),
    "end of a grant": (
        ("auto",),
        lambda one: grant(expires_at=one.grants[-1].expires_at + DAY)(one),
        {"grants", "no run without a grant"},
    ),
    "what a grant heard": (
        ("approved",),
        grant(heard=None),
        {"answers", "grants", "no run without a grant"},
    ),
    "grant void": (
        ("auto",),
        lambda one: grant(voided_at=one.exported_at, void_reason="canceled")(one),
        {"grants", "no run without a grant"},
    ),
    "grant taken away": (
        ("auto",),
        then(lambda one: replace(one, grants=()), without("grant.issued")),
        {"no run without a grant", "order"},
    ),
}


def _with(one: Bundle, **changes: Any) -> dict[str, Any]:
    return {**(one.requests[-1].votes[0].standing or {}), **changes}


def _as_expired(each: Any) -> Any:
    if each.type not in {"approval.resolved", "directive.blocked"} or "canceled" not in each.data:
        return each
    return replace(each, data=each.data.replace("canceled", "expired"))


def _approving(each: Any) -> Any:
    return replace(each, data=each.data.replace('"reject"', '"approve"'))


def _gladly(each: Any) -> Any:
    return replace(each, data=each.data.replace('"why?"', '"gladly"'))
