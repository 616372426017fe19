"""What may leave of what is told of a run: secrets masked first, then cut to length. Pure.

Done twice, as `guarded` and then the provider do, it changes nothing more.
"""

import math

from remit.base.wording import printable
from remit.evaluation.interface import EvaluatedArtifact, EvaluationInput
from remit.redaction.masking import redact_text

MAX_TEXT_LENGTH = 200
"""Longest text that leaves, in characters, the dots in place of what was cut included."""

MAX_ARTIFACTS = 100
"""Most artifacts of one run that are told of, the first ones."""

_DOTS = "..."


def outgoing(told: EvaluationInput) -> EvaluationInput:
    """Return a copy that may leave; nothing in it is shared with what was given."""
    return EvaluationInput(
        directive_id=told.directive_id,
        type=outgoing_text(told.type),
        role=outgoing_text(told.role),
        status=outgoing_text(told.status),
        run_id=told.run_id,
        module=outgoing_text(told.module),
        run_status=outgoing_text(told.run_status),
        attempts=max(0, told.attempts),
        duration_seconds=_duration(told.duration_seconds),
        artifacts=tuple(
            EvaluatedArtifact(outgoing_text(each.type), outgoing_text(each.digest))
            for each in told.artifacts[:MAX_ARTIFACTS]
        ),
    )


def outgoing_text(text: str) -> str:
    """Return a text as it may leave: one line of at most 200 characters; dots end what was cut."""
    safe = redact_text(text)
    shown = printable(safe, len(safe))
    if len(shown) <= MAX_TEXT_LENGTH:
        return shown
    return shown[: MAX_TEXT_LENGTH - len(_DOTS)] + _DOTS


def _duration(seconds: float | None) -> float | None:
    """Return a duration that JSON can hold; two clocks that disagree make none below zero."""
    if seconds is None or not math.isfinite(seconds):
        return None
    return max(0.0, seconds)
