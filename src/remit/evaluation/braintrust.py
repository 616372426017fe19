"""Tells Braintrust's service of ended runs; needs its SDK, the extra `remit[braintrust]`.

A run is one row of the project's log; its scores are merged into the row, and read back together
with those that the service's own scorers, or people, gave it. The form of the rows:
https://www.braintrust.dev/docs/api-reference/logs/insert-project-logs-events
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue, SecretStr

from remit.base.json_types import JsonObject
from remit.cognition.addresses import ServiceAddress, checked_key, parse_address
from remit.cognition.sdk import Opened, no_sdk, sdk_logs_shut, within
from remit.evaluation.answers import MAX_RESULTS
from remit.evaluation.interface import MAX_NAME_LENGTH, EvaluationInput, EvaluationResult, failed
from remit.evaluation.outgoing import outgoing, outgoing_text

if TYPE_CHECKING:
    from braintrust.api import BraintrustClient

VENDOR_URL = "https://api.braintrust.dev"
"""Where Braintrust's own service is."""

ROWS_AT_ONCE = 100
"""Most rows in one request."""

_OTHERWISE = "set EVALUATION_PROVIDER to noop"
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_T = TypeVar("_T")


class UnreadableAnswerError(Exception):
    """An answer is not what was asked for; the message follows "the service answered"."""


class BraintrustEvaluationProvider:
    """Keeps a row for each run, and lays runs side by side in experiments.

    Every method raises EvaluationProviderError when it could not do all that it was asked.
    """

    name = "braintrust"

    def __init__(
        self,
        *,
        api_key: SecretStr | None,
        project: str,
        api_url: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        """Check the settings; nothing is sent yet.

        Only a service on this machine needs no key; `api_url` is None for the vendor's own; the
        project is made if there is none; one call of a method takes `timeout_seconds` at most.

        Raises:
            EvaluationProviderError: `misconfigured`; the message names the variable.
        """
        try:
            address = parse_address(api_url or VENDOR_URL, variable="BRAINTRUST_API_URL")
            key = checked_key(
                api_key,
                address,
                variable="BRAINTRUST_API_KEY",
                missing="no key for the evaluation service: set BRAINTRUST_API_KEY, or "
                + _OTHERWISE,
            )
        except ValueError as error:
            raise failed("misconfigured", str(error)) from None
        self._project = outgoing_text(project.strip())
        if not self._project:
            raise failed("misconfigured", "BRAINTRUST_PROJECT is empty: name a project")
        self._timeout_seconds = timeout_seconds
        self._project_id: str | None = None
        self._client: Opened[BraintrustClient] = Opened(
            partial(_connect, address, key=key, timeout_seconds=timeout_seconds),
            without_sdk=no_sdk("Braintrust", "braintrust", otherwise=_OTHERWISE),
            unusable="the SDK of Braintrust cannot be used: unset the variables of its own, such "
            "as BRAINTRUST_HTTP_TIMEOUT",
            misconfigured=partial(failed, "misconfigured"),
            close="transport.session.close",
        )

    def log_trace(self, told: EvaluationInput) -> None:
        """Keep the row of a run; sent again it takes the place of the one before."""
        self._ask(lambda client: self._insert(client, _trace_row(told)))

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        """Score a run by the facts, and return these scores and those that it was given there."""

        def call(client: "BraintrustClient") -> tuple[EvaluationResult, ...]:
            row: JsonObject = {
                "id": str(told.run_id),
                "_is_merge": True,
                "scores": dict(_own_scores(told)),
            }
            self._insert(client, row)
            query = _scores_query(self._project_of(client), str(told.run_id))
            return _read_results(_post(client, "/btql", query), told)

        return self._ask(call)

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:
        """Put runs, with their scores, into the experiment of a name; it is made if there is none.

        Returns:
            The experiment's id; None when there is no run to put into it.
        """
        rows: list[JsonValue] = [
            {**_trace_row(each), "scores": dict(_own_scores(each))} for each in inputs
        ]
        if not rows:
            return None

        def call(client: "BraintrustClient") -> str:
            experiment_id = _read_id(
                client.openapi.experiments.post_experiment(
                    body={"project_id": self._project_of(client), "name": outgoing_text(name)}
                )
            )
            for start in range(0, len(rows), ROWS_AT_ONCE):
                part = rows[start : start + ROWS_AT_ONCE]
                _insert_rows(client, f"/v1/experiment/{experiment_id}/insert", part)
            return experiment_id

        return self._ask(call)

    def check(self) -> None:
        """Ask for the project, as telling of a run would; it is made if there is none."""

        def call(client: "BraintrustClient") -> None:
            self._project_id = None
            self._project_of(client)

        self._ask(call)

    def _insert(self, client: "BraintrustClient", row: JsonObject) -> None:
        _insert_rows(client, f"/v1/project_logs/{self._project_of(client)}/insert", [row])

    def _project_of(self, client: "BraintrustClient") -> str:
        """Return the project's id, asked for once; two threads that both ask get the same."""
        if self._project_id is None:
            answer = client.openapi.projects.post_project(body={"name": self._project})
            self._project_id = _read_id(answer)
        return self._project_id

    def _ask(self, call: Callable[["BraintrustClient"], _T]) -> _T:
        client = self._client.get()
        from remit.evaluation.braintrust_client import failure_of

        try:
            return within(self._timeout_seconds, lambda: call(client))
        except UnreadableAnswerError as error:
            message = f"the evaluation service answered {error}: check BRAINTRUST_API_URL"
            failure = failed("provider_error", message)
        except Exception as error:  # noqa: BLE001 - an SDK may raise anything
            known = failure_of(error, timeout_seconds=self._timeout_seconds)
            failure = failed(known.error_type, known.message, retryable=known.retryable)
        # Outside the handler: an error raised in there would carry the SDK's along, and with it the
        # request and its key. A project that is gone is asked for again.
        self._project_id = None
        raise failure


def _connect(address: ServiceAddress, *, key: str, timeout_seconds: float) -> "BraintrustClient":
    with sdk_logs_shut("braintrust"):
        from remit.evaluation.braintrust_client import connect
    return connect(address, key=key, timeout_seconds=timeout_seconds)


def _post(client: "BraintrustClient", path: str, body: JsonObject) -> object:
    """Send what the SDK has no method for: it has none for the project's log."""
    from braintrust.api import RequestTarget

    url = client.router.resolve(RequestTarget.API, path)
    answer: object = client.transport.request_json("POST", url, json=body)
    return answer


def _insert_rows(client: "BraintrustClient", path: str, rows: list[JsonValue]) -> None:
    answer = _post(client, path, {"events": rows})
    taken = answer.get("row_ids") if isinstance(answer, dict) else None
    if not isinstance(taken, list) or len(taken) != len(rows):
        raise UnreadableAnswerError("without saying that every row was taken")


def _trace_row(told: EvaluationInput) -> JsonObject:
    """Return the row of a run; it stands under the run's id, so sent twice it is one row."""
    safe = outgoing(told)
    run_id = str(safe.run_id)
    seconds = safe.duration_seconds
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
        "metrics": {
            "attempts": safe.attempts,
            **({} if seconds is None else {"duration_seconds": seconds}),
        },
    }


def _own_scores(told: EvaluationInput) -> Mapping[str, float]:
    """Return what the facts say: whether the run completed and, if so, at the first attempt."""
    if told.run_status != "completed":
        return {"completed": 0.0}
    return {"completed": 1.0, "first_attempt": 1.0 if told.attempts <= 1 else 0.0}


def _scores_query(project_id: str, run_id: str) -> JsonObject:
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


def _read_id(answer: object) -> str:
    found = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise UnreadableAnswerError("without an id")
    return found


def _read_results(answer: object, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
    """Return every judgement of a run: by the facts, and by whoever judges at the service.

    A row that is not there yet holds none; the service shows what was written a little later.
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or len(rows) > 1:
        raise UnreadableAnswerError("without the one row that it was asked for")
    scores: dict[str, tuple[float | None, str]] = {
        name: (score, "remit") for name, score in _own_scores(told).items()
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
