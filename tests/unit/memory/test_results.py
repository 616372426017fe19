"""What memory answers holds no embedding, cannot be changed, and says where it comes from."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest

from remit.memory.queries import QUESTIONS
from remit.memory.results import (
    Answer,
    ArtifactSummary,
    DirectiveSummary,
    ExecutionSummary,
    Memory,
    MemoryReadResult,
    MemorySource,
    SemanticResult,
)
from remit.vocabulary import ArtifactType, DirectiveStatus, RunStatus

NOW = datetime(2026, 1, 2, tzinfo=UTC)
RUN = UUID("1a2b3c4d-0000-0000-0000-000000000001")
DIRECTIVE = UUID("5e6f7a8b-0000-0000-0000-000000000002")
CITED = MemorySource("agent-1", DIRECTIVE, RUN, NOW)
FOUND = SemanticResult(UUID(int=1), "words", "scope", 0.5, "model", CITED)
PLAIN = {UUID, str, int, float, datetime, type(None)}
WORDS = {ArtifactType, DirectiveStatus, RunStatus}


def kinds(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the name and the type of every field, those of fields that are dataclasses included."""
    for name, hint in get_type_hints(cls).items():
        inner = [hint] if hint in WORDS else get_args(hint) or [hint]
        for each in inner:
            if is_dataclass(each):
                yield from kinds(each)  # type: ignore[arg-type]
            else:
                yield f"{cls.__name__}.{name}", each


@pytest.mark.parametrize("answer", get_args(Answer))
def test_an_answer_holds_plain_values_alone_and_no_embedding(answer: type) -> None:
    found = list(kinds(answer))
    assert found
    assert [name for name, kind in found if kind not in PLAIN | WORDS] == []
    named = ("embedding", "vector", "payload", "metadata", "content_bytes")
    assert [name for name, _ in found if any(word in name for word in named)] == []


def test_the_walk_of_fields_would_find_an_embedding() -> None:
    class Bad:
        numbers: tuple[float, ...]

    assert (...) in {kind for _, kind in kinds(Bad)}


def test_every_question_is_answered_with_a_kind_of_answer() -> None:
    assert {question.answer for question in QUESTIONS.values()} == set(get_args(Answer))


@pytest.mark.parametrize("kind", [*get_args(Answer), MemorySource, MemoryReadResult, Memory])
def test_results_are_frozen_and_have_no_room_for_more(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert set(kind.__slots__) == {each.name for each in fields(kind)}  # type: ignore[attr-defined]


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        FOUND.content = "other words"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("source", "label"),
    [
        (CITED, "run 1a2b3c4d of directive 5e6f7a8b, by agent-1"),
        (MemorySource("ada", None, None, NOW), "added by admin ada"),
    ],
)
def test_a_source_is_told_in_a_few_words(source: MemorySource, label: str) -> None:
    assert source.label == label


def test_a_memory_tells_its_source() -> None:
    memory = Memory(UUID(int=1), "scope", "words", "sha256:0", DIRECTIVE, RUN, "agent-1", NOW)
    assert memory.source == CITED


DIRECTIVE_FOUND = DirectiveSummary(DIRECTIVE, "role", "echo", "Say it.", "complete", NOW)
RUN_FOUND = ExecutionSummary(RUN, DIRECTIVE, "echo", "completed", NOW, NOW, None)
ARTIFACT_FOUND = ArtifactSummary(UUID(int=3), "llm_call", "artifact://local/3", None, None, NOW)


@pytest.mark.parametrize(
    ("answered", "kind", "count"),
    [
        (None, DirectiveSummary, 0),
        (DIRECTIVE_FOUND, DirectiveSummary, 1),
        ([], ExecutionSummary, 0),
        ([RUN_FOUND, RUN_FOUND], ExecutionSummary, 2),
        ([ARTIFACT_FOUND], ArtifactSummary, 1),
        ([FOUND] * 3, SemanticResult, 3),
    ],
)
def test_what_a_reader_returned_is_counted(answered: Any, kind: type[Answer], count: int) -> None:
    result = MemoryReadResult.of("question", answered, kind)
    assert (result.query_name, result.result_count) == ("question", count)
    assert len(result.results) == count


@pytest.mark.parametrize(
    "answered", [RUN_FOUND, [DIRECTIVE_FOUND, RUN_FOUND], [[0.1, 0.2]], (DIRECTIVE_FOUND,), "words"]
)
def test_an_answer_of_another_kind_is_not_let_out(answered: Any) -> None:
    with pytest.raises(TypeError, match="question is answered with DirectiveSummary and nothing"):
        MemoryReadResult.of("question", answered, DirectiveSummary)
