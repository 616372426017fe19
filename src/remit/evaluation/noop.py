"""The provider that does nothing: nobody is told of a run before somebody has chosen who.

`config` hands it out when no provider is set, so that nothing leaves the machine by default.
"""

from collections.abc import Sequence

from remit.evaluation.interface import EvaluationInput, EvaluationResult


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
