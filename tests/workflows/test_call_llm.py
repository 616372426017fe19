"""Workflows that think: what they get, what is left of it, and what nobody can read afterwards."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from examples.summarize_workflow import Evidence, SummarizeEvidence, Summary
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from remit.audit.chain import INSTALLATION
from remit.errors import MisconfiguredError, UnverifiableError
from remit.operations.evidence.auditing import verify_log
from remit.settings import LLM_QUEUE, Settings
from remit.signing.sealing import Seal, ensure_seal
from remit.workflows.client import Observed, connect
from remit.workflows.llm_worker import load_workflows
from remit.workflows.sealing import sealed
from tests.integration.operations.conftest import AUDITOR
from tests.support.embedding_server import Reply
from tests.support.keys import KEYS
from tests.support.llm_server import LLMServer, serving
from tests.support.thinking import Priced, kept, thinking
from tests.support.workers import eventually

TEXT = "the launch code is tulip-canary-81"
KEY = "sk-canary-4d1f77aa02bb9931c0de"
CANARIES = ("tulip-canary", "18-yranac-pilut", KEY)
"""What was asked, what is answered, and the key."""


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with serving() as server:
        yield server


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return ensure_seal(tmp_path / "keys")


def chosen(server: LLMServer, **changes: Any) -> Settings:
    fields: dict[str, Any] = {
        "llm_provider": "openai",
        "llm_model": "gpt-6.2-sol",
        "openai_api_key": KEY,
        "openai_base_url": server.url,
    }
    return Settings(**fields | changes)


async def summarized(client: Client, seal: Seal, name: str) -> Summary:
    return await sealed(client, seal).execute_workflow(
        SummarizeEvidence.run, Evidence(TEXT), id=name, task_queue=LLM_QUEUE
    )


async def told(client: Client, name: str) -> bytes:
    """Return all that Temporal keeps of a workflow."""
    handle = client.get_workflow_handle(name)
    history = await handle.fetch_history()
    described = await handle.describe()
    events = b"".join(event.SerializeToString() for event in history.events)
    return events + described.raw_description.SerializeToString()


def stored(engine: sa.Engine) -> str:
    """Return all evidence and every event, as text."""
    with engine.connect() as connection:
        rows = [
            *connection.execute(sa.text("SELECT artifacts::text FROM artifacts")).scalars(),
            *connection.execute(sa.text("SELECT events::text FROM events")).scalars(),
        ]
    return "\n".join(rows)


async def test_a_workflow_gets_its_answer_and_nothing_that_was_said_is_kept_anywhere(
    client: Client,
    empty_engine: sa.Engine,
    seal: Seal,
    server: LLMServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    name = f"summarize-{uuid4()}"
    async with thinking(client, empty_engine, seal, chosen(server), workflows=[SummarizeEvidence]):
        summary = await summarized(client, seal, name)
    assert summary == Summary(TEXT[::-1])
    assert [one.headers["Authorization"] for one in server.asked] == [f"Bearer {KEY}"]
    [called], [used] = kept(empty_engine, "llm_call"), kept(empty_engine, "llm_usage")
    assert called.metadata == {
        "provider": "openai",
        "model": "gpt-6.2-sol",
        "max_tokens": 300,
        "temperature": None,
        "status": "success",
        "error_type": None,
        "message_count": 2,
        "roles": ["system", "user"],
        "characters": len(server.asked[0].body["messages"][0]["content"]) + len(TEXT),
    }
    assert (used.metadata["total_tokens"], used.directive_id, used.run_id) == (16, None, None)
    assert verify_log(empty_engine, by=AUDITOR, keys=KEYS).found == 0
    kept_by_temporal = await told(client, name)
    lines = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for canary in CANARIES:
        assert canary not in stored(empty_engine)
        assert canary not in lines
        assert canary.encode() not in kept_by_temporal
    assert "llm_called" in lines


async def test_the_spans_of_a_thinking_workflow_show_that_it_was_asked_and_not_what(
    client: Client, temporal_address: str, empty_engine: sa.Engine, seal: Seal, server: LLMServer
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traced = await connect(temporal_address, client.namespace, Observed(provider))
    name = f"summarize-{uuid4()}"
    async with thinking(traced, empty_engine, seal, chosen(server), workflows=[SummarizeEvidence]):
        assert await summarized(traced, seal, name) == Summary(TEXT[::-1])
    spans = exporter.get_finished_spans()
    assert "RunActivity:call_llm" in {one.name for one in spans}
    assert len({one.context.trace_id for one in spans}) == 1
    kept_by_temporal = await told(client, name)
    for canary in CANARIES:
        assert canary not in "".join(one.to_json() for one in spans)
        assert canary.encode() not in kept_by_temporal


async def test_without_a_provider_a_workflow_is_refused_and_that_is_on_record(
    client: Client, empty_engine: sa.Engine, seal: Seal
) -> None:
    name = f"summarize-{uuid4()}"
    async with thinking(client, empty_engine, seal, Settings(), workflows=[SummarizeEvidence]):
        summary = await summarized(client, seal, name)
    assert summary == Summary(None, "LLM usage disabled. Configure LLM_PROVIDER to enable.")
    [called] = kept(empty_engine, "llm_call")
    assert (called.metadata["provider"], called.metadata["model"]) == ("noop", "unspecified")
    assert (called.metadata["status"], called.metadata["error_type"]) == ("error", "disabled")
    assert kept(empty_engine, "llm_usage") == []
    with empty_engine.connect() as connection:
        said = sa.text(
            "SELECT type FROM events WHERE directive_id = :own ORDER BY seq DESC LIMIT 1"
        )
        assert connection.execute(said, {"own": INSTALLATION}).scalar_one() == "llm.called"


async def test_what_may_pass_is_tried_again_as_often_as_the_workflow_says_each_time_on_record(
    client: Client, empty_engine: sa.Engine, seal: Seal, server: LLMServer
) -> None:
    server.usual = Reply(500, f'{{"error": {{"message": "upstream said {TEXT}"}}}}'.encode())
    name = f"summarize-{uuid4()}"
    async with thinking(client, empty_engine, seal, chosen(server), workflows=[SummarizeEvidence]):
        summary = await summarized(client, seal, name)
    assert summary.text is None
    assert summary.error is not None
    assert "the language model service" in summary.error
    errors = [one.metadata["error_type"] for one in kept(empty_engine, "llm_call")]
    assert errors == ["provider_error"] * 3
    kept_by_temporal = await told(client, name)
    for canary in (*CANARIES, "language model service"):
        assert canary.encode() not in kept_by_temporal


async def test_one_failure_that_passes_costs_one_more_try(
    client: Client, empty_engine: sa.Engine, seal: Seal, server: LLMServer
) -> None:
    server.replies.append(Reply(529, b"{}"))
    async with thinking(client, empty_engine, seal, chosen(server), workflows=[SummarizeEvidence]):
        summary = await summarized(client, seal, f"summarize-{uuid4()}")
    assert summary.text == TEXT[::-1]
    statuses = [one.metadata["status"] for one in kept(empty_engine, "llm_call")]
    assert statuses == ["success", "error"]


async def test_whoever_reaches_temporal_without_the_key_can_ask_nothing(
    client: Client, empty_engine: sa.Engine, seal: Seal
) -> None:
    provider = Priced("1")
    async with thinking(
        client, empty_engine, seal, Settings(), workflows=[SummarizeEvidence], provider=provider
    ):
        handle = await client.start_workflow(
            SummarizeEvidence.run, Evidence(TEXT), id=f"forged-{uuid4()}", task_queue=LLM_QUEUE
        )

        async def refused() -> bool:
            events = (await handle.fetch_history()).events
            return any(
                event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in events
            )

        assert await eventually(refused)
        await handle.terminate()
    assert provider.asked == []
    assert kept(empty_engine, "llm_call") == []


async def test_a_worker_with_another_key_cannot_read_what_was_asked(
    client: Client, empty_engine: sa.Engine, seal: Seal, tmp_path: Path
) -> None:
    other = ensure_seal(tmp_path / "other")
    async with thinking(client, empty_engine, seal, Settings(), workflows=[SummarizeEvidence]):
        await summarized(client, seal, name := f"summarize-{uuid4()}")
    handle = sealed(client, other).get_workflow_handle(name, result_type=Summary)
    with pytest.raises(
        UnverifiableError, match="is not here: every host that thinks needs the same"
    ):
        await handle.result()


async def test_where_no_evidence_can_be_kept_no_model_is_asked(client: Client, seal: Seal) -> None:
    provider = Priced("1")
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    async with thinking(
        client, away, seal, Settings(), workflows=[SummarizeEvidence], provider=provider
    ):
        summary = await summarized(client, seal, f"summarize-{uuid4()}")
    assert summary.text is None
    assert "does not answer" in str(summary.error)
    assert provider.asked == []


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("nonsense", "is no workflow: write package.module:Class"),
        ("no.such.module:Thing", "cannot be loaded: ModuleNotFoundError"),
        ("remit.settings:load_settings", "cannot be loaded: it is no class"),
    ],
)
def test_what_is_no_workflow_is_refused_with_its_name(reference: str, said: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        load_workflows([reference])
    assert said in str(caught.value)
    assert reference in str(caught.value)


async def test_a_class_that_is_no_workflow_keeps_the_worker_from_starting(
    client: Client, engine: sa.Engine, seal: Seal
) -> None:
    [found] = load_workflows(["remit.settings:Settings"])
    with pytest.raises(MisconfiguredError, match=r"cannot be served: .*workflow"):
        async with thinking(client, engine, seal, Settings(), workflows=[found]):
            pytest.fail("it serves")
