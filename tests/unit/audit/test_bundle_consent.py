"""Whether people let it happen: what was changed of requests, votes and grants is found.

Whatever is changed here is signed anew with the key that is trusted, as if the database had held it
when the bundle was made. Exactly one check fails: the one that guards against it.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from remit.approval.statements import sign_vote
from tests.unit.audit.bundle_parts import (
    STRANGERS,
    at,
    entry,
)
from tests.unit.audit.bundle_tamperings import (
    OTHER,
    Life,
    Tampering,
    both,
    issuer_votes,
    unsigned,
    with_budget,
    with_event,
    with_grant,
    with_request,
    with_vote,
    without_event,
)
from tests.unit.audit.bundles import (
    CONSENT,
    done,
    failing,
    ready,
    waiting,
)

ALONE: dict[str, tuple[str, Life, Tampering, str]] = {
    "terms of a request": (
        "requests",
        waiting,
        with_request(required_approvals=1, allow_self_approval=True),
        "asks for something else than policy does: required_approvals and allow_self_approval",
    ),
    "action of a request": (
        "requests",
        waiting,
        with_request(action_digest="sha256:0"),
        "asks about another action",
    ),
    "policy of a request": (
        "requests",
        waiting,
        with_request(policy_digest="sha256:0"),
        "follows from no decision of the gate",
    ),
    "rules of a request": (
        "requests",
        waiting,
        both(
            with_request(rules=("x",)),
            with_event(2, data='{"because": ["x"]}'),
        ),
        "follows from no decision of the gate",
    ),
    "request that the log does not tell of": (
        "requests",
        waiting,
        without_event("approval.requested"),
        "the log does not tell of 1 request",
    ),
    "reason of a vote": (
        "votes",
        waiting,
        both(
            with_vote(reason="gladly"),
            with_event(3, data='{"decision": "approve", "reason": "gladly"}'),
        ),
        "the vote of ada does not verify: it is not what was signed",
    ),
    "vote that nobody signed": ("votes", waiting, with_vote(envelope=None), "was never signed"),
    "vote of another": (
        "votes",
        waiting,
        lambda one: replace(
            one,
            requests=(
                replace(
                    one.requests[0],
                    votes=(
                        sign_vote(one.requests[0].votes[0], one.requests[0].request, STRANGERS),
                    ),
                ),
            ),
        ),
        "is not trusted here",
    ),
    "vote that was removed": (
        "votes",
        waiting,
        lambda one: replace(one, requests=(replace(one.requests[0], votes=()),)),
        "the log tells of 1 vote beyond what there is",
    ),
    "vote that the log does not tell of": (
        "votes",
        waiting,
        without_event("approval.voted"),
        "the log does not tell of 1 vote",
    ),
    "own vote": ("votes", waiting, issuer_votes, "agent-1 voted on what they issued"),
    "row of a grant": ("grants", ready, unsigned(expires_at=at(99)), "does not verify: it is not"),
    "grant that nobody signed": ("grants", ready, unsigned(envelope=None), "was never signed"),
    "grant of another": (
        "grants",
        ready,
        with_grant(directive_id=OTHER),
        "is for another action",
    ),
    "action of a grant": ("grants", ready, with_grant(action_digest="x"), "is for another action"),
    "module of a grant": ("grants", ready, with_grant(module="rm"), "is for the module rm"),
    "policy of a grant": (
        "grants",
        ready,
        with_grant(policy_digest="x"),
        "follows from no decision of the gate",
    ),
    "votes out of nothing": (
        "grants",
        ready,
        with_grant(required_approvals=1),
        "speaks of votes, and nobody was asked",
    ),
    "request out of nothing": (
        "grants",
        ready,
        both(
            with_grant(request_id=OTHER),
            with_event(2, data='{"by": [], "reserved": {"daily": "12.50"}}'),
        ),
        "rests on a request that is not there",
    ),
    "amount of a grant": (
        "grants",
        ready,
        both(
            with_grant(budget=Decimal("13.00")),
            with_budget(entry("reserve", 5, amount=Decimal("13.00"))),
            with_event(2, data='{"by": "policy", "reserved": {"daily": "13.00"}}'),
        ),
        "promises another amount than the budget",
    ),
    "required of a grant": (
        "grants",
        done,
        with_grant(required_approvals=1),
        "is not what its request asks for",
    ),
    "expiry of a request's grant": (
        "grants",
        done,
        with_event(7, data='{"by": ["ada"], "reserved": {"daily": "12.50"}}'),
        "the log does not tell of 1 grant; the log tells of 1 grant beyond what there is",
    ),
    "void grant that the log does not tell of": (
        "grants",
        ready,
        both(
            unsigned(voided_at=at(8), void_reason="canceled"),
            with_budget(entry("reserve", 5), entry("release", 8)),
        ),
        "the log does not tell that a grant was voided: canceled",
    ),
}
"""Which check fails, of which life, by what, and what it says."""


@pytest.mark.parametrize("name", ALONE)
def test_a_tampering_is_found_by_the_check_that_guards_against_it(name: str) -> None:
    check, live, tamper, words = ALONE[name]
    failed = failing(tamper(live()))
    assert list(failed) == [check]
    assert words in failed[check]


def test_each_of_these_checks_has_a_tampering_that_it_alone_finds() -> None:
    assert {check for check, *_ in ALONE.values()} == set(CONSENT)
