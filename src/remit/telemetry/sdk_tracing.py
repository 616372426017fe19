"""Spans on the OpenTelemetry SDK. Loaded by `setup` alone, when tracing is on."""

import os
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from uuid import UUID, uuid4

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
)
from opentelemetry.trace.status import Status, StatusCode
from opentelemetry.util.types import Attributes

from remit.telemetry.ids import root_span_id_of, trace_id_of
from remit.telemetry.scrubbing import plain_attributes

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)

_NEXT_IDS: ContextVar[tuple[int, int] | None] = ContextVar("remit_next_ids", default=None)
"""Trace id and span id of the root span that is being started; None for every other span."""


class DirectiveIds(RandomIdGenerator):
    """Random ids, except for a directive's root span, whose ids follow from the directive."""

    def generate_trace_id(self) -> int:
        """Return 128 bits."""
        given = _NEXT_IDS.get()
        return super().generate_trace_id() if given is None else given[0]

    def generate_span_id(self) -> int:
        """Return 64 bits."""
        given = _NEXT_IDS.get()
        return super().generate_span_id() if given is None else given[1]


class OnlyOwnTraces(Sampler):
    """Samples every span of a trace that Remit began, and no trace that a library began by itself.

    Temporal's interceptor would make a trace of every call that serves no directive, and of the
    sweep one that never ends.
    """

    def should_sample(  # noqa: PLR0917 - the SDK's own
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide as the parent was decided; without one, by who began it."""
        del trace_id, name, kind, links, trace_state
        parent = trace.get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            sampled = parent.trace_flags.sampled
        else:
            sampled = "temporalWorkflowID" not in (attributes or {})
        decision = Decision.RECORD_AND_SAMPLE if sampled else Decision.DROP
        return SamplingResult(decision, attributes, parent.trace_state)

    def get_description(self) -> str:
        """Return its name."""
        return type(self).__name__


class OpenSpan:
    """A span under way; the current one of its task until it ends."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] = contexts.attach(trace.set_span_in_context(span))

    def set(self, **attributes: object) -> None:
        """Add attributes; those that `scrubbing` does not allow are left out."""
        self._span.set_attributes(plain_attributes(attributes))

    def fail(self, error: Exception) -> None:
        """Mark it as failed."""
        kind = type(error).__qualname__
        # Not `record_exception`, which formats a stack trace.
        self._span.add_event(
            "exception",
            plain_attributes({"exception.type": kind, "exception.message": str(error)}),
        )
        self._span.set_status(Status(StatusCode.ERROR, kind))

    def end(self) -> None:
        """End it, and make the span around it the current one again."""
        try:
            self._span.end()
        finally:
            contexts.detach(self._token)


class SdkTracer:
    """Opens spans."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("remit")

    def open(
        self, name: str, attributes: Mapping[str, object], directive_id: UUID | None
    ) -> OpenSpan:
        """Open a span and make it the current one."""
        context, links = None, list[Link]()
        if directive_id is not None:
            context, links = _in_trace_of(directive_id)
        plain = plain_attributes(attributes)
        return OpenSpan(self._tracer.start_span(name, context, attributes=plain, links=links))

    def root(
        self,
        name: str,
        attributes: Mapping[str, object],
        *,
        directive_id: UUID,
        started_ns: int,
        traceparent: str | None,
    ) -> None:
        """Record the root span of a directive's trace, ended now; callers' traces are linked."""
        callers = [trace.get_current_span().get_span_context()]
        match = _TRACEPARENT.fullmatch(traceparent or "")
        if match:
            trace_id, span_id = (int(part, 16) for part in match.groups())
            callers.append(SpanContext(trace_id, span_id, is_remote=True))
        token = _NEXT_IDS.set((trace_id_of(directive_id), root_span_id_of(directive_id)))
        try:
            span = self._tracer.start_span(
                name,
                Context(),  # empty: whatever is current is no parent of a root
                attributes=plain_attributes(attributes),
                links=[Link(caller) for caller in callers if caller.is_valid],
                start_time=started_ns,
            )
        finally:
            _NEXT_IDS.reset(token)
        span.end()

    def current_ids(self) -> tuple[str, str] | None:
        """Return the current span's trace id and span id in hexadecimal; None without one."""
        current = trace.get_current_span().get_span_context()
        if not current.is_valid:
            return None
        return f"{current.trace_id:032x}", f"{current.span_id:016x}"


def _in_trace_of(directive_id: UUID) -> tuple[Context | None, list[Link]]:
    current = trace.get_current_span().get_span_context()
    trace_id = trace_id_of(directive_id)
    if current.trace_id == trace_id:
        return None, []
    root = SpanContext(
        trace_id,
        root_span_id_of(directive_id),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    links = [Link(current)] if current.is_valid else []
    return trace.set_span_in_context(NonRecordingSpan(root)), links


def make_provider(resource: Resource) -> TracerProvider:
    """Return what spans are made with; it ends only when told to, and exports nothing by itself."""
    return TracerProvider(
        sampler=OnlyOwnTraces(),
        resource=resource,
        shutdown_on_exit=False,
        id_generator=DirectiveIds(),
        # What is cut before it is scrubbed could hide the end of a secret.
        span_limits=SpanLimits(
            max_attribute_length=SpanLimits.UNSET, max_span_attribute_length=SpanLimits.UNSET
        ),
    )


def make_resource(service: str, version: str) -> Resource:
    """Return what every span and sample says about this process: fixed names, no environment."""
    return Resource(
        {
            "service.name": service,
            "service.version": version,
            "service.instance.id": str(uuid4()),
            "process.pid": os.getpid(),
        }
    )
