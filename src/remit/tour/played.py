"""One scene after it was played: what came of it, beside what was expected. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from remit.operations.evidence.records import Record
from remit.tour.ledger import Ledger
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
