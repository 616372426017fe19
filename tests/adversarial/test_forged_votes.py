"""Votes written by SQL: an honest vote beside them decides no more than it would alone."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from remit.approval.statements import sign_vote
from remit.approval.types import ApprovalRequest, Vote
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.operations.evidence.records import read_record
from remit.operations.gate import ballots
from tests.adversarial import world as w
from tests.adversarial.attacking import Fixed, Hands, worker
from tests.adversarial.forging import OWN_KEYS, WRITERS, put_person, request_of
from tests.support.contents import asking, cast, no, waiting
from tests.support.keys import KEYS
from tests.support.people import ADA, GRACE, token_of

CAREFUL = asking(required_approvals=2, rejection_ends=False)
"""Two must approve, and a rejection does not end it: the more there is to forge."""

by_every_writer = pytest.mark.parametrize("writer", WRITERS)

VoteForgery = Callable[[Vote, ApprovalRequest], Vote | None]


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine, Fixed(CAREFUL)) as made:
        yield made


def renamed_key(vote: Vote, kid: str | None) -> Vote:
    envelope: Any = copy.deepcopy(vote.envelope)
    envelope["signatures"][0].pop("keyid")
    if kid is not None:
        envelope["signatures"][0]["keyid"] = kid
    return replace(vote, envelope=envelope)


def unsigned(true: Vote, request: ApprovalRequest) -> Vote:
    return replace(true, envelope=None)


def signed_by_another_key(true: Vote, request: ApprovalRequest) -> Vote:
    return sign_vote(true, request, OWN_KEYS)


def under_a_trusted_name(true: Vote, request: ApprovalRequest) -> Vote:
    return renamed_key(sign_vote(true, request, OWN_KEYS), KEYS.kid)


def without_a_key_name(true: Vote, request: ApprovalRequest) -> Vote:
    return renamed_key(sign_vote(true, request, OWN_KEYS), None)


def of_another_request(true: Vote, request: ApprovalRequest) -> Vote:
    """Signed by Remit, as an answer to another question about the same action."""
    return true


def in_the_name_of_a_person_who_never_was(true: Vote, request: ApprovalRequest) -> Vote:
    standing: JsonObject = {**(true.standing or {}), "hands": ["mallory"]}
    return replace(true, voter="mallory", token_id=token_of("mallory"), standing=standing)


VOTES = {
    forged.__name__: forged
    for forged in (
        unsigned,
        signed_by_another_key,
        under_a_trusted_name,
        without_a_key_name,
        of_another_request,
        in_the_name_of_a_person_who_never_was,
    )
}


def second_voice(engine: sa.Engine, name: str, writer: str) -> DirectiveRead:
    """Forge one of the two votes that a directive needs; ada gives the other."""
    donor = waiting(engine, CAREFUL, type="test")
    cast(engine, donor, policy=CAREFUL, by=GRACE)
    [true] = read_record(engine, donor.id).votes
    victim = waiting(engine, CAREFUL, type="test")
    request = request_of(engine, victim)
    forged = VOTES[name](true, request)
    assert forged is not None
    with WRITERS[writer](engine) as connection:
        known = connection.execute("SELECT FROM principals WHERE name = %s", [forged.voter])
        if not known.rowcount:
            put_person(connection, forged.voter)
            w.put_token(connection, forged.voter)
        w.put_vote(connection, request, forged)
    cast(engine, victim, policy=CAREFUL, by=ADA)
    return victim


@by_every_writer
@pytest.mark.parametrize("name", VOTES)
def test_a_forged_vote_does_not_count(
    engine: sa.Engine, hands: Hands, name: str, writer: str
) -> None:
    victim = second_voice(engine, name, writer)
    assert read_record(engine, victim.id).directive.status == "proposed"
    hands.work(victim.id)
    assert hands.effects == []


@pytest.mark.parametrize("name", VOTES)
def test_without_the_look_at_its_signature_a_forged_vote_executes(
    engine: sa.Engine, hands: Hands, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ballots, "verify_vote", lambda *_: None)
    # Nor at that of whoever cast it, which is a second defence against one who never was.
    monkeypatch.setattr(ballots, "verify_principal", lambda *_: None)
    victim = second_voice(engine, name, "past every rule")
    hands.work(victim.id)
    assert hands.struck == {victim.id}


@by_every_writer
@pytest.mark.parametrize(
    "change", [{"voter": "grace"}, {"decision": "approve", "reason": None}, {}], ids=str
)
def test_a_true_vote_is_not_another_one(
    engine: sa.Engine, hands: Hands, change: dict[str, Any], writer: str
) -> None:
    """Ada's own vote, in another name, or turned round, or once more."""
    victim = waiting(engine, CAREFUL, type="test")
    cast(engine, victim, no(victim) if "decision" in change else None, CAREFUL, by=ADA)
    [true] = read_record(engine, victim.id).votes
    request = request_of(engine, victim)
    with WRITERS[writer](engine) as connection:
        w.put_vote(connection, request, replace(true, **change))
    if "decision" in change:
        cast(engine, victim, policy=CAREFUL, by=GRACE)
    assert read_record(engine, victim.id).directive.status == "proposed"
    hands.work(victim.id)
    assert hands.effects == []


@by_every_writer
def test_a_vote_that_its_voter_took_back_cannot_be_replayed(
    engine: sa.Engine, hands: Hands, writer: str
) -> None:
    victim = waiting(engine, CAREFUL, type="test")
    cast(engine, victim, policy=CAREFUL, by=ADA)
    [approval] = read_record(engine, victim.id).votes
    cast(engine, victim, no(victim), CAREFUL, by=ADA)
    request = request_of(engine, victim)
    with WRITERS[writer](engine) as connection:
        w.put_vote(connection, request, approval)
    cast(engine, victim, policy=CAREFUL, by=GRACE)
    hands.work(victim.id)
    assert hands.effects == []
