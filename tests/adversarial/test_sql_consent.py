"""Votes, grants and runs that do not fit together: refused to the services' own role."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.adversarial import world as w
from tests.adversarial.attempts import Attack, stopped_by
from tests.adversarial.world import AGENT, Connection
from tests.support.people import token_of

pytestmark = pytest.mark.usefixtures("world")

OTHER = "sha256:" + "c" * 64


def vote_on(voter: str, *, issued_by: str = AGENT, **changes: Any) -> Attack:
    """Return a vote on a new request; `changes` with a `vote_` are the vote's."""

    def attack(c: Connection) -> None:
        asked = {name: value for name, value in changes.items() if not name.startswith("vote_")}
        cast = {name[5:]: value for name, value in changes.items() if name.startswith("vote_")}
        w.vote(c, w.ask(c, w.new_directive(c, issued_by=issued_by), **asked), voter, **cast)

    return attack


def vote_on_settled(status: str, c: Connection) -> None:
    w.vote(c, w.asked(c, status), "erin")


def with_a_token_that_is_over(c: Connection) -> None:
    over = uuid4()
    w.put_token(c, "dave", id=over, expires_at="yesterday")
    vote_on("dave", vote_token_id=over)(c)


def after(change: str, attack: Attack) -> Attack:
    """Return an attack that comes after a change of somebody's."""

    def both(c: Connection) -> None:
        c.execute(change.encode())
        attack(c)

    return both


SHUT_OUT = "UPDATE principals SET disabled_at = now() WHERE name = 'dave'"
REVOKED = "UPDATE api_tokens SET revoked_at = now() WHERE principal = 'dave'"
BY_TOKEN = "remit_vote_by_token"
# An agent of an agent of carol's.
CHAIN = (
    "INSERT INTO principals (name, kind, roles, groups, acts_for, created_by)"
    " VALUES ('bots-bot', 'agent', '[]', '[]', 'bot', 'test')"
)
VOTES: Mapping[str, tuple[str | None, Attack]] = {
    "a person": (None, vote_on("dave")),
    "a person who rejects": (None, vote_on("dave", vote_decision="reject")),
    "the issuer": ("remit_vote_not_own", vote_on("erin", issued_by="erin")),
    "the issuer, where policy allows it": (
        None,
        vote_on("erin", issued_by="erin", allow_self_approval=True),
    ),
    "whom the issuer acts for": ("remit_vote_not_own", vote_on("carol")),
    "whom the issuer's principal acts for": (
        "remit_vote_not_own",
        after(CHAIN, vote_on("carol", issued_by="bots-bot")),
    ),
    "an agent": ("remit_vote_by_person", vote_on(AGENT, issued_by="dave")),
    "an agent that rejects": (
        "remit_vote_by_person",
        vote_on(AGENT, issued_by="dave", vote_decision="reject"),
    ),
    "somebody unknown": ("remit_vote_by_person", vote_on("mallory")),
    "somebody who was shut out": ("remit_vote_by_person", after(SHUT_OUT, vote_on("dave"))),
    "no token": (BY_TOKEN, vote_on("dave", vote_token_id=None)),
    "the token of somebody else": (BY_TOKEN, vote_on("dave", vote_token_id=token_of("erin"))),
    "a token that is not known": (BY_TOKEN, vote_on("dave", vote_token_id=token_of("x"))),
    "a token that was revoked": (BY_TOKEN, after(REVOKED, vote_on("dave"))),
    "a token whose time is over": (BY_TOKEN, with_a_token_that_is_over),
    "another action": ("remit_vote_open", vote_on("dave", vote_action_digest=OTHER)),
    "a request whose time is over": ("remit_vote_open", vote_on("dave", expires_at="yesterday")),
    **{
        f"a request that is {status}": (
            "remit_vote_open",
            partial(vote_on_settled, status),
        )
        for status in w.REQUEST_STATUSES
        if status != "pending"
    },
}


def granted(
    *votes: tuple[str, str],
    names: tuple[str, ...] = ("dave",),
    required: int = 1,
    **changes: Any,
) -> Attack:
    """Return a grant by people: the votes that there are, and what the grant says of them."""

    def attack(c: Connection) -> None:
        directive = w.new_directive(c)
        request = w.ask(c, directive, required_approvals=required)
        for voter, decision in votes:
            w.vote(c, request, voter, decision=decision)
        w.resolve(c, request, "approved")
        row = {"request_id": request, "required_approvals": required, "votes": Jsonb([*names])}
        w.grant(c, directive, **row | changes)

    return attack


def on_a_revoked_vote(*decisions: str) -> Attack:
    """Return a grant by dave, whose first answer was with a token that was revoked since."""

    def attack(c: Connection) -> None:
        directive = w.new_directive(c)
        request, other = w.ask(c, directive), uuid4()
        w.put_token(c, "dave", id=other)
        first, *more = decisions
        w.vote(c, request, "dave", decision=first, token_id=other)
        c.execute("UPDATE api_tokens SET revoked_at = now() WHERE id = %s", [other])
        for decision in more:
            w.vote(c, request, "dave", decision=decision)
        w.resolve(c, request, "approved")
        row = {"request_id": request, "required_approvals": 1, "votes": Jsonb(["dave"])}
        w.grant(c, directive, **row)

    return attack


def by_anothers_request(c: Connection) -> None:
    request = w.ask(c, w.new_directive(c))
    w.vote(c, request, "dave")
    w.resolve(c, request, "approved")
    row = {"request_id": request, "required_approvals": 1, "votes": Jsonb(["dave"])}
    w.grant(c, w.new_directive(c), **row)


def grant_to(status: str, c: Connection) -> None:
    w.grant(c, w.live(c, status))


def grant_while_asking(c: Connection) -> None:
    directive = w.new_directive(c)
    w.ask(c, directive)
    w.grant(c, directive)


def by_policy(**changes: Any) -> Attack:
    return lambda c: w.grant(c, w.new_directive(c), **changes)


YES, ERIN = ("dave", "approve"), ("erin", "approve")
PEOPLE, POLICY, FITS = "remit_grant_by_people", "remit_grant_by_policy", "remit_grant_fits"
GRANTS: Mapping[str, tuple[str | None, Attack]] = {
    "one vote of one": (None, granted(YES)),
    "two votes of two": (None, granted(YES, ERIN, names=("dave", "erin"), required=2)),
    "one vote of two": (PEOPLE, granted(YES, required=2)),
    "one voter, twice": (PEOPLE, granted(YES, YES, names=("dave", "dave"), required=2)),
    "a voter who is not named": (PEOPLE, granted(YES, ERIN, required=2)),
    "a voter who did not vote": (PEOPLE, granted(YES, names=("dave", "erin"), required=2)),
    "nobody": (PEOPLE, granted()),
    "a mind that changed to no": (PEOPLE, granted(YES, ("dave", "reject"))),
    "a mind that changed to yes": (None, granted(("dave", "reject"), YES)),
    "a vote with a token that was revoked since": (PEOPLE, on_a_revoked_vote("approve")),
    "such a vote, cast again with another one": (None, on_a_revoked_vote("approve", "approve")),
    "a rejection with such a token, taken back": (None, on_a_revoked_vote("reject", "approve")),
    "fewer approvals than were asked for": (
        PEOPLE,
        granted(YES, required=2, required_approvals=1),
    ),
    "another policy than was asked under": (PEOPLE, granted(YES, policy_digest=OTHER)),
    "the request of another directive": (PEOPLE, by_anothers_request),
    "policy alone": (None, by_policy()),
    "policy, in the name of a voter": (POLICY, by_policy(votes=Jsonb(["dave"]))),
    "policy, while people are asked": (POLICY, grant_while_asking),
    "another action": (FITS, by_policy(action_digest=OTHER)),
    "another module": (FITS, by_policy(module="fail")),
    "no directive": (FITS, lambda c: w.grant(c, uuid4())),
    **{
        f"a directive that is {status}": (
            FITS,
            partial(grant_to, status),
        )
        for status in w.DIRECTIVE_STATUSES
        if status not in {"proposed", "approved"}
    },
    "a directive with a live grant": (FITS, partial(grant_to, "approved")),
}


def run(
    *, status: str = "executing", run: Mapping[str, Any] | None = None, **changes: Any
) -> Attack:
    """Return a run of a directive in this status, by a grant with these changes."""

    def attack(c: Connection) -> None:
        directive = w.new_directive(c)
        grant = w.grant(c, directive, **changes)
        for step in ("approved", "executing", "complete"):
            if w.DIRECTIVE_STATUSES.index(step) <= w.DIRECTIVE_STATUSES.index(status):
                w.move(c, directive, step)
        w.begin(c, directive, grant, **(run or {}))

    return attack


def by_a_void_grant(c: Connection) -> None:
    directive = w.new_directive(c)
    grant = w.grant(c, directive)
    w.move(c, directive, "approved")
    w.move(c, directive, "executing")
    c.execute(
        "UPDATE grants SET voided_at = now(), void_reason = 'canceled' WHERE id = %s", [grant]
    )
    w.begin(c, directive, grant)


def by_anothers_grant(c: Connection) -> None:
    directive, other = w.live(c, "executing"), w.new_directive(c)
    w.begin(c, directive, w.grant(c, other))


NO_GRANT = "remit_run_granted"
RUNS: Mapping[str, tuple[str | None, Attack]] = {
    "a live grant": (None, run()),
    "no grant at all": (NO_GRANT, lambda c: w.begin(c, w.live(c, "executing"), uuid4())),
    "a grant that was made void": (NO_GRANT, by_a_void_grant),
    "a grant whose time is over": (NO_GRANT, run(expires_at="yesterday")),
    "a grant of another directive": (NO_GRANT, by_anothers_grant),
    "another module than was granted": (NO_GRANT, run(run={"module": "fail"})),
    "a directive that is proposed": (NO_GRANT, run(status="proposed")),
    "a directive that is approved": (NO_GRANT, run(status="approved")),
    "a directive that is complete": (NO_GRANT, run(status="complete")),
}


def told(cases: Mapping[str, tuple[str | None, Attack]], logins: Mapping[str, Connection]) -> None:
    """Assert that each case is stopped by its rule, or goes through."""
    app = logins["remit_app"]
    answers = {name: stopped_by(app, attack) for name, (_, attack) in cases.items()}
    assert answers == {name: rule for name, (rule, _) in cases.items()}


def test_a_vote_is_a_person_s_on_what_they_did_not_ask_for(
    logins: Mapping[str, Connection],
) -> None:
    told(VOTES, logins)


def test_a_grant_is_what_the_votes_or_policy_gave(logins: Mapping[str, Connection]) -> None:
    told(GRANTS, logins)


def test_a_run_stands_on_a_live_grant(logins: Mapping[str, Connection]) -> None:
    told(RUNS, logins)


def test_a_directive_executes_once_even_if_its_first_grant_is_made_void(
    logins: Mapping[str, Connection],
) -> None:
    def attack(c: Connection) -> None:
        directive = w.new_directive(c)
        first = w.grant(c, directive)
        w.move(c, directive, "approved")
        w.move(c, directive, "executing")
        w.end(c, w.begin(c, directive, first), "failed")
        c.execute("UPDATE grants SET voided_at = now(), void_reason = 'canceled'")
        w.begin(c, directive, w.grant(c, directive))

    assert stopped_by(logins["remit_app"], attack) == FITS
