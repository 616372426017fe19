"""The activity that asks a language model: checked, counted, and on record however it ends.

The LLM worker serves it on a queue of its own. No workflow of Remit's uses it; those that
do name it as `call_llm` on `LLM_QUEUE`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from temporalio import activity
from temporalio.exceptions import ApplicationError

from remit.base.json_types import JsonObject
from remit.cognition.llm.instrumentation import (
    NO_MODEL,
    LLMCall,
    describe_call,
    emit_llm_artifacts,
    log_llm_event,
    start_llm_span,
)
from remit.cognition.llm.provider import LLMProvider, LLMProviderError
from remit.cognition.llm.types import UNKNOWN_USED, LLMError, LLMRequest, LLMResponse, LLMUsage
from remit.errors import InvalidInputError
from remit.operations.recall.llm_calls import CalledModel, record_call, why_not_call
from remit.telemetry import metrics
from remit.telemetry.logging import get_logger
from remit.vocabulary import ArtifactType

_BROKE = LLMError("provider_error", "the provider broke: this is a defect of it, not of the call")


@dataclass(frozen=True)
class LLMActivities:
    """What the LLM worker does.

    Attributes:
        provider_name: the word that chose it.
        model: the model that is asked when a call names none; None for none.
    """

    engine: sa.Engine
    provider: Callable[[], LLMProvider]
    provider_name: str
    model: str | None

    @activity.defn
    def call_llm(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask a model once, and put it on record.

        Args:
            request: `{"request": ..., "directive_id": ...}`: an :class:`LLMRequest` as JSON, and
                the directive that the call serves and whose budget pays, which may be left out.

        Returns:
            `{"ok": true, "response": ...}` with an :class:`LLMResponse` as JSON, or `{"ok": false,
            "error": ...}` with an :class:`LLMError`, which asking again does not help against.

        Raises:
            ApplicationError: it failed in a way that may pass; `type` is the error's type, and
                `details` hold it as JSON. The caller's retry policy says how often to try again.
        """
        began = perf_counter()
        asked, directive_id, fault = _read(request)
        with start_llm_span(asked, self.provider_name, directive_id=directive_id) as span:
            outcome, usage = self._outcome(asked, directive_id, fault)
            call = LLMCall(
                provider=self.provider_name,
                model=self._model(asked, outcome),
                request=asked,
                outcome=outcome,
                usage=usage,
                latency_ms=(perf_counter() - began) * 1000,
            )
            span.set(**describe_call(call))
            # An answer that is not on record is not handed out.
            evidence: list[tuple[ArtifactType, JsonObject]] = []
            emit_llm_artifacts(lambda kind, metadata: evidence.append((kind, metadata)), call)
            record_call(self.engine, CalledModel(describe_call(call), evidence, directive_id))
        _tell(call)
        return _returned(call.outcome)

    def _outcome(
        self, asked: LLMRequest | None, directive_id: UUID | None, fault: str | None
    ) -> tuple[LLMResponse | LLMError, LLMUsage | None]:
        if asked is None or fault is not None:
            return LLMError("invalid_request", fault or "there is no request"), None
        if self.provider_name != "noop":
            refusal = why_not_call(self.engine, directive_id)
            if refusal is not None:
                return LLMError("invalid_request", refusal), None
        try:
            response = self.provider().complete(asked)
        except LLMProviderError as error:
            return error.error, error.usage
        except Exception:  # noqa: BLE001 - whatever it is may quote the messages, and says nothing
            return _BROKE, UNKNOWN_USED
        return response, response.usage

    def _model(self, asked: LLMRequest | None, outcome: LLMResponse | LLMError) -> str:
        if isinstance(outcome, LLMResponse):
            return outcome.model
        return (asked.model if asked else None) or self.model or NO_MODEL


def _read(
    request: Mapping[str, Any],
) -> tuple[LLMRequest | None, UUID | None, str | None]:
    """Return what is asked and for which directive, as far as they can be read, and what is wrong.

    No message quotes what was said.
    """
    directive_id: UUID | None = None
    fault = None
    if set(request) - {"request", "directive_id"}:
        fault = "the call holds more than request and directive_id: leave the rest out"
    named = request.get("directive_id")
    try:
        directive_id = None if named is None else UUID(named)
    except (AttributeError, TypeError, ValueError):
        fault = "directive_id: must be the whole id of a directive, or null"
    try:
        return LLMRequest.from_json(request.get("request")), directive_id, fault
    except InvalidInputError as error:
        return None, directive_id, fault or str(error)


def _tell(call: LLMCall) -> None:
    log_llm_event(get_logger(__name__), call)
    metrics.count_llm_call(call.provider, call.error_type or "success")
    used = call.used
    if used is not None:
        cost = used.estimated_cost_usd
        metrics.add_llm_usage(
            input_tokens=used.input_tokens or 0,
            output_tokens=used.output_tokens or 0,
            dollars=None if cost is None else float(cost),
        )


def _returned(outcome: LLMResponse | LLMError) -> dict[str, Any]:
    if isinstance(outcome, LLMResponse):
        return {"ok": True, "response": outcome.to_json()}
    if outcome.retryable:
        raise ApplicationError(
            outcome.error_message, outcome.to_json(), type=outcome.error_type, non_retryable=False
        )
    return {"ok": False, "error": outcome.to_json()}
