"""Runs to tell of, and providers that do what no provider should."""

from collections.abc import Callable, Sequence
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from remit.evaluation.guarded import GuardedEvaluation
from remit.evaluation.interface import EvaluatedArtifact, EvaluationInput, EvaluationResult

DIRECTIVE_ID = UUID("0199aaaa-0000-7000-8000-000000000001")
RUN_ID = UUID("0199aaaa-0000-7000-8000-000000000002")
ARTIFACT = EvaluatedArtifact("report", "sha256:" + "ab" * 32)


def ended_run(**changes: Any) -> EvaluationInput:
    """Return what is told of a run that completed at once, changed as told."""
    fields: dict[str, Any] = {
        "directive_id": DIRECTIVE_ID,
        "type": "deploy",
        "role": "release-bot",
        "status": "complete",
        "run_id": RUN_ID,
        "module": "shell",
        "run_status": "completed",
        "attempts": 1,
        "duration_seconds": 2.5,
        "artifacts": (ARTIFACT,),
    }
    return EvaluationInput(**{**fields, **changes})


class Misbehaving:
    """A provider that does the same thing whatever it is asked; it is asked nothing else."""

    name = "misbehaving"

    def __init__(self, act: Callable[[EvaluationInput], Any]) -> None:
        self._act = act
        self._lock = Lock()
        self.asked: list[EvaluationInput] = []

    def log_trace(self, told: EvaluationInput) -> None:
        """Act."""
        self._note(told)

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        """Act, and answer what comes of it."""
        answer: tuple[EvaluationResult, ...] = self._note(told)
        return answer

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:
        """Act, and answer what comes of it."""
        answer: str | None = self._note(inputs[0])
        return answer

    def _note(self, told: EvaluationInput) -> Any:
        with self._lock:
            self.asked.append(told)
        return self._act(told)


class Hanging(Misbehaving):
    """A provider that comes back when it is let go, and not before."""

    def __init__(self) -> None:
        self.let_go = Event()
        self.entered = Event()
        super().__init__(self._hang)

    def _hang(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        self.entered.set()
        self.let_go.wait()
        return ()


def guarded(provider: Any, **options: Any) -> GuardedEvaluation:
    """Return a provider, guarded, with time enough for whatever does not hang."""
    return GuardedEvaluation(provider, **{"timeout_seconds": 20, **options})


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most half a minute."""
    end = monotonic() + 30
    while not is_so():
        assert monotonic() < end, "it never came to be so"
        sleep(0.005)
