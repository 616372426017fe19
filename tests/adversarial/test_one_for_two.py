"""An admin who makes tokens for two approvers and votes as both."""

from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import ForbiddenError
from remit.identity.types import Principal
from remit.operations.authentication import authenticate
from remit.operations.evidence import read_directive
from remit.operations.identity import create_token
from remit.operations.invitations import invite, redeem
from remit.operations.minting import MadeToken
from tests.support.contents import asking, cast, waiting
from tests.support.keys import KEYS
from tests.support.people import ADMIN, GRACE, know

HOUR = timedelta(hours=1)
VERA = Principal("vera", "human", roles=("approver",))
BOSS = Principal("boss", "human", roles=("admin",))


def own(engine: sa.Engine, who: Principal, by: Principal = ADMIN) -> tuple[MadeToken, Principal]:
    """Let somebody redeem an invitation; return their token, and them as it shows them."""
    made = invite(engine, who, valid_for=HOUR, open_for=HOUR, by=by, keys=KEYS)
    token = redeem(engine, str(made.code), KEYS)
    return token, authenticate(engine, str(token.token), KEYS)


def state(engine: sa.Engine, directive: DirectiveRead) -> tuple[str, str | None]:
    found = read_directive(engine, directive.id)
    return found.status, found.status_reason


def test_an_admin_who_makes_two_tokens_is_one_person(empty_engine: sa.Engine) -> None:
    engine, policy = empty_engine, asking(required_approvals=2, independent_tokens=True)
    _, boss = own(engine, BOSS)
    know(engine, VERA)
    victim = waiting(engine, policy)
    for one in (GRACE, VERA):
        made = create_token(engine, one, valid_for=HOUR, by=boss, keys=KEYS)
        with suppress(ForbiddenError):
            cast(engine, victim, policy=policy, by=authenticate(engine, str(made.token), KEYS))
    assert state(engine, victim)[0] == "proposed"


def test_two_who_redeemed_invitations_of_one_admin_are_two(empty_engine: sa.Engine) -> None:
    engine, policy = empty_engine, asking(required_approvals=2, independent_tokens=True)
    _, boss = own(engine, BOSS)
    victim = waiting(engine, policy)
    for one in (GRACE, VERA):
        cast(engine, victim, policy=policy, by=own(engine, one, by=boss)[1])
    assert state(engine, victim) == ("approved", None)


def test_control_without_the_rule_the_admin_alone_approves_for_two(
    empty_engine: sa.Engine,
) -> None:
    engine, policy = empty_engine, asking(required_approvals=2, independent_tokens=False)
    _, boss = own(engine, BOSS)
    know(engine, VERA)
    victim = waiting(engine, policy)
    for one in (GRACE, VERA):
        made = create_token(engine, one, valid_for=HOUR, by=boss, keys=KEYS)
        cast(engine, victim, policy=policy, by=authenticate(engine, str(made.token), KEYS))
    assert state(engine, victim) == ("approved", None)
