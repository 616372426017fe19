"""What happened is compared with what was expected, word by word."""

from typing import Any

import pytest

from remit.operations.evidence.upkeep import ArtifactCheck
from remit.tour.ledger import Ledger
from remit.tour.report import Played, TourReport
from tests.support.golden import golden
from tests.unit.tour.samples import ID, KEYS, PEOPLE, a_played, a_record, a_scene, voted


def a_report(*played: Played, first_completed: float | None = None) -> TourReport:
    return TourReport(played, first_completed, 1.0, PEOPLE, KEYS, ArtifactCheck(9, (), 0, 1))


def test_what_happened_as_expected_has_no_difference() -> None:
    assert a_played().differences == ()


def test_the_time_it_took_is_the_database_s() -> None:
    assert a_played().seconds == 1.5


@pytest.mark.parametrize(
    ("played", "difference"),
    [
        (a_played(scene=a_scene(verdict="block")), "verdict: expected block, found allow"),
        (a_played(scene=a_scene(status="aborted")), "status: expected aborted, found complete"),
        (a_played(scene=a_scene(run=None)), "run: expected none, found completed"),
        (a_played(scene=a_scene(attempts=2)), "attempts: expected 2, found 1"),
        (a_played(scene=a_scene(effects=1)), "effects: expected 1, found 0"),
        (
            a_played(scene=a_scene(approved_by=["operator"])),
            "approved_by: expected operator, found nobody",
        ),
        (a_played(complaints=("it did not end within 60 s",)), "it did not end within 60 s"),
        (
            a_played(scene=a_scene("ledger", effects=1), ledger=Ledger((7, 8), 1)),
            "attempts: the run counts 1, the ledger 2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_difference_is_said_in_one_line(played: Played, difference: str) -> None:
    assert played.differences == (difference,)
    assert not a_report(played).passed


def test_a_directive_that_was_refused_has_no_outcome_and_its_complaint_stands() -> None:
    refused = a_played(record=None, verdict=None, complaints=("refused: budget: no amount",))
    assert (refused.found, refused.seconds) == (None, None)
    assert refused.differences == ("refused: budget: no amount",)


def test_a_tour_that_went_as_expected_passes() -> None:
    found = a_report(a_played(), first_completed=2.0)
    assert found.passed
    assert golden("demo", "its proofs") == "".join(f"{proof.text}\n" for proof in found.proofs)


def test_a_tour_of_nothing_does_not_pass() -> None:
    assert not a_report().passed


def test_the_report_is_plain_json() -> None:
    written = a_report(a_played(), first_completed=2.00049).to_json()
    assert written["passed"] is True
    assert written["first_completed_seconds"] == 2.0
    assert written["directives"] == [
        {
            "title": "Try",
            "id": str(ID),
            "expected": _outcome(),
            "found": _outcome(),
            "differences": [],
            "seconds": 1.5,
        }
    ]


NOT_RUN = a_played(scene=a_scene("not run"), record=a_record(run=None, grant=None))
REFUSED = a_played(scene=a_scene("refused"), record=None)
RAN = a_played(scene=a_scene("ran"))
APPROVED = a_played(
    scene=a_scene("approved"), record=voted(("operator", "approve"), granted=("operator",))
)


@pytest.mark.parametrize(
    ("played", "exemplar"),
    [
        ((), None),
        ((REFUSED, NOT_RUN), None),
        ((REFUSED, RAN, NOT_RUN), RAN),
        ((RAN, NOT_RUN, APPROVED), APPROVED),
    ],
    ids=["nothing", "nothing that ran", "one that ran", "one that a person approved"],
)
def test_the_exemplar_ran_if_one_did_and_a_person_approved_it_if_one_did(
    played: tuple[Played, ...], exemplar: Played | None
) -> None:
    assert a_report(*played).exemplar is exemplar


def _outcome() -> dict[str, Any]:
    return {
        "verdict": "allow",
        "status": "complete",
        "reason": None,
        "blocked_by": [],
        "approved_by": [],
        "run": "completed",
        "attempts": 1,
        "effects": 0,
    }
