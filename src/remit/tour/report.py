"""The whole tour: what was found, beside what was expected, and what that proves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from remit.base.json_types import JsonObject
from remit.identity.types import Principal
from remit.operations.evidence.upkeep import ArtifactCheck
from remit.signing.keys import Keyring
from remit.tour.played import Played
from remit.tour.proofs import Proof, prove, prove_evidence


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
