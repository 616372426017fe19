"""What the tour found, beside what it expected, and what that proves. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from remit.json_types import JsonObject
from remit.operations.evidence import Record
from remit.policy.types import PolicyVerdict
from remit.tour.ledger import Ledger
from remit.tour.script import LEDGER, Outcome, Scene


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


@dataclass(frozen=True)
class Proof:
    """Something that must hold whatever the script says.

    Attributes:
        holds: whether it does.
        text: what was examined and found, in one line.
    """

    holds: bool
    text: str


@dataclass(frozen=True)
class TourReport:
    """The whole tour.

    Attributes:
        played: every scene, in the order of the script.
        first_completed_seconds: from the start of this process to the first directive that was
            seen complete; None when none was.
        seconds: from the first proposal to the end of the last scene.
    """

    played: tuple[Played, ...]
    first_completed_seconds: float | None
    seconds: float

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What the tour as a whole shows."""
        return prove(self.played)

    @property
    def passed(self) -> bool:
        """Whether everything happened as expected and every proof holds."""
        as_expected = not any(one.differences for one in self.played)
        return as_expected and all(proof.holds for proof in self.proofs)

    def to_json(self) -> JsonObject:
        """Return the report as plain JSON."""
        return {
            "passed": self.passed,
            "first_completed_seconds": _rounded(self.first_completed_seconds),
            "seconds": _rounded(self.seconds),
            "directives": [_scene_to_json(one) for one in self.played],
            "proofs": [{"holds": proof.holds, "text": proof.text} for proof in self.proofs],
        }


def prove(played: Sequence[Played]) -> tuple[Proof, ...]:
    """Return what the scenes show together; a proof that examined nothing does not hold."""
    records = [one.record for one in played if one.record is not None]
    killed = [one for one in played if one.killed_pid is not None]
    return (
        _prove_ended(records),
        _prove_chains(records),
        _prove_grants(records),
        *(_prove_kill(one) for one in killed),
    )


def _prove_ended(records: Sequence[Record]) -> Proof:
    counts = Counter[str](record.directive.status for record in records)
    ends = ("complete", "aborted", "blocked")
    told = ", ".join(f"{counts[status]} {status}" for status in ends if counts[status])
    stuck = [f"{counts[status]} {status}" for status in sorted(set(counts) - set(ends))]
    if stuck or not records:
        which = ", ".join(stuck) or "there is none"
        return Proof(holds=False, text=f"not every directive came to an end: {which}")
    return Proof(
        holds=True,
        text=f"all {len(records)} came to one end, each that stopped with its reason: {told}",
    )


def _prove_chains(records: Sequence[Record]) -> Proof:
    broken = [record for record in records if record.broken_at is not None or not record.events]
    if broken or not records:
        ids = ", ".join(str(record.directive.id) for record in broken) or "none was written"
        return Proof(holds=False, text=f"an event log does not verify: {ids}")
    events = sum(len(record.events) for record in records)
    artifacts = sum(len(record.artifacts) for record in records)
    return Proof(
        holds=True,
        text=f"every log verifies: {len(records)} hash chains, {events} events; "
        f"{artifacts} artifacts beside them",
    )


def _prove_grants(records: Sequence[Record]) -> Proof:
    ran = [record for record in records if record.run is not None or _consumed(record)]
    without = [str(record.directive.id) for record in ran if not _granted(record)]
    if without:
        return Proof(holds=False, text=f"ran without a grant of its own: {', '.join(without)}")
    return Proof(
        holds=True,
        text=f"nothing ran without a grant: {len(ran)} runs, each consumed its own, "
        f"for that action alone; {len(records) - len(ran)} never ran",
    )


def _prove_kill(one: Played) -> Proof:
    pids = one.ledger.worker_pids
    successors = [pid for pid in pids if pid != one.killed_pid]
    once = one.ledger.effects == 1 and one.killed_pid in pids and len(successors) == 1
    if not once:
        return Proof(
            holds=False,
            text=f"worker {one.killed_pid} was killed: attempts by "
            f"{', '.join(map(str, pids)) or 'nobody'}; {one.ledger.effects} effects",
        )
    return Proof(
        holds=True,
        text=f"worker {one.killed_pid} was killed in attempt 1, worker {successors[0]} finished "
        "in attempt 2: one effect",
    )


def _consumed(record: Record) -> bool:
    return any(event.type == "grant.consumed" for event in record.events)


def _granted(record: Record) -> bool:
    """Return whether a run consumed the directive's grant, which covers the directive as it is."""
    run, grant = record.run, record.grant
    return (
        run is not None
        and grant is not None
        and _consumed(record)
        and run.grant_id == grant.id
        and grant.directive_id == record.directive.id
        and grant.action_digest == record.directive.action_digest
        and grant.module == run.module
        and grant.voided_at is None
    )


def _blocked_by(record: Record) -> tuple[str, ...]:
    """Return the policies that blocked it, from the newest evaluation in evidence."""
    evaluations = [one for one in record.artifacts if one.type == "policy_evaluation"]
    results = evaluations[-1].metadata["results"] if evaluations else []
    return tuple(
        str(result["policy"])
        for result in (results if isinstance(results, list) else [])
        if isinstance(result, dict) and result["verdict"] == PolicyVerdict.BLOCK.value
    )


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


def _said(value: object) -> str:
    """Return a value of an outcome as a person writes it."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "nobody"
    return "none" if value is None else str(value)
