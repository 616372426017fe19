"""Rows of Braintrust's log and experiments: written, and read without trust. Pure.

Source of the form: https://www.braintrust.dev/docs/api-reference/logs/insert-project-logs-events
"""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from remit.base.json_types import JsonObject
from remit.evaluation.answers import MAX_RESULTS
from remit.evaluation.interface import (
    MAX_NAME_LENGTH,
    EvaluationInput,
    EvaluationResult,
)
from remit.evaluation.outgoing import outgoing, outgoing_text

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class UnreadableAnswerError(Exception):
    """An answer is not what was asked for; the message follows "the service answered"."""


def trace_row(told: EvaluationInput) -> JsonObject:
    """Return the row of a run; it stands under the run's id, so sent twice it is one row."""
    safe = outgoing(told)
    run_id = str(safe.run_id)
    return {
        "id": run_id,
        "span_id": run_id,
        "root_span_id": run_id,
        "span_attributes": {"name": safe.type, "type": "task"},
        # What two runs of one kind share, so that experiments can lay them side by side.
        "input": {"type": safe.type, "role": safe.role},
        "output": {
            "status": safe.status,
            "run_status": safe.run_status,
            "artifacts": [{"type": each.type, "digest": each.digest} for each in safe.artifacts],
        },
        "metadata": {"directive_id": str(safe.directive_id), "module": safe.module},
        "metrics": {"attempts": safe.attempts, **_duration(safe)},
    }


def score_row(told: EvaluationInput) -> JsonObject:
    """Return what is merged into the row of a run: how the facts alone score it."""
    return {"id": str(told.run_id), "_is_merge": True, "scores": dict(own_scores(told))}


def experiment_row(told: EvaluationInput) -> JsonObject:
    """Return the row of a run in an experiment, with its scores."""
    return {**trace_row(told), "scores": dict(own_scores(told))}


def own_scores(told: EvaluationInput) -> Mapping[str, float]:
    """Return what the facts say: whether the run completed and, if so, at the first attempt."""
    if told.run_status != "completed":
        return {"completed": 0.0}
    return {"completed": 1.0, "first_attempt": 1.0 if told.attempts <= 1 else 0.0}


def scores_query(project_id: str, run_id: str) -> JsonObject:
    """Return the question for the row of a run, in the form in which the SDK itself asks."""
    return {
        "query": {
            "select": [{"op": "star"}],
            "from": {
                "op": "function",
                "name": {"op": "ident", "name": ["project_logs"]},
                "args": [{"op": "literal", "value": project_id}],
            },
            "filter": {
                "op": "eq",
                "left": {"op": "ident", "name": ["id"]},
                "right": {"op": "literal", "value": run_id},
            },
            "limit": 1,
        },
        "use_columnstore": False,
        "brainstore_realtime": True,
    }


def read_id(answer: object) -> str:
    """Return the id in an answer.

    Raises:
        UnreadableAnswerError: there is none.
    """
    found = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise UnreadableAnswerError("without an id")
    return found


def check_inserted(answer: object, *, sent: int) -> None:
    """Return quietly when every row was taken.

    Raises:
        UnreadableAnswerError: the answer does not say so.
    """
    rows = answer.get("row_ids") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or len(rows) != sent:
        raise UnreadableAnswerError("without saying that every row was taken")


def read_results(answer: object, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
    """Return every judgement of a run: by the facts, and by whoever judges at the service.

    A row that is not there yet holds none; the service shows what was written a little later.

    Raises:
        UnreadableAnswerError: the answer is not one, or a score in it is none.
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or len(rows) > 1:
        raise UnreadableAnswerError("without the one row that it was asked for")
    scores: dict[str, tuple[float | None, str]] = {
        name: (score, "remit") for name, score in own_scores(told).items()
    }
    for name, score in _scores_in(rows, str(told.run_id)).items():
        if name not in scores or scores[name][0] != score:
            scores[name] = score, "braintrust"
    return tuple(EvaluationResult(name, score, {"by": by}) for name, (score, by) in scores.items())


def _scores_in(rows: list[JsonValue], run_id: str) -> Mapping[str, float | None]:
    for row in rows:
        if not isinstance(row, dict) or row.get("id") != run_id:
            raise UnreadableAnswerError("with another row than it was asked for")
        found = row.get("scores")
        if found is None:
            continue
        if not isinstance(found, dict) or len(found) > MAX_RESULTS // 2:
            raise UnreadableAnswerError("with scores that are none")
        return {_name(name): _score(score) for name, score in found.items()}
    return {}


def _name(name: str) -> str:
    safe = outgoing_text(name)
    if not 1 <= len(safe) <= MAX_NAME_LENGTH:
        raise UnreadableAnswerError("with a score that has no usable name")
    return safe


def _score(score: JsonValue) -> float | None:
    if score is None:
        return None
    if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
        return float(score)
    raise UnreadableAnswerError("with a score that does not lie between 0 and 1")


def _duration(told: EvaluationInput) -> JsonObject:
    if told.duration_seconds is None:
        return {}
    return {"duration_seconds": told.duration_seconds}
