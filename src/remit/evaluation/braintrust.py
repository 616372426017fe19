"""Tells Braintrust's service of ended runs; needs its SDK, the extra `remit[braintrust]`.

A run is one row of the project's log; its scores are merged into the row, and read back together
with those that the service's own scorers, or people, gave it. The form of the rows:
https://www.braintrust.dev/docs/api-reference/logs/insert-project-logs-events
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, Field, JsonValue, SecretStr, ValidationError

from remit.base.json_types import JsonObject
from remit.cognition.addresses import ServiceAddress, checked_key, parse_address
from remit.cognition.bodies import Body
from remit.cognition.sdk import Opened, no_sdk, sdk_logs_shut, within
from remit.evaluation.checks import MAX_RESULTS, outgoing, outgoing_text
from remit.evaluation.interface import MAX_NAME_LENGTH, EvaluationInput, EvaluationResult, failed

if TYPE_CHECKING:
    from braintrust.api import BraintrustClient

VENDOR_URL = "https://api.braintrust.dev"
"""Where Braintrust's own service is."""

ROWS_AT_ONCE = 100
"""Most rows in one request."""

_OTHERWISE = "set EVALUATION_PROVIDER to noop"
_T = TypeVar("_T")
_B = TypeVar("_B", bound=Body)


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
            answer = client.openapi.experiments.post_experiment(
                body={"project_id": self._project_of(client), "name": outgoing_text(name)}
            )
            experiment_id = _read(_Made, answer, "without an id").id
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
            self._project_id = _read(_Made, answer, "without an id").id
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
    fault = "without saying that every row was taken"
    if len(_read(_Inserted, _post(client, path, {"events": rows}), fault).row_ids) != len(rows):
        raise UnreadableAnswerError(fault)


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


def _read_results(answer: object, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
    """Return every judgement of a run: by the facts, and by whoever judges at the service.

    A row that is not there yet holds none; the service shows what was written a little later.
    """
    rows = _read(_Rows, answer, "without the one row that it was asked for, scores in it").data
    scores: dict[str, tuple[float | None, str]] = {
        name: (score, "remit") for name, score in _own_scores(told).items()
    }
    for row in rows:
        if row.id != str(told.run_id):
            raise UnreadableAnswerError("with another row than it was asked for")
        for name, score in (row.scores or {}).items():
            if name not in scores or scores[name][0] != score:
                scores[name] = score, "braintrust"
    return tuple(EvaluationResult(name, score, {"by": by}) for name, (score, by) in scores.items())


class _Made(Body):
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")


class _Inserted(Body):
    row_ids: list[JsonValue]


_Name = Annotated[
    str, AfterValidator(outgoing_text), Field(min_length=1, max_length=MAX_NAME_LENGTH)
]
_Score = Annotated[float, Field(ge=0, le=1)]


class _Row(Body):
    id: str
    scores: Annotated[dict[_Name, _Score | None], Field(max_length=MAX_RESULTS // 2)] | None = None


class _Rows(Body):
    data: list[_Row] = Field(max_length=1)


def _read(kind: type[_B], answer: object, fault: str) -> _B:
    try:
        return kind.model_validate(answer)
    except ValidationError:
        pass
    # Outside the handler: pydantic's own error holds the answer.
    raise UnreadableAnswerError(fault)
