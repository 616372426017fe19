"""What happened is compared with what was expected word by word; no proof holds by examining nothing."""  # noqa: E501

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from remit.approval.types import Grant
from remit.audit.chain import Event
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.operations.evidence import Record
from remit.policy.types import PolicyVerdict
from remit.tour.ledger import Ledger
from remit.tour.report import Played, Proof, TourReport, prove
from remit.tour.script import Scene

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID, GRANT, RUN = UUID(int=1), UUID(int=2), UUID(int=3)
DIGEST = "sha256:" + "0" * 64


def _scene(type_: str = "echo", **expect: Any) -> Scene:
    directive = {
        "role": "executor",
        "type": type_,
        "objective": "Try.",
        "scope": "test",
        "issued_by": "planner",
        "status": "proposed",
    }
    outcome = {"verdict": "allow", "status": "complete", "run": "completed", "attempts": 1}
    return Scene.model_validate(
        {"title": "Try", "directive": directive, "expect": outcome | expect}
    )


def _directive(**changes: Any) -> DirectiveRead:
    values: dict[str, Any] = {
        "id": ID,
        "type": "echo",
        "status": "complete",
        "status_reason": None,
        "action_digest": DIGEST,
        "created_at": NOW,
        "updated_at": NOW + timedelta(seconds=1.5),
    }
    return DirectiveRead.model_construct(**(values | changes))


def _grant(**changes: Any) -> Grant:
    grant = Grant(
        id=GRANT,
        directive_id=ID,
        request_id=None,
        action_digest=DIGEST,
        policy_version="1",
        policy_digest=DIGEST,
        module="echo",
        votes=(),
        budget=None,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        voided_at=None,
        void_reason=None,
    )
    return replace(grant, **changes)


def _run(**changes: Any) -> ExecutionRunRead:
    values: dict[str, Any] = {"id": RUN, "grant_id": GRANT, "module": "echo"}
    values |= {"status": "completed", "attempts": 1}
    return ExecutionRunRead.model_construct(**(values | changes))


def _record(**changes: Any) -> Record:
    event = Event(ID, 1, "grant.consumed", "remit", NOW, "{}", "genesis", DIGEST)
    record = Record(
        directive=_directive(),
        request=None,
        votes=(),
        grant=_grant(),
        run=_run(),
        artifacts=(),
        events=(event,),
        broken_at=None,
    )
    return replace(record, **changes)


def _played(**changes: Any) -> Played:
    played = Played(
        scene=_scene(),
        record=_record(),
        ledger=Ledger((), 0),
        verdict=PolicyVerdict.ALLOW,
        complaints=(),
        killed_pid=None,
    )
    return replace(played, **changes)


def test_what_happened_as_expected_has_no_difference() -> None:
    assert _played().differences == ()


def test_the_time_it_took_is_the_database_s() -> None:
    assert _played().seconds == 1.5


@pytest.mark.parametrize(
    ("played", "difference"),
    [
        (_played(scene=_scene(verdict="block")), "verdict: expected block, found allow"),
        (_played(scene=_scene(status="aborted")), "status: expected aborted, found complete"),
        (_played(scene=_scene(run=None)), "run: expected none, found completed"),
        (_played(scene=_scene(attempts=2)), "attempts: expected 2, found 1"),
        (_played(scene=_scene(effects=1)), "effects: expected 1, found 0"),
        (
            _played(scene=_scene(approved_by=["operator"])),
            "approved_by: expected operator, found nobody",
        ),
        (_played(complaints=("it did not end within 60 s",)), "it did not end within 60 s"),
        (
            _played(scene=_scene("ledger", effects=1), ledger=Ledger((7, 8), 1)),
            "attempts: the run counts 1, the ledger 2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_difference_is_said_in_one_line(played: Played, difference: str) -> None:
    assert played.differences == (difference,)
    assert not TourReport((played,), None, 1.0).passed


def test_a_directive_that_was_refused_has_no_outcome_and_its_complaint_stands() -> None:
    refused = _played(record=None, verdict=None, complaints=("refused: budget: no amount",))
    assert (refused.found, refused.seconds) == (None, None)
    assert refused.differences == ("refused: budget: no amount",)


def test_a_tour_that_went_as_expected_passes() -> None:
    report = TourReport((_played(),), 2.0, 1.0)
    assert report.passed
    assert [proof.text for proof in report.proofs] == [
        "all 1 came to one end, each that stopped with its reason: 1 complete",
        "every log verifies: 1 hash chains, 1 events; 0 artifacts beside them",
        (
            "nothing ran without a grant: 1 runs, each consumed its own, for that action alone; "
            "0 never ran"
        ),
    ]


def test_a_tour_of_nothing_proves_nothing() -> None:
    assert [proof.holds for proof in prove([])] == [False, False, True]
    assert not TourReport((), None, 0.0).passed


@pytest.mark.parametrize(
    "record",
    [
        _record(grant=None),
        _record(events=()),
        _record(run=None),
        _record(grant=_grant(id=RUN)),
        _record(grant=_grant(action_digest="sha256:other")),
        _record(grant=_grant(directive_id=RUN)),
        _record(grant=_grant(module="noop")),
        _record(grant=_grant(voided_at=NOW, void_reason="canceled")),
    ],
)
def test_a_run_and_a_consumed_grant_that_do_not_fit_are_found(record: Record) -> None:
    proofs = prove([_played(record=record)])
    assert Proof(holds=False, text=f"ran without a grant of its own: {ID}") in proofs


@pytest.mark.parametrize("change", [{"broken_at": 1}, {"events": ()}])
def test_a_broken_or_empty_log_is_found(change: dict[str, Any]) -> None:
    proofs = prove([_played(record=_record(**change))])
    assert Proof(holds=False, text=f"an event log does not verify: {ID}") in proofs


def test_a_directive_that_came_to_no_end_is_found() -> None:
    proofs = prove([_played(record=_record(directive=_directive(status="executing")))])
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
    assert prove([_played(ledger=ledger, killed_pid=7)])[-1] == proof


def test_the_report_is_plain_json() -> None:
    written = TourReport((_played(),), 2.00049, 1.0).to_json()
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
