"""What is recorded of a call of a language model: a span, a log line, and evidence.

Counts, roles and characters, never a word of what was said on either side. Nothing is stored here.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Literal
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.cognition.llm.types import NOTHING_USED, LLMError, LLMRequest, LLMResponse, LLMUsage
from remit.telemetry.logging import EventLogger
from remit.telemetry.tracing import Span, directive_span, span
from remit.vocabulary import LLMErrorType

NO_MODEL = "unspecified"
"""What the evidence calls the model where nobody named one."""

EmitArtifact = Callable[[Literal["llm_call", "llm_usage"], JsonObject], object]
"""Takes the type and the metadata of an artifact."""


@dataclass(frozen=True, slots=True)
class LLMCall:
    """One call, when it is over.

    Attributes:
        model: the model that was asked, or that answered; :data:`NO_MODEL` where none was named.
        request: None when what was asked was no request.
        usage: its parts are None where nobody can say; None when nobody was asked.
    """

    provider: str
    model: str
    request: LLMRequest | None
    outcome: LLMResponse | LLMError
    usage: LLMUsage | None
    latency_ms: float

    @property
    def error_type(self) -> LLMErrorType | None:
        """Which kind of failure it was; None for an answer."""
        return self.outcome.error_type if isinstance(self.outcome, LLMError) else None

    @property
    def status(self) -> Literal["success", "error"]:
        """How it ended."""
        return "success" if self.error_type is None else "error"

    @property
    def used(self) -> LLMUsage | None:
        """What it used up; None when nothing, as at a provider that was never asked."""
        return None if self.usage == NOTHING_USED and self.error_type else self.usage


def start_llm_span(
    request: LLMRequest | None, provider_name: str, *, directive_id: UUID | None = None
) -> AbstractContextManager[Span]:
    """Record the call as one span, of the directive's trace, else of that around it."""
    told = {"provider": provider_name, **_extent(request)}
    if directive_id is None:
        return span("llm.complete", **told)
    return directive_span(directive_id, "llm.complete", **told)


def describe_call(call: LLMCall) -> JsonObject:
    """Return what may be told of a call, in a log line, an event or a span."""
    used = call.used
    return {
        **_outcome(call),
        "input_tokens": None if used is None else used.input_tokens,
        "output_tokens": None if used is None else used.output_tokens,
        "cost_usd": None if used is None else _dollars(used.estimated_cost_usd),
    }


def log_llm_event(logger: EventLogger, call: LLMCall) -> None:
    """Say in the log that a model was asked, and how that ended."""
    say = logger.info if call.error_type is None else logger.warning
    say("llm_called", **describe_call(call), latency_ms=round(call.latency_ms, 3))


def emit_llm_artifacts(emit_artifact: EmitArtifact, call: LLMCall) -> None:
    """Emit an `llm_call`, and an `llm_usage` where something was used up, or may have been."""
    request = call.request
    emit_artifact(
        "llm_call",
        {
            **_outcome(call),
            "max_tokens": None if request is None else request.max_tokens,
            "temperature": None if request is None else request.temperature,
            "roles": [] if request is None else list(request.roles),
        },
    )
    used = call.used
    if used is not None:
        emit_artifact(
            "llm_usage",
            {
                **used.to_json(),
                "estimated_cost_usd": _dollars(used.estimated_cost_usd),
                "latency_ms": call.latency_ms,
            },
        )


def _outcome(call: LLMCall) -> JsonObject:
    return {
        "provider": call.provider,
        "model": call.model,
        "status": call.status,
        "error_type": call.error_type,
        **_extent(call.request),
    }


def _extent(request: LLMRequest | None) -> dict[str, int]:
    return {
        "message_count": 0 if request is None else len(request.messages),
        "characters": 0 if request is None else request.characters,
    }


def _dollars(cost: Decimal | None) -> str | None:
    """Return an amount as text, with as many decimals as evidence has room for, never less."""
    if cost is None:
        return None
    return f"{cost.quantize(_FINEST, ROUND_CEILING, Context(prec=40)).normalize(_EXACT):f}"


_FINEST = Decimal(1).scaleb(-12)
_EXACT = Context(prec=40)
