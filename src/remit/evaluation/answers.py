"""What a provider answers, read without trust. Pure.

A provider is somebody else's code and may answer anything. What is not exactly what the Protocol
says is refused whole; what is, is copied, with every secret in it masked.
"""

import json

from remit.base.json_types import JsonObject
from remit.base.wording import printable
from remit.evaluation.interface import MAX_NAME_LENGTH, EvaluationResult
from remit.redaction.masking import redact_object, redact_text

MAX_RESULTS = 100
"""Most judgements of one run."""

MAX_METADATA_CHARACTERS = 4096
"""Longest metadata of one judgement, as JSON."""

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
    return EvaluationResult(
        _checked_name(getattr(result, "name", None)),
        _checked_score(getattr(result, "score", None)),
        _checked_metadata(getattr(result, "metadata", None)),
    )


def _checked_name(name: object) -> str:
    if type(name) is not str or not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise ValueError(f"a name that is no text of 1 to {MAX_NAME_LENGTH} characters")
    return printable(redact_text(name), MAX_NAME_LENGTH)


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
