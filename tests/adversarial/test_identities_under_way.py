"""Identities that claim to be more, or change between the door and the deed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from remit.errors import ForbiddenError, RemitError, RuleViolationError, UnauthenticatedError
from remit.identity import rules
from remit.identity.types import Principal
from remit.operations.gate import approvals, ballots
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import (
    change_principal,
    create_token,
    disable_principal,
)
from remit.operations.identities.revocation import revoke_token
from tests.adversarial.attacking import Hands, without, worker
from tests.support.contents import asking, cast, waiting
from tests.support.keys import KEYS
from tests.support.people import ADMIN, GRACE, OPERATOR, know
from tests.support.servers import as_login

HOUR = timedelta(hours=1)
ROBOT = Principal("robot", "agent", ("approver", "admin"), groups=("release",))
DAEMON = Principal("daemon", "service", ("approver", "admin"), groups=("release",))
CAROL = Principal("carol", "human", ("approver", "proposer"), groups=("release",))


@pytest.fixture(scope="module", autouse=True)
def _known(engine: sa.Engine) -> None:
    know(engine, ROBOT, DAEMON, CAROL)


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine) as made:
        yield made


def signed_in(engine: sa.Engine, who: Principal) -> Principal:
    """Return a principal as a door knows it: by a token of its own."""
    know(engine, who)
    known = replace(who, roles=())
    made = create_token(engine, known, valid_for=HOUR, by=ADMIN, keys=KEYS)
    return authenticate(engine, str(made.token), KEYS)


CLAIMS = {
    "an agent, by its token": lambda engine: signed_in(engine, ROBOT),
    "a service, by its token": lambda engine: signed_in(engine, DAEMON),
    "an agent that says it is human": lambda engine: replace(ROBOT, kind="human"),
    "an auditor that says they approve": lambda engine: replace(
        Principal("audrey", "human"), roles=("approver",)
    ),
    "somebody who is not known": lambda engine: Principal("zoe", "human", ("approver", "admin")),
    "nobody": lambda engine: Principal("", "human", ("approver",)),
    "Remit itself": lambda engine: Principal("remit", "service", ("operator", "approver")),
    "a person whose token may only propose": lambda engine: signed_in(
        engine, replace(CAROL, scopes=("propose",))
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_whoever_is_no_approver_by_the_database_cannot_vote(
    engine: sa.Engine, hands: Hands, claim: str
) -> None:
    know(engine, Principal("audrey", "human", ("auditor",)))
    victim = waiting(engine, type="test")
    with pytest.raises(ForbiddenError):
        cast(engine, victim, by=CLAIMS[claim](engine))
    hands.work(victim.id)
    assert hands.effects == []


def shut_out(engine: sa.Engine, name: str) -> None:
    disable_principal(engine, name, by=ADMIN, keys=KEYS)


def demote(engine: sa.Engine, name: str) -> None:
    change_principal(engine, name, roles=["auditor"], groups=["release"], by=ADMIN, keys=KEYS)


def move_to_another_group(engine: sa.Engine, name: str) -> None:
    change_principal(engine, name, roles=["approver"], groups=["lunch"], by=ADMIN, keys=KEYS)


@pytest.mark.parametrize("change", [shut_out, demote, move_to_another_group])
def test_what_changes_between_the_door_and_the_vote_counts(
    engine: sa.Engine, hands: Hands, change: Callable[[sa.Engine, str], None]
) -> None:
    name = f"{change.__name__}-1".replace("_", "-")
    release = asking(approver_groups=["release"])
    inside = signed_in(engine, Principal(name, "human", ("approver",), groups=("release",)))
    change(engine, name)
    victim = waiting(engine, release, type="test")
    with pytest.raises(ForbiddenError):
        cast(engine, victim, policy=release, by=inside)
    hands.work(victim.id)
    assert hands.effects == []


def test_a_token_of_somebody_shut_out_and_one_revoked_open_no_door(engine: sa.Engine) -> None:
    judas = Principal("judas", "human", ("approver",))
    first, second = (
        create_token(engine, judas, valid_for=HOUR, by=ADMIN, keys=KEYS) for _ in range(2)
    )
    revoke_token(engine, first.row.id, by=ADMIN, keys=KEYS)
    with pytest.raises(UnauthenticatedError, match="was revoked"):
        authenticate(engine, str(first.token), KEYS)
    shut_out(engine, "judas")
    with pytest.raises(UnauthenticatedError, match="shut out"):
        authenticate(engine, str(second.token), KEYS)


def test_the_rows_of_a_token_do_not_open_a_door(engine: sa.Engine) -> None:
    made = create_token(engine, CAROL, valid_for=HOUR, by=ADMIN, keys=KEYS)
    with engine.connect() as connection:
        kept = connection.execute(
            sa.text("SELECT to_jsonb(t)::text, hash FROM api_tokens AS t WHERE id = :id"),
            {"id": made.row.id},
        ).one()
    assert made.token.secret not in kept[0]
    for guess in (kept.hash, f"remit_{made.row.id.hex}_{kept.hash[:43]}"):
        with pytest.raises(UnauthenticatedError):
            authenticate(engine, guess, KEYS)


@pytest.mark.parametrize(
    "change",
    [
        b"UPDATE principals SET name = 'zoe' WHERE name = 'robot'",
        b"UPDATE principals SET kind = 'human' WHERE name = 'robot'",
        b"UPDATE principals SET acts_for = 'ada' WHERE name = 'robot'",
        b"UPDATE principals SET created_by = 'carol' WHERE name = 'robot'",
    ],
)
@pytest.mark.parametrize("login", ["remit_app", "remit_owner"])
def test_who_a_principal_is_cannot_be_changed(
    database_url: str, engine: sa.Engine, login: str, change: bytes
) -> None:
    url = as_login(database_url, login).replace("+psycopg", "")
    refusal = {
        "remit_app": psycopg.errors.InsufficientPrivilege,
        "remit_owner": psycopg.errors.DatabaseError,
    }
    with (
        pytest.raises(refusal[login]) as caught,
        psycopg.connect(url) as connection,
    ):
        connection.execute(change)
    if login == "remit_owner":
        assert caught.value.diag.constraint_name == "remit_principal_frozen"


CHAINS = {
    "an agent": [Principal("agent-a", "agent", ("proposer",), acts_for="carol")],
    "an agent of an agent": [
        Principal("agent-b", "agent", ("proposer",), acts_for="carol"),
        Principal("agent-c", "service", ("proposer",), acts_for="agent-b"),
    ],
    "an agent of an agent of an agent": [
        Principal("agent-d", "agent", ("proposer",), acts_for="carol"),
        Principal("agent-e", "agent", ("proposer",), acts_for="agent-d"),
        Principal("agent-f", "service", ("proposer",), acts_for="agent-e"),
    ],
}


def introduced(engine: sa.Engine, chain: str) -> Principal:
    """Make a chain of principals known, each acting for the one before; return the last."""
    for one in (CAROL, *CHAINS[chain]):
        know(engine, one)
    return CHAINS[chain][-1]


@pytest.mark.parametrize("chain", CHAINS)
def test_nobody_approves_what_was_issued_on_their_behalf(
    engine: sa.Engine, hands: Hands, chain: str
) -> None:
    victim = waiting(engine, type="test", issued_by=introduced(engine, chain).name)
    with pytest.raises(RemitError) as caught:
        cast(engine, victim, by=CAROL)
    assert caught.value.error_type == "forbidden"
    hands.work(victim.id)
    assert hands.effects == []
    # Anybody else may.
    cast(engine, victim, by=GRACE)
    hands.work(victim.id)
    assert hands.struck == {victim.id}


@pytest.mark.parametrize("chain", CHAINS)
def test_without_either_look_at_whom_it_is_for_they_approve_their_own(
    scratch: sa.Engine, chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ballots, "acts_for", lambda *_: [])
    victim = waiting(scratch, type="test", issued_by=introduced(scratch, chain).name)
    with worker(scratch) as hands:
        # The database refuses the vote all the same: a second defence.
        with pytest.raises(RuleViolationError, match="nobody approves what they issued"):
            cast(scratch, victim, by=CAROL)
        without(scratch, "approval_votes.remit_vote_not_own")
        cast(scratch, victim, by=CAROL)
        hands.work(victim.id)
    assert hands.struck == {victim.id}


@pytest.mark.parametrize("voter", [ROBOT, DAEMON], ids=lambda one: one.kind)
def test_without_either_look_at_their_kind_machines_approve(
    scratch: sa.Engine, voter: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "FOR_PEOPLE", frozenset())
    know(scratch, voter)
    victim = waiting(scratch, type="test")
    with worker(scratch) as hands:
        # The database refuses the vote all the same: a second defence.
        with pytest.raises(RuleViolationError, match="only a person"):
            cast(scratch, victim, by=voter)
        without(scratch, "approval_votes.remit_vote_by_person")
        cast(scratch, victim, by=voter)
        hands.work(victim.id)
    assert hands.struck == {victim.id}


def test_without_the_look_at_who_is_shut_out_their_vote_executes(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(scratch, CAROL)
    shut_out(scratch, "carol")
    monkeypatch.setattr(approvals, "known_voter", lambda _, by, keys: by)
    monkeypatch.setattr(ballots, "known_voter", lambda *_: CAROL)
    victim = waiting(scratch, type="test")
    with worker(scratch) as hands:
        with pytest.raises(RuleViolationError, match="only a person who is known"):
            cast(scratch, victim, by=CAROL)
        without(scratch, "approval_votes.remit_vote_by_person")
        without(scratch, "grants.remit_grant_by_people")
        cast(scratch, victim, by=CAROL)
        hands.work(victim.id)
    assert hands.struck == {victim.id}


@pytest.mark.parametrize("how", ["shut out", "demoted"])
def test_an_approval_counts_no_longer_than_its_voter_may_vote(
    engine: sa.Engine, hands: Hands, how: str
) -> None:
    careful = asking(required_approvals=2)
    former = Principal(f"former-{how.replace(' ', '-')}", "human", ("approver",))
    know(engine, former)
    victim = waiting(engine, careful, type="test")
    assert cast(engine, victim, policy=careful, by=former).missing == 1
    if how == "shut out":
        shut_out(engine, former.name)
    else:
        change_principal(engine, former.name, roles=[], groups=[], by=ADMIN, keys=KEYS)
    assert cast(engine, victim, policy=careful, by=GRACE).outcome == "pending"
    hands.work(victim.id)
    assert hands.effects == []
    assert cast(engine, victim, policy=careful, by=OPERATOR).outcome == "approved"


def test_without_either_look_at_who_may_still_vote_a_stolen_account_approves(
    scratch: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = asking(required_approvals=2)
    know(scratch, CAROL)
    victim = waiting(scratch, careful, type="test")
    cast(scratch, victim, policy=careful, by=CAROL)
    shut_out(scratch, "carol")
    monkeypatch.setattr(ballots, "known_voter", lambda _, by, keys: replace(CAROL, name=by.name))
    # The database refuses the grant all the same: a second defence.
    with pytest.raises(RuleViolationError, match="needs the votes"):
        cast(scratch, victim, policy=careful, by=GRACE)
    without(scratch, "grants.remit_grant_by_people")
    assert cast(scratch, victim, policy=careful, by=GRACE).outcome == "approved"
