"""A row of `approval_votes` carries no authority: only a vote that Remit signed counts, once."""

import json
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.approval.statements import sign_vote
from remit.approval.types import Vote
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError
from remit.operations.evidence.records import Record, read_record
from remit.operations.gate.approvals import settle
from remit.signing.keys import Keyring
from tests.integration.operations.forging import OTHER_KEYS
from tests.support.contents import asking, cast, no, waiting, write, yes
from tests.support.keys import KEYS
from tests.support.people import ADA, GRACE, OPERATOR


def request_of(engine: sa.Engine, found: DirectiveRead) -> UUID:
    request = read_record(engine, found.id).request
    assert request is not None
    return request.id


def plant(engine: sa.Engine, found: DirectiveRead, voter: str, envelope: Any = None) -> None:
    """Write the row of an approval that nobody cast."""
    write(
        engine,
        "INSERT INTO approval_votes (request_id, voter, decision, action_digest, envelope)"
        " VALUES (:request, :voter, 'approve', :digest, :envelope)",
        request=request_of(engine, found),
        voter=voter,
        digest=found.action_digest,
        envelope=None if envelope is None else json.dumps(envelope),
    )


def still_waits(engine: sa.Engine, found: DirectiveRead) -> Record:
    settle(engine, found.id)
    record = read_record(engine, found.id)
    assert (record.directive.status, record.grant) == ("proposed", None)
    return record


def test_a_vote_that_was_written_behind_remits_back_does_not_count(engine: sa.Engine) -> None:
    careful = asking(required_approvals=2)
    found = waiting(engine, careful)
    plant(engine, found, "grace")
    plant(engine, found, "linus")
    still_waits(engine, found)
    outcome = cast(engine, found, policy=careful, by=ADA)
    assert (outcome.outcome, outcome.missing) == ("pending", 1)
    assert len(still_waits(engine, found).votes) == 3
    assert cast(engine, found, policy=careful, by=OPERATOR).outcome == "approved"
    grant = read_record(engine, found.id).grant
    assert grant is not None
    assert grant.votes == ("ada", "operator")


def signed_elsewhere(
    engine: sa.Engine, found: DirectiveRead, voter: str, keys: Keyring
) -> dict[str, Any]:
    """Return the envelope of a vote that somebody signed with keys of their own."""
    record = read_record(engine, found.id)
    assert record.request is not None
    vote = Vote(voter, "approve", None, record.request.action_digest, record.request.requested_at)
    signed = sign_vote(vote, record.request, keys).envelope
    assert signed is not None
    return signed


def test_neither_anothers_key_nor_another_requests_vote_makes_a_row_count(
    engine: sa.Engine,
) -> None:
    careful = asking(required_approvals=2)
    found, other = waiting(engine, careful), waiting(engine, careful)
    cast(engine, other, policy=careful, by=GRACE)
    [real] = read_record(engine, other.id).votes
    plant(engine, found, "grace", real.envelope)
    plant(engine, found, "linus", signed_elsewhere(engine, found, "linus", OTHER_KEYS))
    # Even the right key: what it signed says another moment than the row does.
    plant(engine, found, "issuer", signed_elsewhere(engine, found, "issuer", KEYS))
    plant(engine, found, "patron", {"payload": "", "payloadType": "", "signatures": []})
    outcome = cast(engine, found, policy=careful, by=ADA)
    assert (outcome.outcome, outcome.missing) == ("pending", 1)
    still_waits(engine, found)


def test_a_no_that_was_turned_into_a_yes_does_not_count(engine: sa.Engine) -> None:
    patient = asking(required_approvals=2, rejection_ends=False)
    found = waiting(engine, patient)
    cast(engine, found, no(found), patient, by=GRACE)
    write(
        engine,
        "UPDATE approval_votes SET decision = 'approve' WHERE request_id = :id",
        id=request_of(engine, found),
    )
    outcome = cast(engine, found, policy=patient, by=ADA)
    assert (outcome.outcome, outcome.missing) == ("pending", 1)
    still_waits(engine, found)


@pytest.mark.parametrize(
    "weaker",
    [
        "required_approvals = 1",
        "allow_self_approval = true",
        "approver_groups = '[]'",
        "rejection_ends = false",
    ],
)
def test_a_request_that_was_made_to_ask_for_less_than_policy_does_takes_no_votes(
    engine: sa.Engine, weaker: str
) -> None:
    careful = asking(required_approvals=2, approver_groups=["release"])
    found = waiting(engine, careful)
    write(
        engine,
        f"UPDATE approval_requests SET {weaker} WHERE id = :id",  # noqa: S608 - stands above
        id=request_of(engine, found),
    )
    with pytest.raises(ConflictError, match="the approval request is not what policy asks for"):
        cast(engine, found, yes(found), careful, by=ADA)
    assert still_waits(engine, found).votes == ()


def test_a_vote_that_was_taken_back_does_not_count_when_its_row_is_written_again(
    engine: sa.Engine,
) -> None:
    patient = asking(required_approvals=2, rejection_ends=False)
    found = waiting(engine, patient)
    cast(engine, found, policy=patient, by=GRACE)
    cast(engine, found, no(found), patient, by=GRACE)
    write(
        engine,
        "INSERT INTO approval_votes"
        " (request_id, voter, decision, reason, action_digest, cast_at, envelope)"
        " SELECT request_id, voter, decision, reason, action_digest, cast_at, envelope"
        " FROM approval_votes WHERE request_id = :id AND decision = 'approve'",
        id=request_of(engine, found),
    )
    outcome = cast(engine, found, policy=patient, by=ADA)
    assert (outcome.outcome, outcome.missing) == ("pending", 1)
    still_waits(engine, found)
