"""One trace a directive, from whichever process, and no failure of it reaches the work."""

import asyncio
from collections.abc import Iterator
from typing import cast
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from remit.telemetry.ids import root_span_id_of
from remit.telemetry.sdk_tracing import SdkTracer, make_provider, make_resource
from remit.telemetry.state import STATE, LossCounter
from remit.telemetry.tracing import directive_root, directive_span, span
from tests.support import otlp

losses = otlp.losses

AGENT = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


class Ended:
    """What ended so far."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        provider = make_provider(make_resource("remit-test", "0"))
        provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self.foreign: Tracer = provider.get_tracer("another")
        self.recorder = SdkTracer(provider)

    def span(self, name: str) -> ReadableSpan:
        """Return the one span of this name."""
        (found,) = [each for each in self._memory.get_finished_spans() if each.name == name]
        return found

    def names(self) -> list[str]:
        return [each.name for each in self._memory.get_finished_spans()]

    def parent_of(self, name: str) -> int | None:
        parent = self.span(name).parent
        return None if parent is None else parent.span_id

    def ids_of(self, name: str) -> tuple[int, int]:
        context = self.span(name).context
        assert context is not None
        return context.trace_id, context.span_id


@pytest.fixture
def ended(losses: LossCounter) -> Iterator[Ended]:
    made = Ended()
    STATE.tracer = made.recorder
    yield made
    assert losses.counts() == {}


def test_while_tracing_is_off_nothing_is_recorded_and_everything_runs(losses: LossCounter) -> None:
    directive_root(uuid4(), "propose", started_ns=1)
    with span("a", status="b") as outer, directive_span(uuid4(), "c") as inner:
        outer.set(status="d")
        inner.set(payload=object())
    assert losses.counts() == {}


def test_no_variable_cuts_an_attribute_before_its_secrets_were_looked_for(
    losses: LossCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"):
        monkeypatch.setenv(name, "8")
    made = Ended()
    STATE.tracer = made.recorder
    with span("a", status="long " * 20):
        pass
    assert (made.span("a").attributes or {})["status"] == "long " * 20
    assert losses.counts() == {}


def test_a_root_has_the_ids_that_follow_from_its_directive(ended: Ended) -> None:
    directive = uuid4()
    directive_root(directive, "propose", started_ns=5, verdict="allow", payload="no")
    assert ended.ids_of("propose") == (directive.int, root_span_id_of(directive))
    assert ended.span("propose").parent is None
    assert ended.span("propose").start_time == 5
    assert ended.span("propose").attributes == {"directive_id": str(directive), "verdict": "allow"}


def test_a_step_of_a_directive_is_a_child_of_its_root_before_that_was_recorded(
    ended: Ended,
) -> None:
    directive = uuid4()
    with directive_span(directive, "gate"), span("policy"):
        pass
    assert ended.ids_of("gate")[0] == ended.ids_of("policy")[0] == directive.int
    assert ended.parent_of("gate") == root_span_id_of(directive)
    assert ended.parent_of("policy") == ended.ids_of("gate")[1]


def test_a_step_within_a_step_of_the_same_directive_is_its_child(ended: Ended) -> None:
    directive = uuid4()
    with directive_span(directive, "outer"), directive_span(directive, "inner"):
        pass
    assert ended.parent_of("inner") == ended.ids_of("outer")[1]
    assert ended.span("inner").links == ()


def test_a_step_within_a_step_of_another_directive_joins_its_own_and_links(ended: Ended) -> None:
    one, other = uuid4(), uuid4()
    with directive_span(one, "outer"), directive_span(other, "inner"):
        pass
    assert ended.ids_of("inner")[0] == other.int
    assert ended.parent_of("inner") == root_span_id_of(other)
    assert [link.context.trace_id for link in ended.span("inner").links] == [one.int]


@pytest.mark.parametrize(
    ("header", "linked"),
    [
        (AGENT, [int("ab" * 16, 16)]),
        (None, []),
        ("", []),
        ("00-" + "0" * 32 + "-" + "0" * 16 + "-01", []),
        (AGENT + "x", []),
        (AGENT.upper(), []),
        ("00-" + "ab" * 16 + "-" + "c٣" * 8 + "-01", []),
    ],
)
def test_the_callers_own_trace_is_linked_and_never_a_parent(
    ended: Ended, header: str | None, linked: list[int]
) -> None:
    directive_root(uuid4(), "propose", started_ns=1, traceparent=header)
    assert [link.context.trace_id for link in ended.span("propose").links] == linked


def test_a_root_within_a_step_links_that_step(ended: Ended) -> None:
    with span("request"):
        directive_root(uuid4(), "propose", started_ns=1)
    assert ended.span("propose").parent is None
    assert ended.span("propose").links[0].context.span_id == ended.ids_of("request")[1]


def test_many_directives_proposed_together_have_a_root_each(ended: Ended) -> None:
    directives = [uuid4() for _ in range(3)]
    for number, directive in enumerate(directives):
        directive_root(directive, f"propose-{number}", started_ns=1)
    assert [ended.ids_of(name)[0] for name in ended.names()] == [each.int for each in directives]


def test_an_error_goes_on_and_leaves_its_type_and_message_and_no_stack(ended: Ended) -> None:
    with pytest.raises(KeyError), span("bad"):
        raise KeyError("missing")
    assert ended.span("bad").status.description == "KeyError"
    assert not ended.span("bad").status.is_ok
    (event,) = ended.span("bad").events
    assert event.attributes == {"exception.type": "KeyError", "exception.message": "'missing'"}


def test_a_cancellation_is_no_error(ended: Ended) -> None:
    with pytest.raises(asyncio.CancelledError), span("canceled"):
        raise asyncio.CancelledError
    assert ended.span("canceled").events == ()


async def test_steps_at_the_same_time_do_not_mix(ended: Ended) -> None:
    async def step(number: int) -> None:
        with directive_span(directives[number], f"outer-{number}"):
            await asyncio.sleep(0)
            with span(f"inner-{number}"):
                await asyncio.to_thread(in_thread, number)

    def in_thread(number: int) -> None:
        with span(f"thread-{number}"):
            pass

    directives = [uuid4() for _ in range(10)]
    await asyncio.gather(*map(step, range(10)))
    for number, directive in enumerate(directives):
        assert ended.ids_of(f"thread-{number}")[0] == directive.int
        assert ended.parent_of(f"thread-{number}") == ended.ids_of(f"inner-{number}")[1]
        assert ended.parent_of(f"inner-{number}") == ended.ids_of(f"outer-{number}")[1]


def test_a_trace_that_temporal_would_begin_by_itself_is_not_recorded(ended: Ended) -> None:
    attributes = {"temporalWorkflowID": "dispatcher"}
    with ended.foreign.start_as_current_span("StartWorkflow", attributes=attributes):
        with span("sweep"):
            pass
        with directive_span(uuid4(), "found"):
            ended.foreign.start_span("RunActivity", attributes=attributes).end()
    assert ended.names() == ["RunActivity", "found"]


def test_the_current_ids_are_those_of_the_step(ended: Ended) -> None:
    directive = uuid4()
    assert ended.recorder.current_ids() is None
    with directive_span(directive, "gate"):
        current = trace.get_current_span().get_span_context()
        assert ended.recorder.current_ids() == (directive.hex, f"{current.span_id:016x}")
    assert ended.recorder.current_ids() is None


class Broken:
    """A recorder, and a span of it, of which nothing works."""

    def open(self, *_: object) -> "Broken":
        return self

    def root(self, *_: object, **__: object) -> None:
        raise RuntimeError

    def current_ids(self) -> None:
        raise RuntimeError

    def set(self, **_: object) -> None:
        raise RuntimeError

    def fail(self, _: Exception) -> None:
        raise RuntimeError

    def end(self) -> None:
        raise RuntimeError


def test_no_failure_of_tracing_reaches_the_work(losses: LossCounter) -> None:
    STATE.tracer = cast("SdkTracer", Broken())
    directive_root(uuid4(), "propose", started_ns=1)

    def failing() -> None:
        with span("a") as opened:
            opened.set(status="x")
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert losses.counts() == {"recording": 4}


def test_a_span_that_cannot_be_opened_is_counted_and_the_work_is_done(
    losses: LossCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError

    STATE.tracer = cast("SdkTracer", Broken())
    monkeypatch.setattr(Broken, "open", refuse)
    with span("a") as opened:
        opened.set(status="x")
    assert losses.counts() == {"recording": 1}
