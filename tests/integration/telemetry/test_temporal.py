"""Temporal's own spans and metrics, joined with ours: one trace, and one page of metrics."""

import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from opentelemetry import baggage, context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.contrib.opentelemetry import (
    TracingInterceptor,
    TracingWorkflowInboundInterceptor,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowInterceptorClassInput

from remit.telemetry.ids import root_span_id_of
from remit.telemetry.setup import Telemetry, TelemetryOptions, start
from remit.telemetry.span_reader import SpanNode, read_trace
from remit.telemetry.state import LossCounter
from remit.telemetry.tracing import directive_root, directive_span, span
from remit.workflows.tracing import core_runtime
from tests.support import otlp
from tests.support.promtool import complaints_about

losses = otlp.losses

QUEUE = "spans"


@activity.defn
def execute(directive_id: str) -> None:
    with directive_span(UUID(directive_id), "execute"), span("module", status="success"):
        pass


@workflow.defn
class OneActivity:
    """Runs one activity."""

    @workflow.run
    async def run(self, directive_id: str) -> None:
        await workflow.execute_local_activity(
            execute, directive_id, start_to_close_timeout=timedelta(seconds=10)
        )


class _WithoutBaggage(TracingWorkflowInboundInterceptor):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.text_map_propagator = TraceContextTextMapPropagator()


class Interceptor(TracingInterceptor):
    """As the worker's is: the trace goes along, and nothing else that a caller carries."""

    def __init__(self, telemetry: Telemetry) -> None:
        assert telemetry.tracer_provider is not None
        super().__init__(telemetry.tracer_provider.get_tracer("temporalio"))
        self.text_map_propagator = TraceContextTextMapPropagator()

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - Temporal's own name
    ) -> type[TracingWorkflowInboundInterceptor]:
        super().workflow_interceptor_class(input)
        return _WithoutBaggage


@dataclass(frozen=True)
class Worked:
    """A client and worker whose spans are kept.

    Attributes:
        client: a client that traces.
        telemetry: what is turned on.
        folder: where the spans are kept.
    """

    client: Client
    telemetry: Telemetry
    folder: Path

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """Serve the queue; nothing is cached, so that every task replays."""
        with ThreadPoolExecutor(2) as threads:
            worker = Worker(
                self.client,
                task_queue=QUEUE,
                workflows=[OneActivity],
                activities=[execute],
                activity_executor=threads,
                workflow_runner=UnsandboxedWorkflowRunner(),
                max_cached_workflows=0,
            )
            async with worker:
                yield

    def trace(self, directive: UUID) -> list[SpanNode]:
        """Return what was kept of a directive."""
        return read_trace(self.folder, directive)


@pytest.fixture
def core_port() -> int:
    return otlp.free_port()


@pytest.fixture
def telemetry(tmp_path: Path, losses: LossCounter, core_port: int) -> Iterator[Telemetry]:
    options = TelemetryOptions(
        "remit-worker", "0", span_folder=tmp_path, metrics_port=0, core_metrics_port=core_port
    )
    with start(options) as running:
        yield running


@pytest.fixture
async def worked(
    temporal_address: str, client: Client, telemetry: Telemetry, tmp_path: Path, core_port: int
) -> Worked:
    tracing = await Client.connect(
        temporal_address,
        namespace=client.namespace,
        interceptors=[Interceptor(telemetry)],
        runtime=core_runtime(core_port),  # one of the test's own would panic when it is dropped
    )
    return Worked(tracing, telemetry, tmp_path)


async def test_one_trace_runs_from_the_proposal_through_temporal_into_the_module(
    worked: Worked, losses: LossCounter
) -> None:
    directive = uuid4()
    token = context.attach(baggage.set_baggage("user", "canary"))
    try:
        async with worked.worker():
            with directive_span(directive, "start"):
                handle = await worked.client.start_workflow(
                    OneActivity.run, str(directive), id=f"execution-{directive}", task_queue=QUEUE
                )
            directive_root(directive, "propose", started_ns=1, status="approved")
            await handle.result()
    finally:
        context.detach(token)
    last = {"propose", "start", "module", "CompleteWorkflow:OneActivity"}
    otlp.until(
        lambda: last <= {branch.span.name for branch in worked.trace(directive)}, "the spans"
    )
    tree = [(branch.depth, branch.span.name) for branch in worked.trace(directive)]
    assert tree[:4] == [
        (0, "propose"),
        (1, "start"),
        (2, "StartWorkflow:OneActivity"),
        (3, "RunWorkflow:OneActivity"),
    ]
    names = [name for _, name in tree]
    assert len(names) == len(set(names)), "a replay recorded a step twice"
    depth = {name: depth for depth, name in tree}
    assert depth["module"] == depth["execute"] + 1 == depth["RunActivity:execute"] + 2
    described = [event async for event in handle.fetch_history_events()]
    header = described[0].workflow_execution_started_event_attributes.header
    assert "canary" not in str(header)
    assert directive.hex in str(header)
    assert losses.counts() == {}


async def test_a_run_that_the_sweep_starts_joins_the_same_trace(worked: Worked) -> None:
    directive = uuid4()
    async with worked.worker():
        # No span around it, as nobody who knows the directive's trace starts it.
        await worked.client.execute_workflow(
            OneActivity.run, str(directive), id=f"execution-{directive}", task_queue=QUEUE
        )
    otlp.until(lambda: len(worked.trace(directive)) == 2, "the spans")
    first, second = worked.trace(directive)
    assert (first.span.name, second.span.name) == ("execute", "module")
    assert first.span.parent_id == f"{root_span_id_of(directive):016x}"


async def test_the_cores_metrics_come_along_and_promtool_reads_them(worked: Worked) -> None:
    async with worked.worker():
        await worked.client.execute_workflow(
            OneActivity.run, str(uuid4()), id=f"execution-{uuid4()}", task_queue=QUEUE
        )
    address = f"http://127.0.0.1:{worked.telemetry.metrics_port}/metrics"
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: ASYNC210
        text = answer.read().decode()
    assert "temporal_workflow_completed_total{" in text
    assert "temporal_workflow_task_execution_latency_seconds_bucket{" in text
    assert complaints_about(text) == (0, "")
