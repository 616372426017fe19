"""The whole tour: what was found, beside what was expected, and what that proves. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from remit.base.json_types import JsonObject
from remit.identity.types import Principal
from remit.operations.evidence.records import Record
from remit.operations.evidence.upkeep import ArtifactCheck
from remit.signing.keys import Keyring
from remit.tour.ledger import Ledger
from remit.tour.proofs import Proof, prove, prove_evidence
from remit.tour.script import LEDGER, Outcome, Scene
from remit.vocabulary import PolicyVerdict


@dataclass(frozen=True)
class Played:
    """One scene after it was played.

    Attributes:
        scene: what was to happen.
        record: all that Remit knows of its directive; None when it was not even stored.
        ledger: what the ledger holds for it.
        verdict: the gate's first answer; None when there was none.
        complaints: what went otherwise while it was played, each in one line.
        killed_pid: process id of the worker that was killed meanwhile; None when none was.
    """

    scene: Scene
    record: Record | None
    ledger: Ledger
    verdict: PolicyVerdict | None
    complaints: tuple[str, ...]
    killed_pid: int | None

    @property
    def found(self) -> Outcome | None:
        """What became of the directive; None when it was not stored or not decided."""
        if self.record is None or self.verdict is None:
            return None
        record, run = self.record, self.record.run
        return Outcome(
            verdict=self.verdict.value,
            status=record.directive.status,
            reason=record.directive.status_reason,
            blocked_by=_blocked_by(record) if self.verdict is PolicyVerdict.BLOCK else (),
            approved_by=record.grant.votes if record.grant else (),
            run=run.status if run else None,
            attempts=run.attempts if run else 0,
            effects=self.ledger.effects,
        )

    @property
    def differences(self) -> tuple[str, ...]:
        """Each way in which what happened differs from what was expected; empty when none."""
        found, expected = self.found, self.scene.expect
        unlike: list[str] = []
        if found is not None:
            unlike = [
                f"{name}: expected {_said(getattr(expected, name))}, "
                f"found {_said(getattr(found, name))}"
                for name in Outcome.model_fields
                if getattr(found, name) != getattr(expected, name)
            ]
            if self.scene.directive.type == LEDGER and len(self.ledger.worker_pids) != (
                found.attempts
            ):
                unlike.append(
                    f"attempts: the run counts {found.attempts}, "
                    f"the ledger {len(self.ledger.worker_pids)}"
                )
        return (*self.complaints, *unlike)

    @property
    def seconds(self) -> float | None:
        """How long from its storing to its last change of status, by the database's clock."""
        if self.record is None:
            return None
        directive = self.record.directive
        return (directive.updated_at - directive.created_at).total_seconds()


def _blocked_by(record: Record) -> tuple[str, ...]:
    """Return the policies that blocked it, from the newest evaluation in evidence."""
    evaluations = [one for one in record.artifacts if one.type == "policy_evaluation"]
    results = evaluations[-1].metadata["results"] if evaluations else []
    return tuple(
        str(result["policy"])
        for result in (results if isinstance(results, list) else [])
        if isinstance(result, dict) and result["verdict"] == PolicyVerdict.BLOCK.value
    )


def _said(value: object) -> str:
    """Return a value of an outcome as a person writes it."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "nobody"
    return "none" if value is None else str(value)


@dataclass(frozen=True)
class TourReport:
    """The whole tour.

    Attributes:
        played: every scene, in the order of the script.
        first_completed_seconds: from the start of this process to the first directive that was
            seen complete; None when none was.
        seconds: from the first proposal to the end of the last scene.
        people: everybody whom the database knows, by name.
        keys: what grants and votes must be signed with.
        evidence: what was found when every artifact was read back.
    """

    played: tuple[Played, ...]
    first_completed_seconds: float | None
    seconds: float
    people: Mapping[str, Principal]
    keys: Keyring
    evidence: ArtifactCheck

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What the tour as a whole shows."""
        return (
            *prove(self.played, self.people, self.keys),
            prove_evidence(self.evidence),
        )

    @property
    def passed(self) -> bool:
        """Whether everything happened as expected and every proof holds."""
        as_expected = not any(one.differences for one in self.played)
        return as_expected and all(proof.holds for proof in self.proofs)

    @property
    def exemplar(self) -> Played | None:
        """The scene whose steps tell most: the first that people approved and that ran.

        Where there is none, the first that ran; None when none did.
        """
        ran = [one for one in self.played if one.record is not None and one.record.run is not None]
        asked = [one for one in ran if one.record and one.record.grant and one.record.grant.votes]
        return next(iter((*asked, *ran)), None)

    def to_json(self) -> JsonObject:
        """Return the report as plain JSON."""
        return {
            "passed": self.passed,
            "first_completed_seconds": _rounded(self.first_completed_seconds),
            "seconds": _rounded(self.seconds),
            "directives": [_scene_to_json(one) for one in self.played],
            "proofs": [{"holds": proof.holds, "text": proof.text} for proof in self.proofs],
        }


def _scene_to_json(one: Played) -> JsonObject:
    found = one.found
    return {
        "title": one.scene.title,
        "id": str(one.record.directive.id) if one.record else None,
        "expected": one.scene.expect.model_dump(mode="json"),
        "found": found.model_dump(mode="json") if found else None,
        "differences": list(one.differences),
        "seconds": _rounded(one.seconds),
    }


def _rounded(seconds: float | None) -> JsonValue:
    return None if seconds is None else round(seconds, 3)
