"""Consent: who may vote. What a vote that was forged is worth: `test_forged_votes.py`."""

from typing import Any

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import ForbiddenError
from remit.identity.types import Principal
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.identities.directory import (
    change_principal,
    disable_principal,
)
from remit.policy.config import PolicyConfig
from tests.support.contents import (
    POLICY,
    asking,
    cast,
    directive,
    no,
    under,
    waiting,
)
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, AGENT, GRACE, OPERATOR, know, person

LINUS = Principal("linus", "human", roles=("approver",), groups=("release", "security"))
BOT = Principal("bot", "agent", roles=("proposer", "approver", "admin"))
CRON = Principal("cron", "service", roles=("approver",))
ISSUER = person("issuer")
PATRON = person("patron")
DEPUTY = Principal("deputy", "agent", roles=("proposer",), acts_for="patron")
DEPUTYS_DEPUTY = Principal("deputys-deputy", "agent", roles=("proposer",), acts_for="deputy")


@pytest.fixture(scope="module", autouse=True)
def everybody(engine: sa.Engine) -> None:
    """Make those known whom this module's tests speak of."""
    know(engine, LINUS, BOT, CRON, ISSUER, PATRON)
    know(engine, DEPUTY)
    know(engine, DEPUTYS_DEPUTY)


def issued_by(engine: sa.Engine, issuer: Principal, policy: PolicyConfig = POLICY) -> DirectiveRead:
    """Let somebody propose what needs a person."""
    content = directive(scope="staging", issued_by=issuer.name)
    [outcome] = proposals.propose(engine, [content], under(policy), by=issuer)
    assert outcome.directive.status == "proposed"
    return outcome.directive


def refusal(engine: sa.Engine, found: DirectiveRead, by: Principal, **changes: Any) -> str:
    """Return why a vote is refused, having seen that it left nothing behind."""
    before = read_record(engine, found.id)
    with pytest.raises(ForbiddenError) as caught:
        cast(engine, found, by=by, **changes)
    assert read_record(engine, found.id) == before
    return str(caught.value)


SELF = "and policy does not allow self-approval; ask somebody else"


def test_nobody_approves_what_they_issued(engine: sa.Engine) -> None:
    found = issued_by(engine, ISSUER)
    assert refusal(engine, found, ISSUER) == f"issuer issued this directive, {SELF}"
    assert cast(engine, found, by=ADA).outcome == "approved"


def test_nobody_rejects_what_they_issued_either(engine: sa.Engine) -> None:
    found = issued_by(engine, ISSUER)
    assert refusal(engine, found, ISSUER, ballot=no(found)).startswith("issuer issued this")


def test_nobody_approves_what_was_issued_on_their_behalf(engine: sa.Engine) -> None:
    found = issued_by(engine, DEPUTY)
    assert refusal(engine, found, PATRON) == f"patron is whom deputy acts for, {SELF}"
    assert cast(engine, found, by=ISSUER).outcome == "approved"


def test_nobody_approves_what_was_issued_by_a_deputy_of_their_deputy(engine: sa.Engine) -> None:
    found = issued_by(engine, DEPUTYS_DEPUTY)
    assert refusal(engine, found, PATRON).startswith("patron is whom deputys-deputy acts for, ")
    assert cast(engine, found, by=ISSUER).outcome == "approved"


@pytest.mark.parametrize(("issuer", "voter"), [(ISSUER, ISSUER), (DEPUTY, PATRON)])
def test_the_issuer_may_vote_where_policy_says_so(
    engine: sa.Engine, issuer: Principal, voter: Principal
) -> None:
    lenient = asking(allow_self_approval=True)
    found = issued_by(engine, issuer, lenient)
    assert cast(engine, found, policy=lenient, by=voter).outcome == "approved"


@pytest.mark.parametrize("roles", [("approver",), ("admin",), ("proposer", "approver", "admin")])
@pytest.mark.parametrize("scopes", [None, ("vote",), ("vote", "administer")])
def test_an_agent_can_never_vote_whatever_its_roles_and_scopes(
    engine: sa.Engine, roles: tuple[Any, ...], scopes: tuple[Any, ...] | None
) -> None:
    found = waiting(engine)
    bot = Principal("bot", "agent", roles=roles, scopes=scopes)
    assert refusal(engine, found, bot) == ("bot is an agent, and only a person may vote; ask one")


def test_an_agent_does_not_vote_on_what_it_issued_even_where_policy_allows_self_approval(
    engine: sa.Engine,
) -> None:
    lenient = asking(allow_self_approval=True)
    found = issued_by(engine, AGENT, lenient)
    assert refusal(engine, found, AGENT, policy=lenient).startswith("agent-1 is an agent")


@pytest.mark.parametrize("name", ["bot", "cron"])
def test_what_the_database_knows_of_a_voter_counts_and_not_what_the_caller_says(
    engine: sa.Engine, name: str
) -> None:
    pretender = Principal(name, "human", roles=("approver",))
    assert refusal(engine, waiting(engine), pretender) == (
        f"{name} is no person, and only a person may vote; ask one"
    )


def test_groups_are_the_databases_too(engine: sa.Engine) -> None:
    picky = asking(approver_groups=["release"])
    found = waiting(engine, picky)
    pretender = Principal("grace", "human", roles=("approver",), groups=("release",))
    assert refusal(engine, found, pretender, policy=picky) == (
        "grace is not in release, whose members may vote; ask one of them"
    )


def test_somebody_unknown_cannot_vote(engine: sa.Engine) -> None:
    assert refusal(engine, waiting(engine), person("nobody")) == (
        "nobody is not known here, or was shut out; ask somebody else"
    )


def test_somebody_who_was_shut_out_cannot_vote(engine: sa.Engine) -> None:
    gone = person("gone")
    know(engine, gone)
    found = waiting(engine)
    disable_principal(engine, "gone", by=ADMIN, keys=KEYS)
    assert refusal(engine, found, gone) == (
        "gone is not known here, or was shut out; ask somebody else"
    )


def test_a_role_that_was_taken_away_gives_no_vote(engine: sa.Engine) -> None:
    former = person("former")
    know(engine, former)
    change_principal(engine, "former", roles=["proposer"], groups=[], by=ADMIN, keys=KEYS)
    assert refusal(engine, waiting(engine), former) == (
        "former may not vote: that needs the role approver or admin"
    )


def test_a_token_that_is_limited_to_other_things_gives_no_vote(engine: sa.Engine) -> None:
    limited = Principal("ada", "human", roles=("approver",), scopes=("propose",))
    assert refusal(engine, waiting(engine), limited) == (
        "the token of ada does not cover vote; use one that does"
    )


def test_a_quorum_of_a_group_takes_that_many_of_its_members(engine: sa.Engine) -> None:
    picky = asking(required_approvals=2, approver_groups=["release"])
    found = waiting(engine, picky)
    first = cast(engine, found, policy=picky, by=ADA)
    assert (first.outcome, first.missing, first.directive.status) == ("pending", 1, "proposed")
    assert refusal(engine, found, GRACE, policy=picky) == (
        "grace is not in release, whose members may vote; ask one of them"
    )
    assert cast(engine, found, policy=picky, by=ADA).missing == 1
    second = cast(engine, found, policy=picky, by=LINUS)
    assert (second.outcome, second.missing) == ("approved", 0)
    grant = read_record(engine, found.id).grant
    assert grant is not None
    assert (grant.votes, grant.required_approvals) == (("ada", "linus"), 2)


def test_somebody_outside_the_groups_cannot_end_it_with_a_no_either(engine: sa.Engine) -> None:
    picky = asking(approver_groups=["release", "security"])
    found = waiting(engine, picky)
    assert refusal(engine, found, OPERATOR, ballot=no(found), policy=picky) == (
        "operator is not in release or security, whose members may vote; ask one of them"
    )
