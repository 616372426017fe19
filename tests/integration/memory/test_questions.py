"""What the reader of the database answers, and that every question is on record."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.cognition.embeddings.provider import EmbeddingProviderError, NoOpEmbeddingProvider
from remit.db.engine import create_database_engine
from remit.db.evidence_tables import memory_reads
from remit.errors import InvalidInputError, MisconfiguredError, UnavailableError
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.postgres import PostgresMemoryReader
from remit.memory.reader import MemoryReader
from remit.memory.results import DirectiveSummary, ExecutionSummary
from tests.integration.memory.conftest import LESSONS, NOTES, Past, WordEmbedder, note
from tests.support.contents import proposed
from tests.support.keys import KEYS


def reads(engine: sa.Engine) -> list[sa.Row[Any]]:
    """Return the record of reads, oldest first."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(memory_reads).order_by(memory_reads.c.id)))


def test_the_newest_directive_of_a_role_is_told(past: Past) -> None:
    proposed(past.engine, role="archive", objective="first")
    newest = proposed(past.engine, role="archive", objective="second", scope="staging")
    assert past.reader().latest_directive_for_role("archive") == DirectiveSummary(
        newest.id, "archive", "echo", "second", "proposed", newest.created_at
    )
    assert past.reader().latest_directive_for_role("nobody") is None


def test_runs_are_told_newest_first(past: Past) -> None:
    runs = past.reader().execution_summaries(2)
    assert [run.directive_id for run in runs] == [past.failed.id, past.done.id]
    assert [run.status for run in runs] == ["failed", "completed"]
    assert past.reader().execution_summaries(1) == runs[:1]
    completed = runs[1]
    assert completed == ExecutionSummary(
        past.run_id,
        past.done.id,
        "echo",
        "completed",
        completed.created_at,
        completed.started_at,
        completed.ended_at,
    )
    assert completed.started_at is not None
    assert completed.ended_at is not None


@pytest.mark.parametrize(("status", "count"), [("completed", 1), ("failed", 1), ("canceled", 0)])
def test_runs_are_told_by_how_they_stand(past: Past, status: Any, count: int) -> None:
    runs = past.reader().execution_summaries(100, status)
    assert [run.status for run in runs] == [status] * count


def test_artifacts_are_told_by_type_and_without_what_they_hold(past: Past) -> None:
    found = past.reader().artifacts_by_type("execution_end", 100)
    assert {each.directive_id for each in found} == {past.done.id, past.failed.id}
    assert {each.type for each in found} == {"execution_end"}
    assert all(each.uri == f"artifact://local/{each.id}" for each in found)
    assert past.reader().artifacts_by_type("execution_end", 1) == found[:1]
    assert past.reader().artifacts_by_type("llm_call", 100) == []
    newest = [each.created_at for each in found]
    assert newest == sorted(newest, reverse=True)


def test_memories_are_found_by_meaning_each_with_its_source(past: Past) -> None:
    found = past.reader().semantic_search("Why has the backup failed?", 2)
    assert [each.content for each in found] == [LESSONS[0], NOTES[0]]
    assert [each.source.label for each in found] == [
        f"run {str(past.run_id)[:8]} of directive {str(past.done.id)[:8]}, by agent-1",
        "added by admin admin",
    ]
    first, second = found
    assert first.memory_id == past.lessons[LESSONS[0]]
    assert (first.scope, first.model) == ("operations", "words")
    assert 1 > first.similarity_score > second.similarity_score > 0
    assert first.source.created_at.tzinfo is not None


def test_the_words_of_a_memory_are_nearest_to_themselves(past: Past) -> None:
    for content, memory_id in (past.notes | past.lessons).items():
        [found] = past.reader().semantic_search(content, 1)
        assert found.memory_id == memory_id
        assert found.similarity_score == pytest.approx(1, abs=1e-6)
        assert found.similarity_score <= 1


def test_no_more_is_answered_than_there_is(past: Past) -> None:
    assert len(past.reader().semantic_search("backup", 50)) == len(NOTES) + len(LESSONS)


def test_a_model_that_nothing_was_embedded_with_finds_nothing(past: Past) -> None:
    assert past.reader(WordEmbedder("unused")).semantic_search("backup", 5) == []


def test_the_reader_is_one_that_thinking_code_may_be_handed(past: Past) -> None:
    reader = past.reader()
    assert isinstance(reader, MemoryReader)
    assert (reader.name, reader.principal) == ("postgres", "agent-1")
    shown = [name for name in dir(reader) if not name.startswith("_")]
    assert shown == [
        "artifacts_by_type",
        "execution_summaries",
        "latest_directive_for_role",
        "name",
        "principal",
        "semantic_search",
    ]
    with pytest.raises(TypeError):
        vars(reader)


def test_a_reader_reads_in_somebodys_name(past: Past) -> None:
    with pytest.raises(InvalidInputError, match="principal: say in whose name memory is read"):
        PostgresMemoryReader(
            past.reading,
            embedder=WordEmbedder(),
            principal="",
            keys=KEYS,
            record=lambda attempt: None,
        )


def test_every_read_is_on_record_who_asked_what_and_how_many_answers_there_were(past: Past) -> None:
    before = len(reads(past.engine))
    reader = past.reader()
    reader.latest_directive_for_role("operations")
    reader.latest_directive_for_role("nobody")
    reader.execution_summaries(1, status_filter="failed")
    reader.artifacts_by_type("execution_end", 100)
    reader.semantic_search("token=abcdefgh in the backup", 3)
    with pytest.raises(InvalidInputError):
        reader.semantic_search("backup", 51)
    with pytest.raises(EmbeddingProviderError):
        past.reader(NoOpEmbeddingProvider()).semantic_search("backup", 1)
    found = reads(past.engine)[before:]
    assert [(row.query, row.asked, row.outcome, row.result_count) for row in found] == [
        ("latest_directive_for_role", {"role": "operations"}, "answered", 1),
        ("latest_directive_for_role", {"role": "nobody"}, "answered", 0),
        ("execution_summaries", {"limit": 1, "status_filter": "failed"}, "answered", 1),
        ("artifacts_by_type", {"artifact_type": "execution_end", "limit": 100}, "answered", 2),
        ("semantic_search", {"query": "token=[redacted] in the backup", "top_k": 3}, "answered", 3),
        ("semantic_search", {"query": "backup", "top_k": 51}, "refused", None),
        ("semantic_search", {"query": "backup", "top_k": 1}, "failed", None),
    ]
    assert {(row.principal, row.reader) for row in found} == {("agent-1", "postgres")}
    assert all(row.created_at is not None for row in found)


def test_a_database_that_is_gone_is_told_as_such_and_the_attempt_recorded(past: Past) -> None:
    attempts: list[MemoryAccessAttempt] = []
    gone = create_database_engine("postgresql://127.0.0.1:1/none", role="remit_reader")
    reader = PostgresMemoryReader(
        gone, embedder=WordEmbedder(), principal="agent-1", keys=KEYS, record=attempts.append
    )
    with pytest.raises(UnavailableError):
        reader.semantic_search("backup", 1)
    assert [attempt.outcome for attempt in attempts] == ["failed"]


def test_what_cannot_be_put_on_record_is_not_answered(past: Past) -> None:
    def unwritable(attempt: MemoryAccessAttempt) -> None:
        # A reader cannot put its own reads on record: it has no right to write at all.
        note(past.reading, attempt)

    with pytest.raises(MisconfiguredError):
        past.reader(record=unwritable).execution_summaries(1)


def test_a_result_holds_identifiers_that_lead_on(past: Past) -> None:
    [found] = past.reader().semantic_search(LESSONS[0], 1)
    assert found.source.run_id == past.run_id
    assert isinstance(found.source.directive_id, UUID)
