"""What may leave for a provider, and what it answers, read without trust. Pure.

Both ways, secrets are masked first and texts then cut to length; done twice it changes nothing
more. A provider is somebody else's code: an answer that is not exactly what the Protocol says is
refused whole.
"""

import json
import math

from remit.base.json_types import JsonObject
from remit.base.wording import printable
from remit.evaluation.interface import (
    MAX_NAME_LENGTH,
    EvaluatedArtifact,
    EvaluationInput,
    EvaluationResult,
)
from remit.redaction.masking import redact_object, redact_text

MAX_RESULTS = 100
"""Most judgements of one run."""

MAX_METADATA_CHARACTERS = 4096
"""Longest metadata of one judgement, as JSON."""

MAX_TEXT_LENGTH = 200
"""Longest text that leaves, in characters, the dots in place of what was cut included."""

MAX_ARTIFACTS = 100
"""Most artifacts of one run that are told of, the first ones."""

_MAX_EXPERIMENT_LENGTH = 200


def checked_results(answer: object) -> tuple[EvaluationResult, ...]:
    """Return the judgements that `score` answered; ValueError, which quotes nothing, if not."""
    if type(answer) is not tuple or len(answer) > MAX_RESULTS:
        raise ValueError(f"no tuple of at most {MAX_RESULTS} results")
    return tuple(_checked(each) for each in answer)


def checked_experiment(answer: object) -> str | None:
    """Return what `experiment` answered; ValueError if it is neither None nor a short text."""
    if answer is None:
        return None
    if type(answer) is not str or not 1 <= len(answer) <= _MAX_EXPERIMENT_LENGTH:
        raise ValueError(f"no name of 1 to {_MAX_EXPERIMENT_LENGTH} characters")
    return printable(redact_text(answer), _MAX_EXPERIMENT_LENGTH)


def _checked(result: object) -> EvaluationResult:
    if type(result) is not EvaluationResult:
        raise ValueError("no result")
    # A frozen value can still be made with anything in it, or nothing, so none of it is believed.
    name: object = getattr(result, "name", None)
    if type(name) is not str or not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise ValueError(f"a name that is no text of 1 to {MAX_NAME_LENGTH} characters")
    return EvaluationResult(
        printable(redact_text(name), MAX_NAME_LENGTH),
        _checked_score(getattr(result, "score", None)),
        _checked_metadata(getattr(result, "metadata", None)),
    )


def _checked_score(score: object) -> float | None:
    if score is None:
        return None
    # By its exact type: another's comparison may say anything.
    if type(score) is float or type(score) is int:
        if 0 <= score <= 1:
            return float(score)
        raise ValueError("a score that does not lie between 0 and 1")
    raise ValueError("a score that is no number")


def _checked_metadata(metadata: object) -> JsonObject:
    """Return a copy that shares nothing; what is too large is not even written out."""
    if type(metadata) is not dict:
        raise ValueError("metadata that is no object")
    pieces: list[str] = []
    left = MAX_METADATA_CHARACTERS
    try:
        for piece in json.JSONEncoder(allow_nan=False).iterencode(metadata):
            left -= len(piece)
            if left < 0:
                break
            pieces.append(piece)
    except (TypeError, RecursionError) as error:
        raise ValueError("metadata that is no JSON") from error
    if left < 0:
        raise ValueError(f"metadata of more than {MAX_METADATA_CHARACTERS} characters")
    return redact_object(json.loads("".join(pieces)))


def outgoing(told: EvaluationInput) -> EvaluationInput:
    """Return a copy that may leave; nothing in it is shared with what was given."""
    seconds = told.duration_seconds
    # JSON has no infinity, and two clocks that disagree make no duration below zero.
    if seconds is not None:
        seconds = max(0.0, seconds) if math.isfinite(seconds) else None
    return EvaluationInput(
        directive_id=told.directive_id,
        type=outgoing_text(told.type),
        role=outgoing_text(told.role),
        status=outgoing_text(told.status),
        run_id=told.run_id,
        module=outgoing_text(told.module),
        run_status=outgoing_text(told.run_status),
        attempts=max(0, told.attempts),
        duration_seconds=seconds,
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
    return shown[: MAX_TEXT_LENGTH - 3] + "..."
