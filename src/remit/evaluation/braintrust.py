"""Tells Braintrust's service of ended runs.

Needs the official SDK, which the extra `remit[braintrust]` installs; it is imported when there is
something to tell. A run is one row of the project's log; its scores are merged into the row, and
read back together with those that the service's own scorers, or people, gave it.
"""

import weakref
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue, SecretStr

from remit.base.json_types import JsonObject
from remit.cognition.addresses import ServiceAddress, checked_key, parse_address
from remit.cognition.deadlines import within
from remit.cognition.sdk_logs import sdk_logs_shut
from remit.evaluation.braintrust_rows import (
    UnreadableAnswerError,
    check_inserted,
    experiment_row,
    read_id,
    read_results,
    score_row,
    scores_query,
    trace_row,
)
from remit.evaluation.interface import EvaluationInput, EvaluationResult, failed
from remit.evaluation.outgoing import outgoing_text

if TYPE_CHECKING:
    from braintrust.api import BraintrustClient

VENDOR_URL = "https://api.braintrust.dev"
"""Where Braintrust's own service is."""

ROWS_AT_ONCE = 100
"""Most rows in one request."""

_T = TypeVar("_T")


class BraintrustEvaluationProvider:
    """Keeps a row for each run, and lays runs side by side in experiments."""

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

        Args:
            api_key: the key; None only for a service on this machine.
            project: the project that runs are told to; it is made if there is none.
            api_url: address of the service; None for the vendor's own.
            timeout_seconds: longest that one call of a method takes.

        Raises:
            EvaluationProviderError: `misconfigured`; the message names the variable.
        """
        self._address, self._key = _checked(api_url or VENDOR_URL, api_key)
        self._project = outgoing_text(project.strip())
        if not self._project:
            raise failed("misconfigured", "BRAINTRUST_PROJECT is empty: name a project")
        self._timeout_seconds = timeout_seconds
        self._opening = Lock()
        self._client: BraintrustClient | None = None
        self._project_id: str | None = None

    def log_trace(self, told: EvaluationInput) -> None:
        """Keep the row of a run; sent again it takes the place of the one before.

        Raises:
            EvaluationProviderError: it is not kept.
        """
        self._ask(lambda client: self._insert(client, trace_row(told)))

    def score(self, told: EvaluationInput) -> tuple[EvaluationResult, ...]:
        """Score a run by the facts, and return these scores and those that it was given there.

        Raises:
            EvaluationProviderError: it is not scored, or its scores cannot be read.
        """

        def call(client: "BraintrustClient") -> tuple[EvaluationResult, ...]:
            self._insert(client, score_row(told))
            query = scores_query(self._project_of(client), str(told.run_id))
            return read_results(_post(client, "/btql", query), told)

        return self._ask(call)

    def experiment(self, name: str, inputs: Sequence[EvaluationInput]) -> str | None:
        """Put runs, with their scores, into the experiment of a name; it is made if there is none.

        Returns:
            The experiment's id; None when there is no run to put into it.

        Raises:
            EvaluationProviderError: not all of them are in it.
        """
        rows: list[JsonValue] = [experiment_row(each) for each in inputs]
        if not rows:
            return None

        def call(client: "BraintrustClient") -> str:
            experiments = client.openapi.experiments
            project_id = self._project_of(client)
            made = experiments.post_experiment(
                body={"project_id": project_id, "name": outgoing_text(name)}
            )
            experiment_id = read_id(made)
            for part in _parts(rows):
                path = f"/v1/experiment/{experiment_id}/insert"
                check_inserted(_post(client, path, {"events": part}), sent=len(part))
            return experiment_id

        return self._ask(call)

    def check(self) -> None:
        """Ask for the project, as telling of a run would; it is made if there is none.

        Raises:
            EvaluationProviderError: nothing could be told.
        """

        def call(client: "BraintrustClient") -> None:
            self._project_id = None
            self._project_of(client)

        self._ask(call)

    def _insert(self, client: "BraintrustClient", row: JsonObject) -> None:
        path = f"/v1/project_logs/{self._project_of(client)}/insert"
        check_inserted(_post(client, path, {"events": [row]}), sent=1)

    def _project_of(self, client: "BraintrustClient") -> str:
        """Return the project's id, asked for once; two threads that both ask get the same."""
        if self._project_id is None:
            answer = client.openapi.projects.post_project(body={"name": self._project})
            self._project_id = read_id(answer)
        return self._project_id

    def _ask(self, call: Callable[["BraintrustClient"], _T]) -> _T:
        """Return what a call of the service returns.

        Raises:
            EvaluationProviderError: it returns nothing usable.
        """
        client = self._open()
        from remit.evaluation.braintrust_failures import failure_of

        try:
            return within(self._timeout_seconds, lambda: call(client))
        except UnreadableAnswerError as error:
            message = f"the evaluation service answered {error}: check BRAINTRUST_API_URL"
            failure = failed("provider_error", message)
        except Exception as error:  # noqa: BLE001 - an SDK may raise anything
            known = failure_of(error, timeout_seconds=self._timeout_seconds)
            failure = failed(known.kind, known.message, retryable=known.retryable)
        # Outside the handler: an error raised in there would carry the SDK's along, and with it the
        # request and its key. A project that is gone is asked for again.
        self._project_id = None
        raise failure

    def _open(self) -> "BraintrustClient":
        """Return the SDK's client, made once however many threads ask.

        Raises:
            EvaluationProviderError: `misconfigured`.
        """
        with self._opening:
            if self._client is None:
                self._client = self._connect()
                weakref.finalize(self, self._client.transport.session.close)
            return self._client

    def _connect(self) -> "BraintrustClient":
        try:
            with sdk_logs_shut("braintrust"):
                from remit.evaluation.braintrust_connection import connect

            return connect(self._address, key=self._key, timeout_seconds=self._timeout_seconds)
        except ImportError as error:
            raise failed(
                "misconfigured",
                "the SDK of Braintrust is not installed: run `pip install braintrust`, or set "
                "EVALUATION_PROVIDER to noop",
            ) from error
        except (OSError, ValueError) as error:
            raise failed(
                "misconfigured",
                f"the SDK of Braintrust cannot be used ({type(error).__name__}): unset the "
                "variables of its own, such as BRAINTRUST_HTTP_TIMEOUT",
            ) from None


def _checked(url: str, api_key: SecretStr | None) -> tuple[ServiceAddress, str]:
    """Return the address and the key.

    Raises:
        EvaluationProviderError: `misconfigured`: one of them is none.
    """
    try:
        address = parse_address(url, variable="BRAINTRUST_API_URL")
        key = checked_key(
            api_key,
            address,
            variable="BRAINTRUST_API_KEY",
            missing="no key for the evaluation service: set BRAINTRUST_API_KEY, or set "
            "EVALUATION_PROVIDER to noop",
        )
    except ValueError as error:
        raise failed("misconfigured", str(error)) from None
    return address, key


def _post(client: "BraintrustClient", path: str, body: JsonObject) -> object:
    """Send what the SDK has no method for: it has none for the project's log."""
    from braintrust.api import RequestTarget

    url = client.router.resolve(RequestTarget.API, path)
    answer: object = client.transport.request_json("POST", url, json=body)
    return answer


def _parts(rows: list[JsonValue]) -> Iterator[list[JsonValue]]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]
