"""Requests and voters written by SQL: an honest vote on what was forged executes nothing."""

import contextlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.directives.models import DirectiveRead
from remit.errors import RemitError
from remit.identity.tokens import Token, new_token
from remit.identity.types import Principal
from remit.operations.gate import approvals
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import disable_principal
from tests.adversarial import world as w
from tests.adversarial.attacking import Fixed, forgery, worker
from tests.adversarial.forging import WRITERS, as_service, put_person, request_of
from tests.adversarial.world import Connection
from tests.support.contents import asking, cast, proposed, waiting, write
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, GRACE, know


def replaced(engine: sa.Engine, victim: DirectiveRead, writer: str, **terms: Any) -> None:
    """Close the request of a directive, and open one on other terms."""
    true = request_of(engine, victim)
    own = {"id", "directive_id", "status", "requested_at", "resolved_at"}
    row = {name: value for name, value in asdict(true).items() if name not in own} | terms
    row |= {
        "approver_groups": Jsonb(list(row["approver_groups"])),
        "rules": Jsonb(list(true.rules)),
    }
    with WRITERS[writer](engine) as connection:
        w.resolve(connection, true.id, "canceled")
        w.ask(connection, victim.id, **row)


by_every_writer = pytest.mark.parametrize("writer", WRITERS)

SELF = Principal("wanda", "human", roles=("proposer", "approver"), groups=("release",))
STRICT = asking(required_approvals=2, approver_groups=["release"])
TERMS: dict[str, tuple[Principal, dict[str, Any]]] = {
    "one is enough": (ADA, {"required_approvals": 1}),
    "the issuer may vote": (SELF, {"required_approvals": 1, "allow_self_approval": True}),
    "anybody may vote": (GRACE, {"required_approvals": 1, "approver_groups": ()}),
    "under no policy": (ADA, {"required_approvals": 1, "policy_digest": "sha256:" + "0" * 64}),
}


def vote_on_forged_terms(engine: sa.Engine, name: str, writer: str) -> DirectiveRead:
    """Have a person who may vote do so on a request whose terms somebody lowered."""
    know(engine, SELF)
    voter, terms = TERMS[name]
    victim = waiting(engine, STRICT, type="test", issued_by="wanda")
    replaced(engine, victim, writer, **terms)
    with contextlib.suppress(RemitError):
        cast(engine, victim, policy=STRICT, by=voter)
    return victim


@by_every_writer
@pytest.mark.parametrize("name", TERMS)
def test_terms_that_somebody_lowered_are_not_enough(
    engine: sa.Engine, name: str, writer: str
) -> None:
    with worker(engine, Fixed(STRICT)) as hands:
        victim = vote_on_forged_terms(engine, name, writer)
        hands.work(victim.id)
    assert hands.effects == []


@pytest.mark.parametrize("name", [name for name in TERMS if name != "under no policy"])
def test_without_the_look_at_the_policy_lowered_terms_execute(
    engine: sa.Engine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "check_terms", lambda *_: None)
    with worker(engine, Fixed(STRICT)) as hands:
        victim = vote_on_forged_terms(engine, name, "past every rule")
        hands.work(victim.id)
    assert hands.struck == {victim.id}


@by_every_writer
def test_a_request_that_waits_longer_than_policy_lets_it_is_not_answered(
    engine: sa.Engine, writer: str
) -> None:
    once = asking(expires_after="1h")
    with worker(engine, Fixed(once)) as hands:
        victim = waiting(engine, once, type="test")
        # Both were opened on other days: nobody may answer either any more.
        write(
            engine,
            "UPDATE approval_requests SET requested_at = requested_at - interval '2 days'"
            " WHERE directive_id = :id",
            id=victim.id,
        )
        asked = request_of(engine, victim).requested_at + timedelta(days=1)
        forged = {"requested_at": asked, "expires_at": asked + timedelta(days=365)}
        replaced(engine, victim, writer, **forged)
        with contextlib.suppress(RemitError):
            cast(engine, victim, policy=once)
        hands.work(victim.id)
    assert hands.effects == []


@by_every_writer
@pytest.mark.parametrize(
    "content", [{"scope": "production"}, {"budget": "$1000000"}], ids=["scope", "budget"]
)
def test_no_vote_overrides_a_block_whoever_opened_the_request(
    engine: sa.Engine, content: dict[str, str], writer: str
) -> None:
    once = asking()
    donor = request_of(engine, waiting(engine, once, type="test"))
    victim = proposed(engine, once, type="test", **content)
    assert victim.status == "blocked"
    with WRITERS[writer](engine) as connection:
        w.move(connection, victim.id, "proposed")
        w.say(connection, victim.id, "directive.retried")
        w.ask(
            connection,
            victim.id,
            action_digest=victim.action_digest,
            policy_version=donor.policy_version,
            policy_digest=donor.policy_digest,
        )
    with worker(engine, Fixed(once)) as hands:
        with contextlib.suppress(RemitError):
            cast(engine, victim, policy=once)
        hands.work(victim.id)
    assert hands.effects == []


def put_token(c: Connection, name: str) -> Token:
    """Write a token whose secret the attacker chose."""
    token = new_token()
    row = {"id": token.id, "principal": name, "hash": token.hash, "scopes": Jsonb([])}
    w.insert(c, "api_tokens", row | {"created_by": "admin", "expires_at": "tomorrow"})
    return token


def make_a_person(c: Connection) -> Token:
    put_person(c, "nobody")
    return put_token(c, "nobody")


def make_a_token(c: Connection) -> Token:
    return put_token(c, "grace")


def promote_a_person(c: Connection) -> Token:
    put_person(c, "audrey", "auditor")
    c.execute("UPDATE principals SET roles = '[\"admin\"]' WHERE name = 'audrey'")
    return put_token(c, "audrey")


@pytest.mark.parametrize("forge", [make_a_person, make_a_token, promote_a_person])
def test_a_voter_whom_somebody_wrote_into_the_database_cannot_vote(
    engine: sa.Engine, forge: Callable[[Connection], Token]
) -> None:
    once = asking()
    victim = waiting(engine, once, type="test")
    with worker(engine, Fixed(once)) as hands:
        with contextlib.suppress(RemitError, psycopg.Error):
            with as_service(engine) as connection:
                token = forge(connection)
            cast(engine, victim, policy=once, by=authenticate(engine, str(token), KEYS))
        hands.work(victim.id)
    assert hands.effects == []


def test_nobody_who_was_shut_out_can_be_let_in_again(engine: sa.Engine) -> None:
    know(engine, Principal("judas", "human", roles=("approver",)))
    disable_principal(engine, "judas", by=ADMIN, keys=KEYS)
    with pytest.raises(psycopg.Error), as_service(engine) as connection:
        connection.execute("UPDATE principals SET disabled_at = NULL WHERE name = 'judas'")


def test_a_request_cannot_be_changed_where_it_stands(engine: sa.Engine) -> None:
    victim = waiting(engine, asking(required_approvals=2))
    for change in (
        "required_approvals = 1",
        "expires_at = now() + interval '1 year'",
        "allow_self_approval = true",
        "policy_digest = 'sha256:0'",
    ):
        statement = f"UPDATE approval_requests SET {change} WHERE directive_id = %s"  # noqa: S608 - names of the test
        with pytest.raises(psycopg.errors.InsufficientPrivilege), as_service(engine) as connection:
            connection.execute(statement.encode(), [victim.id])
        with pytest.raises(psycopg.Error), forgery(engine, "grants") as connection:
            connection.execute(statement.encode(), [victim.id])
