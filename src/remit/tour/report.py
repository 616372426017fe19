"""The whole tour: what was found, beside what was expected, and what that proves. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from remit.approval.rules import approvers
from remit.approval.statements import verify_grant, verify_vote
from remit.base.json_types import JsonObject
from remit.base.wording import listed
from remit.errors import UnverifiableError
from remit.identity.types import Principal
from remit.operations.evidence.records import Record
from remit.operations.evidence.upkeep import ArtifactCheck
from remit.signing.keys import Keyring
from remit.tour.ledger import Ledger
from remit.tour.script import LEDGER, Outcome, Scene
from remit.vocabulary import PolicyVerdict


@dataclass(frozen=True)
class Played:
    """One scene after it was played.

    Attributes:
        record: all that Remit knows of its directive; None when it was not even stored.
        verdict: the gate's first answer.
        complaints: what went otherwise while it was played, each in one line.
        killed_pid: process id of the worker that was killed meanwhile.
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
        if found is None:
            return self.complaints
        pairs = {
            name: (getattr(expected, name), getattr(found, name)) for name in Outcome.model_fields
        }
        unlike = [
            f"{name}: expected {_said(wanted)}, found {_said(became)}"
            for name, (wanted, became) in pairs.items()
            if wanted != became
        ]
        began = len(self.ledger.worker_pids)
        if self.scene.directive.type == LEDGER and began != found.attempts:
            unlike.append(f"attempts: the run counts {found.attempts}, the ledger {began}")
        return (*self.complaints, *unlike)

    @property
    def seconds(self) -> float | None:
        """How long from its storing to its last change of status, by the database's clock."""
        if self.record is None:
            return None
        directive = self.record.directive
        return (directive.updated_at - directive.created_at).total_seconds()

    def to_json(self) -> JsonObject:
        """Return what happened, beside what was expected, as plain JSON."""
        found = self.found
        return {
            "title": self.scene.title,
            "id": str(self.record.directive.id) if self.record else None,
            "expected": self.scene.expect.model_dump(mode="json"),
            "found": found.model_dump(mode="json") if found else None,
            "differences": list(self.differences),
            "seconds": _rounded(self.seconds),
        }


@dataclass(frozen=True)
class Proof:
    """Something that must hold whatever the script says; `text` is what was examined and found."""

    holds: bool
    text: str


@dataclass(frozen=True)
class TourReport:
    """The whole tour.

    Attributes:
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
        return (*prove(self.played, self.people, self.keys), prove_evidence(self.evidence))

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
            "directives": [one.to_json() for one in self.played],
            "proofs": [{"holds": proof.holds, "text": proof.text} for proof in self.proofs],
        }


def prove(
    played: Sequence[Played], people: Mapping[str, Principal], keys: Keyring
) -> tuple[Proof, ...]:
    """Return what the scenes show together; a proof that examined nothing does not hold."""
    records = [one.record for one in played if one.record is not None]
    killed = [one for one in played if one.killed_pid is not None]
    return (
        _prove_ended(records),
        _prove_chains(records),
        _prove_grants(records, keys),
        *_prove_votes(records, people, keys),
        *(_prove_kill(one) for one in killed),
    )


def prove_evidence(found: ArtifactCheck) -> Proof:
    """Return what reading every artifact back shows, those in the object store too."""
    if found.failed or not found.checked:
        which = "; ".join(found.problems) or "there is none"
        return Proof(holds=False, text=f"not every artifact is what its digest says: {which}")
    read = f"{found.checked}, {found.objects} of them in the object store"
    text = f"every artifact was read back and is what its digest says: {read}"
    return Proof(holds=True, text=text)


def _prove_ended(records: Sequence[Record]) -> Proof:
    counts = Counter[str](record.directive.status for record in records)
    ends = ("complete", "aborted", "blocked")
    told = ", ".join(f"{counts[status]} {status}" for status in ends if counts[status])
    stuck = [f"{counts[status]} {status}" for status in sorted(set(counts) - set(ends))]
    if stuck or not records:
        which = ", ".join(stuck) or "there is none"
        return Proof(holds=False, text=f"not every directive came to an end: {which}")
    text = f"all {len(records)} came to one end, each that stopped with its reason: {told}"
    return Proof(holds=True, text=text)


def _prove_chains(records: Sequence[Record]) -> Proof:
    broken = [record for record in records if record.broken_at is not None or not record.events]
    if broken or not records:
        ids = ", ".join(str(record.directive.id) for record in broken) or "none was written"
        return Proof(holds=False, text=f"an event log does not verify: {ids}")
    events = sum(len(record.events) for record in records)
    text = f"every log verifies: {len(records)} hash chains, {events} events"
    return Proof(holds=True, text=text)


def _prove_grants(records: Sequence[Record], keys: Keyring) -> Proof:
    ran = [record for record in records if record.run is not None or _consumed(record)]
    without = [str(record.directive.id) for record in ran if not _granted(record, keys)]
    if without:
        text = f"ran without a signed grant of its own: {', '.join(without)}"
        return Proof(holds=False, text=text)
    never = f"{len(records) - len(ran)} never ran"
    each = f"{len(ran)} runs, each consumed its own for that action; {never}"
    return Proof(holds=True, text=f"nothing ran without a signed grant: {each}")


def _prove_votes(
    records: Sequence[Record], people: Mapping[str, Principal], keys: Keyring
) -> tuple[Proof, ...]:
    cast = [(record, vote) for record in records for vote in record.votes]
    granted = [(record, name) for record in records if record.grant for name in record.grant.votes]
    unfit = [
        (record, vote.voter)
        for record, vote in cast
        if record.request is None or not _verifies(verify_vote, vote, record.request, keys)
    ]
    persons = {name for name, each in people.items() if each.kind == "human"}
    unfit += [(record, vote.voter) for record, vote in cast if vote.voter not in persons]
    unfit += [(record, name) for record, name in granted if name not in approvers(record.votes)]
    if unfit:
        told = ", ".join(f"{name}'s on {record.directive.id}" for record, name in unfit)
        return (Proof(holds=False, text=f"a vote is not signed, or no person's: {told}"),)
    if not cast:
        return ()
    voters = listed(sorted({vote.voter for _, vote in cast}), "and")
    text = f"every vote is signed, and a person's: {len(cast)} by {voters}"
    return (Proof(holds=True, text=text),)


def _prove_kill(one: Played) -> Proof:
    pids, effects = one.ledger.worker_pids, one.ledger.effects
    successors = [pid for pid in pids if pid != one.killed_pid]
    text = f"worker {one.killed_pid} was killed"
    if not (effects == 1 and one.killed_pid in pids and len(successors) == 1):
        tried = ", ".join(map(str, pids)) or "nobody"
        return Proof(holds=False, text=f"{text}: attempts by {tried}; {effects} effects")
    after = f"worker {successors[0]} finished in attempt 2: one effect"
    return Proof(holds=True, text=f"{text} in attempt 1, {after}")


def _granted(record: Record, keys: Keyring) -> bool:
    """Return whether a run consumed the directive's grant, which covers the directive as it is."""
    run, grant = record.run, record.grant
    if run is None or grant is None or not _verifies(verify_grant, grant, keys):
        return False
    return (
        _consumed(record)
        and run.grant_id == grant.id
        and grant.directive_id == record.directive.id
        and grant.action_digest == record.directive.action_digest
        and grant.module == run.module
        and grant.voided_at is None
    )


def _consumed(record: Record) -> bool:
    return any(event.type == "grant.consumed" for event in record.events)


def _verifies(verify: Callable[..., object], *signed: object) -> bool:
    try:
        verify(*signed)
    except UnverifiableError:
        return False
    return True


def _blocked_by(record: Record) -> tuple[str, ...]:
    evaluations = [one for one in record.artifacts if one.type == "policy_evaluation"]
    results = evaluations[-1].metadata["results"] if evaluations else []
    return tuple(
        str(result["policy"])
        for result in (results if isinstance(results, list) else [])
        if isinstance(result, dict) and result["verdict"] == PolicyVerdict.BLOCK.value
    )


def _said(value: object) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "nobody"
    return "none" if value is None else str(value)


def _rounded(seconds: float | None) -> JsonValue:
    return None if seconds is None else round(seconds, 3)
