"""What is told of an ended run, what is answered, and what every provider offers. No I/O here.

An evaluation observes. It is handed words and numbers, and has nothing that it could act with: no
database, no operation, no workflow. No answer of it is ever asked for by a decision.
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
    """That a run left something behind, and what kind of thing; never the thing.

    Attributes:
        type: its type.
        digest: "sha256:" and the hex of its content's digest.
    """

    type: str
    digest: str


@dataclass(frozen=True, slots=True)
class EvaluationInput:
    """What is told of one ended run: never a payload, a result or the body of a message.

    Attributes:
        directive_id: the directive that was carried out.
        type: its type.
        role: the role that it was for.
        status: its status when the run had ended.
        run_id: the run; telling of it again replaces what was told before.
        module: name of the module that acted.
        run_status: how the run ended.
        attempts: how many attempts had begun.
        duration_seconds: how long it took; None when no attempt began.
        artifacts: what the run left behind and was kept.
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

    Attributes:
        name: what was judged, 1 to 100 characters.
        score: from 0 (bad) to 1 (good); None when it was looked at and not judged.
        metadata: more about it, as a JSON object.

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
    """Whoever is told of ended runs.

    Where runs end it is wrapped in `guarded`, so nothing that it does reaches a caller.
    """

    @property
    def name(self) -> str:
        """The word that chooses it: `noop` or `braintrust`."""
        ...

    def log_trace(self, told: EvaluationInput) -> None:
        """Keep what is told of a run; telling of it again replaces it.

        Raises:
            EvaluationProviderError: it is not kept; `reason` says why.
        """
        ...

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        """Judge a run, and return every judgement of it that there is.

        Raises:
            EvaluationProviderError: there is none; `reason` says why.
        """
        ...

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:
        """Lay runs side by side under a name.

        Returns:
            What the experiment is known under there; None when none was made.

        Raises:
            EvaluationProviderError: there is none, or not all of it; `reason` says why.
        """
        ...


class DirectProvider(EvaluationProvider, Protocol):
    """A provider as it is, for people who tell it of runs themselves and want to see it fail."""

    def check(self) -> None:
        """Return quietly when it could be told of a run now.

        Raises:
            EvaluationProviderError: it could not; `reason` says why.
        """
        ...


class EvaluationProviderError(ProviderError):
    """A provider did not do what it was asked."""


def failed(
    error_type: EvaluationErrorType, message: str, *, retryable: bool = False
) -> EvaluationProviderError:
    """Return the error of one of the bounded types."""
    return EvaluationProviderError(message, reason=error_type, retryable=retryable)
