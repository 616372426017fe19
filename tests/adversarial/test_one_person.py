"""One person with several tokens, a stolen token, and answers that somebody cut out.

Tokens are made and shown as the commands do it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remit.approval.answers import heard_problems, line_problems
from remit.approval.statements import verify_grant, verify_vote
from remit.base.json_types import JsonObject
from remit.directives.repository import issuer_envelope
from remit.directives.statements import intent_statement, verify_intent
from remit.errors import ForbiddenError, UnverifiableError
from remit.identity.types import Principal
from remit.operations.evidence.explanation import explain
from remit.operations.evidence.records import Record, read_record
from remit.operations.gate import ballots
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import create_token
from remit.operations.identities.invitations import invite, redeem
from remit.operations.identities.revocation import revoke_token
from remit.policy.config import PolicyConfig
from tests.adversarial import world as w
from tests.adversarial.attacking import Fixed, Hands, forgery, without, worker
from tests.adversarial.forging import as_service
from tests.support.contents import asking, cast, no, under, waiting
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, GRACE, know, token_of

HOUR = timedelta(hours=1)
TWO = asking(required_approvals=2, rejection_ends=False)
CARELESS = asking(required_approvals=2, rejection_ends=False, independent_tokens=False)


def made(engine: sa.Engine, name: str, by: Principal = ADMIN) -> Principal:
    """Return a person as a token shows them that somebody made for them."""
    wanted = Principal(name, "human", roles=("approver",))
    token = create_token(engine, wanted, valid_for=HOUR, by=by, keys=KEYS).token
    return authenticate(engine, str(token), KEYS)


def redeemed(engine: sa.Engine, name: str) -> Principal:
    """Return a person as a token shows them that they made of an invitation."""
    wanted = Principal(name, "human", roles=("approver",))
    code = invite(engine, wanted, valid_for=HOUR, open_for=HOUR, by=ADMIN, keys=KEYS).code
    return authenticate(engine, str(redeem(engine, str(code), KEYS).token), KEYS)


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine, Fixed(TWO)) as found:
        yield found


COUNTS_AS_ONE = (
    "admin made the token of second, and so second and first count as one person; "
    "`remit token invite second` gets them one that nobody else has seen"
)


def test_one_admin_cannot_vote_as_two_whose_tokens_they_made(
    engine: sa.Engine, hands: Hands
) -> None:
    victim = waiting(engine, TWO, type="test")
    first, second = made(engine, "first"), made(engine, "second")
    assert cast(engine, victim, policy=TWO, by=first).missing == 1
    with pytest.raises(ForbiddenError) as caught:
        cast(engine, victim, policy=TWO, by=second)
    assert str(caught.value) == COUNTS_AS_ONE
    # Nor as themself, beside either of them.
    assert cast(engine, victim, policy=TWO, by=ADMIN).missing == 1
    hands.work(victim.id)
    assert hands.effects == []
    # Somebody whose token nobody else has seen is the second person.
    assert cast(engine, victim, policy=TWO, by=redeemed(engine, "third")).outcome == "approved"
    hands.work(victim.id)
    assert hands.struck == {victim.id}


def test_an_explanation_says_who_could_still_answer_and_who_counts_as_one_with_whom(
    engine: sa.Engine,
) -> None:
    victim = waiting(engine, TWO, type="test")
    cast(engine, victim, policy=TWO, by=made(engine, "first"))
    made(engine, "second")
    redeemed(engine, "fresh")
    know(engine, Principal("idle", "human", roles=("approver",)))
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE api_tokens SET revoked_at = now() WHERE principal = 'idle'")
        )
    waits = explain(engine, victim.id, under(TWO)).waiting
    assert waits is not None
    assert (waits.approved_by, waits.missing) == (("first",), 1)
    said = {one.name: one.objection for one in waits.candidates}
    assert said["second"] == COUNTS_AS_ONE
    assert said["idle"] == (
        "idle has no token that could vote; "
        "`remit token invite idle` gets them one that nobody else has seen"
    )
    # The admin's own vote would take the place of first's, and add nobody: yet they may cast it.
    assert [said[name] for name in ("first", "fresh", "grace", "admin")] == [None] * 4


def test_where_policy_does_not_ask_for_independent_tokens_one_admin_is_two(
    engine: sa.Engine,
) -> None:
    with worker(engine, Fixed(CARELESS)) as careless:
        victim = waiting(engine, CARELESS, type="test")
        for name in ("first", "second"):
            cast(engine, victim, policy=CARELESS, by=made(engine, name))
        careless.work(victim.id)
    assert careless.struck == {victim.id}


def test_nobody_approves_with_a_token_that_the_issuer_made(
    engine: sa.Engine,
) -> None:
    victim = waiting(engine, issued_by="admin")
    with pytest.raises(ForbiddenError) as caught:
        cast(engine, victim, by=made(engine, "first"))
    assert str(caught.value) == (
        "admin made the token of first, and policy does not allow self-approval; "
        "`remit token invite first` gets them one that nobody else has seen"
    )
    assert cast(engine, victim, by=redeemed(engine, "first")).outcome == "approved"


def test_where_tokens_must_be_redeemed_a_made_one_approves_nothing(engine: sa.Engine) -> None:
    strict = asking(redeemed_tokens=True)
    victim = waiting(engine, strict)
    with pytest.raises(ForbiddenError, match="was not made of an invitation; `remit token invite"):
        cast(engine, victim, policy=strict, by=made(engine, "first"))
    assert cast(engine, victim, policy=strict, by=redeemed(engine, "first")).outcome == "approved"


def stolen_vote(engine: sa.Engine, policy: PolicyConfig = TWO) -> tuple[Record, Principal]:
    """Return a directive that a thief approved with the token of somebody, which was revoked."""
    victim = waiting(engine, policy, type="test")
    owner = redeemed(engine, "owner")
    cast(engine, victim, policy=policy, by=owner)
    assert owner.token is not None
    revoke_token(engine, owner.token, by=ADMIN, keys=KEYS)
    return read_record(engine, victim.id), owner


def test_a_vote_with_a_token_that_was_revoked_since_counts_once_its_owner_votes_again(
    engine: sa.Engine, hands: Hands
) -> None:
    record, owner = stolen_vote(engine)
    victim = record.directive
    with pytest.raises(ForbiddenError, match="showed none of theirs that holds"):
        cast(engine, victim, policy=TWO, by=owner)
    after = cast(engine, victim, policy=TWO, by=GRACE)
    assert (after.outcome, after.missing) == ("pending", 1)
    hands.work(victim.id)
    assert hands.effects == []
    again = cast(engine, victim, policy=TWO, by=redeemed(engine, "owner"))
    assert (again.outcome, again.again) == ("approved", True)


def test_without_the_look_at_revocations_a_stolen_vote_executes(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ballots, "unrevoked_tokens", lambda _, ids: frozenset(ids))
    # Nor at that of the database, which is a second defence.
    without(empty_engine, "grants.remit_grant_by_people")
    with worker(empty_engine, Fixed(TWO)) as careless:
        record, _ = stolen_vote(empty_engine)
        cast(empty_engine, record.directive, policy=TWO, by=GRACE)
        careless.work(record.directive.id)
    assert careless.struck == {record.directive.id}


def test_a_vote_is_not_copied_under_a_token_that_holds(engine: sa.Engine, hands: Hands) -> None:
    record, owner = stolen_vote(engine)
    other = redeemed(engine, owner.name)
    [vote] = record.votes
    assert record.request is not None
    with forgery(engine) as connection:
        copy = replace(vote, token_id=other.token)
        w.put_vote(connection, record.request, copy)
    assert cast(engine, record.directive, policy=TWO, by=GRACE).missing == 1
    hands.work(record.directive.id)
    assert hands.effects == []


def test_nobody_votes_with_a_token_of_somebody_else_s(engine: sa.Engine) -> None:
    request = read_record(engine, waiting(engine).id).request
    assert request is not None
    nothing = ballots.Answers(request, (), (), ())
    for token in (None, token_of("ada"), token_of("nobody")):
        by = replace(GRACE, token=token)
        with (
            engine.connect() as connection,
            pytest.raises(ForbiddenError, match="grace showed none of theirs that holds"),
        ):
            ballots.standing_now(connection, by, nothing, KEYS)


def answered(engine: sa.Engine) -> Record:
    """Return a directive that was approved although ada had rejected it."""
    patient = asking(rejection_ends=False)
    found = waiting(engine, patient)
    cast(engine, found, no(found), patient, by=ADA)
    cast(engine, found, policy=patient, by=GRACE)
    return read_record(engine, found.id)


def cut(engine: sa.Engine, record: Record) -> Record:
    """Remove ada's rejection, as only the superuser can, and return what is left."""
    assert record.request is not None
    with forgery(engine) as connection:
        connection.execute(
            "DELETE FROM approval_votes WHERE request_id = %s AND voter = 'ada'",
            [record.request.id],
        )
    return read_record(engine, record.directive.id)


def test_a_rejection_that_is_cut_out_is_missed_by_the_next_vote_and_by_the_grant(
    engine: sa.Engine,
) -> None:
    whole = answered(engine)
    assert whole.grant is not None
    assert line_problems(whole.votes) == []
    assert heard_problems(whole.grant, whole.votes, []) == []
    left = cut(engine, whole)
    assert left.grant is not None
    assert left.request is not None
    # Each by itself is what was signed: without the line, nothing would show.
    verify_grant(left.grant, KEYS)
    for vote in left.votes:
        verify_vote(vote, left.request, KEYS)
    assert line_problems(left.votes) == [
        "the vote of grace follows another one than the one before it"
    ]
    assert heard_problems(left.grant, left.votes, []) == [
        "was issued after other answers than there are"
    ]


def issued(record: Record) -> JsonObject:
    found = record.directive
    digest = str(found.action_digest)
    return intent_statement(found.id, digest, found.issued_by, found.idempotency_key)


def test_a_directive_in_another_s_name_was_issued_by_nobody(engine: sa.Engine) -> None:
    honest = waiting(engine, idempotency_key="once")
    with as_service(engine) as connection:
        forged = w.new_directive(connection, issued_by="ada")
    with engine.connect() as connection:
        said = {one: issuer_envelope(connection, one) for one in (honest.id, forged)}
    proposer = verify_intent(issued(read_record(engine, honest.id)), said[honest.id], KEYS)
    assert (proposer.name, proposer.token) == ("agent-1", token_of("agent-1"))
    victim = issued(read_record(engine, forged))
    # Neither without a statement, nor with that of another directive.
    for envelope in (said[forged], said[honest.id]):
        with pytest.raises(UnverifiableError):
            verify_intent(victim, envelope, KEYS)
