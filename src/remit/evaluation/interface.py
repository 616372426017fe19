"""What is told of an ended run, what is answered, and what every provider offers. No I/O here.

It is handed words and numbers and nothing to act with, and no decision asks for its answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.errors import ProviderError
from remit.vocabulary import EvaluationErrorType

MAX_NAME_LENGTH = 100
"""Longest name of a result, in characters."""


@dataclass(frozen=True, slots=True)
class EvaluatedArtifact:
    """That a run left something behind, never the thing; `digest` is "sha256:" and hex."""

    type: str
    digest: str


@dataclass(frozen=True, slots=True)
class EvaluationInput:
    """What is told of one ended run: never a payload, a result or the body of a message.

    `type`, `role` and `status` are the directive's, the last when the run had ended. The duration
    is None when no attempt began.
    """

    directive_id: UUID
    type: str
    role: str
    status: str
    run_id: UUID
    module: str
    run_status: str
    attempts: int
    duration_seconds: float | None = None
    artifacts: tuple[EvaluatedArtifact, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """One judgement of a run.

    A score is from 0 (bad) to 1 (good), and None when it was looked at and not judged.

    Raises:
        ValueError: it is not one.
    """

    name: str
    score: float | None = None
    metadata: JsonObject = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let nothing pass that could not be compared."""
        if not 1 <= len(self.name) <= MAX_NAME_LENGTH:
            raise ValueError(f"a result's name has 1 to {MAX_NAME_LENGTH} characters")
        if self.score is not None and not (math.isfinite(self.score) and 0 <= self.score <= 1):
            raise ValueError("a score lies between 0 and 1")


class EvaluationProvider(Protocol):
    """Whoever is told of ended runs; where runs end it is wrapped in `guarded`.

    A method that does not do all it was asked raises EvaluationProviderError; `reason` says why.
    """

    @property
    def name(self) -> str:
        """The word that chooses it: `noop` or `braintrust`."""
        ...

    def log_trace(self, told: EvaluationInput) -> None:
        """Keep what is told of a run; telling of it again replaces it."""
        ...

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        """Judge a run, and return every judgement of it that there is."""
        ...

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:
        """Lay runs side by side; return what that is known under there, None when none was made."""
        ...


class DirectProvider(EvaluationProvider, Protocol):
    """A provider as it is, for people who tell it of runs themselves and want to see it fail."""

    def check(self) -> None:
        """Return quietly when it could be told of a run now; raise as the others do."""
        ...


class EvaluationProviderError(ProviderError):
    """A provider did not do what it was asked."""


def failed(
    error_type: EvaluationErrorType, message: str, *, retryable: bool = False
) -> EvaluationProviderError:
    """Return the error of one of the bounded types."""
    return EvaluationProviderError(message, reason=error_type, retryable=retryable)


class NoOpEvaluationProvider:
    """Keeps nothing, judges nothing, compares nothing."""

    name = "noop"

    def log_trace(self, told: EvaluationInput) -> None:
        """Keep nothing."""

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:  # noqa: ARG002 - the Protocol's form
        """Return no judgement."""
        return ()

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:  # noqa: ARG002 - as above
        """Return None: there is no experiment."""
        return None

    def check(self) -> None:
        """Return quietly: there is nobody who could not be told."""
