"""What a thief does with a token, and what its revocation undoes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.errors import (
    InvalidInputError,
    UnauthenticatedError,
)
from remit.identity.types import Principal
from remit.operations.evidence.records import read_directive, read_record
from remit.operations.identities import directory
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import change_principal, create_token
from remit.operations.identities.invitations import invite, redeem
from remit.operations.identities.principals import MadeToken
from remit.operations.identities.revocation import (
    Reassessed,
    Revoked,
    reassess_approvals,
    revoke_token,
)
from tests.adversarial.attacking import worker
from tests.support.contents import asking, cast, waiting
from tests.support.identities import discrepancies
from tests.support.keys import KEYS
from tests.support.people import ADMIN, GRACE, know
from tests.support.races import at_once, refused

HOUR = timedelta(hours=1)
VERA = Principal("vera", "human", roles=("approver",))
BOSS = Principal("boss", "human", roles=("admin",))
TWO = asking(required_approvals=2)


def own(engine: sa.Engine, who: Principal, by: Principal = ADMIN) -> tuple[MadeToken, Principal]:
    """Let somebody redeem an invitation; return their token, and them as it shows them."""
    made = invite(engine, who, valid_for=HOUR, open_for=HOUR, by=by, keys=KEYS)
    token = redeem(engine, str(made.code), KEYS)
    return token, authenticate(engine, str(token.token), KEYS)


def now(engine: sa.Engine) -> datetime:
    with engine.connect() as connection:
        moment: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        return moment


def ended(engine: sa.Engine, made: MadeToken, since: datetime | None) -> tuple[Revoked, Reassessed]:
    """Revoke a token as the admin, and do what follows from it."""
    revoked = revoke_token(engine, made.row.id, by=ADMIN, keys=KEYS, since=since)
    return revoked, reassess_approvals(engine, revoked, by=ADMIN, keys=KEYS)


def state(engine: sa.Engine, directive: DirectiveRead) -> tuple[str, str | None]:
    found = read_directive(engine, directive.id)
    return found.status, found.status_reason


@dataclass(frozen=True)
class Theft:
    """What was approved with a token before it was stolen, and after.

    Attributes:
        token: the token.
        since: when it was stolen.
        honest: approved by its owner, before.
        stolen: approved by the thief.
        shared: approved by the thief, and by somebody else, of whom one is enough.
        half: half approved by the thief.
    """

    token: MadeToken
    since: datetime
    honest: DirectiveRead
    stolen: DirectiveRead
    shared: DirectiveRead
    half: DirectiveRead


@pytest.fixture
def theft(empty_engine: sa.Engine) -> Theft:
    engine = empty_engine
    token, vera = own(engine, VERA)
    honest = waiting(engine)
    cast(engine, honest, by=vera)
    since = now(engine)
    stolen, shared = waiting(engine), waiting(engine, TWO)
    half = waiting(engine, TWO)
    cast(engine, stolen, by=vera)
    cast(engine, shared, by=GRACE, policy=TWO)
    cast(engine, shared, by=vera, policy=TWO)
    cast(engine, half, by=vera, policy=TWO)
    return Theft(token, since, honest, stolen, shared, half)


def test_what_a_thief_approved_and_has_not_started_is_blocked(
    empty_engine: sa.Engine, theft: Theft
) -> None:
    _, became = ended(empty_engine, theft.token, theft.since)
    assert set(became.voided) == {theft.stolen.id, theft.shared.id}
    assert (became.waiting, became.ran) == ((theft.half.id,), ())
    assert state(empty_engine, theft.stolen) == ("blocked", "approval_unverifiable")
    assert state(empty_engine, theft.honest) == ("approved", None)
    grant = read_record(empty_engine, theft.stolen.id).grant
    assert grant is not None
    assert (grant.voided_at is not None, grant.void_reason) == (True, "approval_unverifiable")
    assert discrepancies(empty_engine) == []


def test_nothing_of_it_runs_and_what_was_honest_does(empty_engine: sa.Engine, theft: Theft) -> None:
    ended(empty_engine, theft.token, theft.since)
    with worker(empty_engine) as hands:
        for one in (theft.stolen, theft.honest):
            hands.work(one.id)
    assert state(empty_engine, theft.stolen)[0] == "blocked"
    assert state(empty_engine, theft.honest)[0] != "approved"


def test_control_a_revocation_alone_would_let_what_was_approved_start(
    empty_engine: sa.Engine, theft: Theft
) -> None:
    _, became = ended(empty_engine, theft.token, None)
    assert became == Reassessed()
    assert state(empty_engine, theft.stolen) == ("approved", None)


def test_what_a_thief_half_approved_needs_two_others(empty_engine: sa.Engine, theft: Theft) -> None:
    ended(empty_engine, theft.token, theft.since)
    assert cast(empty_engine, theft.half, by=GRACE, policy=TWO).outcome == "pending"


def test_its_owner_confirms_with_another_token_and_the_approval_stays(
    empty_engine: sa.Engine, theft: Theft
) -> None:
    _, vera = own(empty_engine, Principal("vera", "human"))
    ended(empty_engine, theft.token, theft.since)
    outcome = cast(empty_engine, theft.half, by=vera, policy=TWO)
    assert (outcome.outcome, outcome.missing) == ("pending", 1)


def test_what_ran_is_named_since_nobody_can_undo_it(empty_engine: sa.Engine, theft: Theft) -> None:
    with worker(empty_engine) as hands:
        hands.work(theft.stolen.id)
    _, became = ended(empty_engine, theft.token, theft.since)
    assert became.ran == (theft.stolen.id,)
    assert became.voided == (theft.shared.id,)


def test_a_revocation_that_was_cut_off_is_finished_by_the_next(
    empty_engine: sa.Engine, theft: Theft
) -> None:
    token = theft.token.row.id
    revoke_token(empty_engine, token, by=ADMIN, keys=KEYS, since=theft.since)
    assert state(empty_engine, theft.stolen)[0] == "approved"
    _, became = ended(empty_engine, theft.token, theft.since)
    assert theft.stolen.id in became.voided
    assert ended(empty_engine, theft.token, theft.since)[1].voided == ()


def test_a_later_thought_reaches_further_back(empty_engine: sa.Engine, theft: Theft) -> None:
    first, _ = ended(empty_engine, theft.token, None)
    again, became = ended(empty_engine, theft.token, theft.since)
    assert first.row.revoked_at == again.row.revoked_at
    assert again.row.revoked_since == theft.since
    assert theft.stolen.id in became.voided
    made_at = theft.token.row.created_at
    assert theft.honest.id in ended(empty_engine, theft.token, made_at)[1].voided
    assert discrepancies(empty_engine) == []


def test_the_moment_of_a_theft_lies_within_the_life_of_the_token(engine: sa.Engine) -> None:
    token = create_token(engine, GRACE, valid_for=HOUR, by=ADMIN, keys=KEYS)
    made_at = token.row.created_at
    with pytest.raises(InvalidInputError) as caught:
        ended(engine, token, made_at + timedelta(days=1))
    assert caught.value.field == "since"
    # Before it was made nothing was done with it: all that ever was is meant.
    assert ended(engine, token, made_at - HOUR)[0].row.revoked_since == made_at


# An admin's token. ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loot:
    """An admin's token, and what a thief made with it.

    Attributes:
        token: the admin's token.
        since: when it was stolen.
        before: a token that the admin made with it.
        direct: one that the thief made with it.
        second: one that the thief made with a third one, of another admin's.
        redeemed: one that the thief made of an invitation of their own.
        open: the code of an invitation that nobody redeemed yet.
    """

    token: MadeToken
    since: datetime
    before: MadeToken
    direct: MadeToken
    second: MadeToken
    redeemed: MadeToken
    open: str


@pytest.fixture
def loot(empty_engine: sa.Engine) -> Loot:
    engine = empty_engine
    know(engine, Principal("chief", "human", roles=("admin",)))
    token, boss = own(engine, BOSS)
    before = create_token(engine, GRACE, valid_for=HOUR, by=boss, keys=KEYS)
    since = now(engine)
    chief = Principal("chief", "human")
    direct = create_token(engine, chief, valid_for=HOUR, by=boss, keys=KEYS)
    deputy = authenticate(engine, str(direct.token), KEYS)
    second = create_token(engine, GRACE, valid_for=HOUR, by=deputy, keys=KEYS)
    redeemed, _ = own(engine, GRACE, by=deputy)
    change_principal(engine, "ada", roles=["admin"], groups=[], by=deputy, keys=KEYS)
    code = invite(engine, VERA, valid_for=HOUR, open_for=HOUR, by=boss, keys=KEYS).code
    return Loot(token, since, before, direct, second, redeemed, str(code))


def test_all_that_was_made_with_a_stolen_token_ends_with_it(
    empty_engine: sa.Engine, loot: Loot
) -> None:
    revoked, _ = ended(empty_engine, loot.token, loot.since)
    made = (loot.direct, loot.second, loot.redeemed)
    assert {one.id for one in revoked.also} == {one.row.id for one in made}
    for one in (*made, loot.token):
        with pytest.raises(UnauthenticatedError, match="was revoked"):
            authenticate(empty_engine, str(one.token), KEYS)
    with pytest.raises(UnauthenticatedError, match="was revoked"):
        redeem(empty_engine, loot.open, KEYS)
    assert len(revoked.invitations) == 2
    assert revoked.principals == ("ada", "vera")
    assert authenticate(empty_engine, str(loot.before.token), KEYS).name == "grace"
    assert discrepancies(empty_engine) == []


def test_what_was_approved_with_any_of_it_is_blocked(empty_engine: sa.Engine, loot: Loot) -> None:
    directive = waiting(empty_engine)
    cast(empty_engine, directive, by=authenticate(empty_engine, str(loot.second.token), KEYS))
    _, became = ended(empty_engine, loot.token, loot.since)
    assert became.voided == (directive.id,)


def test_control_a_revocation_alone_leaves_the_thief_in(
    empty_engine: sa.Engine, loot: Loot
) -> None:
    ended(empty_engine, loot.token, None)
    assert "admin" in authenticate(empty_engine, str(loot.direct.token), KEYS).roles


def test_nothing_is_made_with_a_token_that_is_being_revoked(empty_engine: sa.Engine) -> None:
    token, boss = own(empty_engine, BOSS)
    since = now(empty_engine)

    def act(number: int) -> object:
        if number == 0:
            return ended(empty_engine, token, since)[0]
        return create_token(empty_engine, GRACE, valid_for=HOUR, by=boss, keys=KEYS)

    found = at_once(refused(act))
    [revoked] = [one for one in found if isinstance(one, Revoked)]
    made = {one.row.id for one in found if isinstance(one, MadeToken)}
    assert {one.id for one in revoked.also} == made
    with pytest.raises(UnauthenticatedError, match="revoked meanwhile"):
        create_token(empty_engine, GRACE, valid_for=HOUR, by=boss, keys=KEYS)


def test_control_whoever_came_in_before_would_go_on_making_tokens(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, boss = own(empty_engine, BOSS)
    ended(empty_engine, token, now(empty_engine))
    monkeypatch.setattr(directory, "check_token_shown", lambda *_: None)
    made = create_token(empty_engine, GRACE, valid_for=HOUR, by=boss, keys=KEYS)
    assert authenticate(empty_engine, str(made.token), KEYS).name == "grace"
