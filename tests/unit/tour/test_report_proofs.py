"""No proof holds by examining nothing, and none when something is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from remit.operations.evidence.records import Record
from remit.operations.evidence.upkeep import ArtifactCheck
from remit.tour import report
from remit.tour.ledger import Ledger
from remit.tour.report import Played, Proof, prove_evidence
from tests.unit.tour.samples import (
    ID,
    KEYS,
    NOW,
    OTHER_KEYS,
    PEOPLE,
    RUN,
    a_directive,
    a_grant,
    a_played,
    a_record,
    voted,
)


def prove(played: list[Played]) -> tuple[Proof, ...]:
    return report.prove(played, PEOPLE, KEYS)


def test_a_tour_of_nothing_proves_nothing() -> None:
    assert [proof.holds for proof in prove([])] == [False, False, True]


@pytest.mark.parametrize(
    "record",
    [
        a_record(grant=None),
        a_record(events=()),
        a_record(run=None),
        a_record(grant=a_grant(id=RUN)),
        a_record(grant=a_grant(action_digest="sha256:other")),
        a_record(grant=a_grant(directive_id=RUN)),
        a_record(grant=a_grant(module="noop")),
        a_record(grant=a_grant(voided_at=NOW, void_reason="canceled")),
        a_record(grant=replace(a_grant(), envelope=None)),
        a_record(grant=replace(a_grant(), votes=("operator",))),
        a_record(grant=a_grant(keys=OTHER_KEYS)),
    ],
)
def test_a_run_and_a_consumed_grant_that_do_not_fit_are_found(record: Record) -> None:
    proofs = prove([a_played(record=record)])
    assert Proof(holds=False, text=f"ran without a signed grant of its own: {ID}") in proofs


def test_votes_that_people_signed_are_told() -> None:
    record = voted(("operator", "reject"), ("operator", "approve"), granted=("operator",))
    text = "every vote is signed, and a person's: 2 by operator"
    assert Proof(holds=True, text=text) in prove([a_played(record=record)])


@pytest.mark.parametrize(
    ("record", "who"),
    [
        (voted(("assistant", "approve"), granted=("assistant",)), "assistant"),
        (voted(("stranger", "approve"), granted=("stranger",)), "stranger"),
        (voted(("operator", "approve"), granted=("operator",), keys=OTHER_KEYS), "operator"),
        (voted(granted=("operator",)), "operator"),
        (voted(("operator", "reject"), granted=("operator",)), "operator"),
        (replace(voted(("operator", "approve"), granted=()), request=None), "operator"),
    ],
    ids=["agent", "unknown", "other key", "no vote", "not approved", "no request"],
)
def test_a_vote_that_is_not_signed_or_no_persons_is_found(record: Record, who: str) -> None:
    text = f"a vote is not signed, or no person's: {who}'s on {ID}"
    assert Proof(holds=False, text=text) in prove([a_played(record=record)])


@pytest.mark.parametrize("change", [{"broken_at": 1}, {"events": ()}])
def test_a_broken_or_empty_log_is_found(change: dict[str, Any]) -> None:
    proofs = prove([a_played(record=a_record(**change))])
    assert Proof(holds=False, text=f"an event log does not verify: {ID}") in proofs


def test_a_directive_that_came_to_no_end_is_found() -> None:
    proofs = prove([a_played(record=a_record(directive=a_directive(status="executing")))])
    assert proofs[0] == Proof(holds=False, text="not every directive came to an end: 1 executing")


@pytest.mark.parametrize(
    ("ledger", "proof"),
    [
        (
            Ledger((7, 8), 1),
            Proof(
                holds=True,
                text="worker 7 was killed in attempt 1, worker 8 finished in attempt 2: one effect",
            ),
        ),
        (
            Ledger((7, 8), 2),
            Proof(holds=False, text="worker 7 was killed: attempts by 7, 8; 2 effects"),
        ),
        (Ledger((7,), 1), Proof(holds=False, text="worker 7 was killed: attempts by 7; 1 effects")),
        (
            Ledger((8, 9), 1),
            Proof(holds=False, text="worker 7 was killed: attempts by 8, 9; 1 effects"),
        ),
    ],
)
def test_a_kill_proves_something_only_with_one_effect_by_two_workers(
    ledger: Ledger, proof: Proof
) -> None:
    assert prove([a_played(ledger=ledger, killed_pid=7)])[-1] == proof


def test_evidence_that_is_whole_is_counted() -> None:
    assert prove_evidence(ArtifactCheck(65, (), 0, 1)) == Proof(
        holds=True,
        text="every artifact was read back and is what its digest says: 65, 1 of them in the "
        "object store",
    )


@pytest.mark.parametrize(
    ("found", "which"),
    [
        (ArtifactCheck(0, (), 0, 0), "there is none"),
        (ArtifactCheck(2, ("artifact://local/1: gone",), 1, 0), "artifact://local/1: gone"),
    ],
)
def test_evidence_that_is_damaged_or_missing_proves_nothing(
    found: ArtifactCheck, which: str
) -> None:
    text = f"not every artifact is what its digest says: {which}"
    assert prove_evidence(found) == Proof(holds=False, text=text)
