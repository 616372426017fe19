"""A read is held to its bounds, recorded, and answered only when it was recorded."""

from collections.abc import Callable
from typing import Any

import pytest

from remit.errors import InvalidInputError, UnavailableError
from remit.memory.enforcement import MemoryAccessAttempt, readonly_method
from remit.memory.queries import QUESTIONS
from remit.memory.reader import MemoryReader, NoOpMemoryReader

ASK: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
    ("latest_directive_for_role", ("operations",), {"role": "operations"}),
    ("execution_summaries", (5, "failed"), {"limit": 5, "status_filter": "failed"}),
    ("artifacts_by_type", ("llm_call", 5), {"artifact_type": "llm_call", "limit": 5}),
    ("semantic_search", ("what failed?", 5), {"query": "what failed?", "top_k": 5}),
)

Do = Callable[[], Any]


class Reader:
    """A reader whose answer a test chooses, and that tells what happened in which order."""

    name = "chosen"
    principal = "agent-1"

    def __init__(self, answer: Do, record: Callable[[MemoryAccessAttempt], None]) -> None:
        self._answer = answer
        self._record = record

    @readonly_method("execution_summaries")
    def execution_summaries(self, limit: int, status_filter: Any = None) -> Any:
        """Return what was chosen."""
        return self._answer()


def fail(error: Exception) -> Do:
    def raise_it() -> None:
        raise error

    return raise_it


@pytest.mark.parametrize(("name", "args", "asked"), ASK, ids=[name for name, _, _ in ASK])
def test_the_reader_that_knows_nothing_answers_with_nothing_and_records_who_asked(
    name: str, args: tuple[Any, ...], asked: dict[str, Any]
) -> None:
    attempts: list[MemoryAccessAttempt] = []
    reader = NoOpMemoryReader("agent-1", record=attempts.append)
    assert not getattr(reader, name)(*args)
    assert not getattr(reader, name)(**asked)
    attempt = MemoryAccessAttempt("agent-1", "noop", name, asked, "answered", 0)
    assert attempts == [attempt, attempt]


def test_the_reader_that_knows_nothing_needs_nothing() -> None:
    reader = NoOpMemoryReader()
    assert isinstance(reader, MemoryReader)
    assert (reader.name, reader.principal) == ("noop", "")
    assert reader.latest_directive_for_role("operations") is None
    assert reader.execution_summaries(1) == []


@pytest.mark.parametrize(
    ("name", "args", "field"),
    [
        ("latest_directive_for_role", ("",), "role"),
        ("execution_summaries", (101,), "limit"),
        ("execution_summaries", (1, "done"), "status_filter"),
        ("artifacts_by_type", ("note", 1), "artifact_type"),
        ("artifacts_by_type", ("llm_call", 0), "limit"),
        ("semantic_search", ("", 1), "query"),
        ("semantic_search", ("q", True), "top_k"),
    ],
)
def test_a_read_out_of_bounds_is_refused_and_recorded(
    name: str, args: tuple[Any, ...], field: str
) -> None:
    attempts: list[MemoryAccessAttempt] = []
    with pytest.raises(InvalidInputError) as caught:
        getattr(NoOpMemoryReader("agent-1", record=attempts.append), name)(*args)
    assert caught.value.field == field
    [attempt] = attempts
    assert (attempt.query_name, attempt.outcome, attempt.result_count) == (name, "refused", None)
    assert tuple(attempt.asked.values()) == args


def test_the_method_is_not_called_with_what_is_out_of_bounds() -> None:
    calls: list[int] = []
    reader = Reader(lambda: calls.append(1), lambda attempt: None)
    with pytest.raises(InvalidInputError):
        reader.execution_summaries(0)
    assert calls == []


@pytest.mark.parametrize("parameters", [(), (5, None, "more")])
def test_a_call_that_is_malformed_is_recorded_as_failed(parameters: tuple[Any, ...]) -> None:
    attempts: list[MemoryAccessAttempt] = []
    with pytest.raises(TypeError):
        Reader(list, attempts.append).execution_summaries(*parameters)
    assert [attempt.outcome for attempt in attempts] == ["failed"]


@pytest.mark.parametrize("error", [UnavailableError("gone"), ValueError("odd"), KeyError("key")])
def test_a_read_that_fails_is_recorded_and_its_error_is_handed_on(error: Exception) -> None:
    attempts: list[MemoryAccessAttempt] = []
    with pytest.raises(type(error)) as caught:
        Reader(fail(error), attempts.append).execution_summaries(3)
    assert caught.value is error
    assert [(attempt.outcome, attempt.result_count) for attempt in attempts] == [("failed", None)]


def test_an_answer_of_the_wrong_kind_is_not_let_out_and_recorded_as_failed() -> None:
    attempts: list[MemoryAccessAttempt] = []
    with pytest.raises(TypeError, match="answered with ExecutionSummary and nothing else"):
        Reader(lambda: [[0.1, 0.2]], attempts.append).execution_summaries(3)
    assert [attempt.outcome for attempt in attempts] == ["failed"]


@pytest.mark.parametrize("answer", [list, fail(ValueError("odd"))], ids=["answered", "failed"])
@pytest.mark.parametrize("limit", [3, 0])
def test_a_read_that_cannot_be_recorded_is_not_answered(answer: Do, limit: int) -> None:
    def full(attempt: MemoryAccessAttempt) -> None:
        raise UnavailableError("the record is full")

    with pytest.raises(UnavailableError, match="the record is full"):
        Reader(answer, full).execution_summaries(limit)


def test_a_read_is_recorded_after_it_was_made_and_before_it_is_answered() -> None:
    order: list[str] = []

    def answer() -> list[Any]:
        order.append("read")
        return []

    reader = Reader(answer, lambda attempt: order.append(f"recorded as {attempt.outcome}"))
    reader.execution_summaries(3)
    order.append("answered")
    assert order == ["read", "recorded as answered", "answered"]


def test_the_mark_keeps_the_method_and_names_its_question() -> None:
    for name in QUESTIONS:
        method = getattr(NoOpMemoryReader, name)
        assert method.__remit_question__ == method.__name__ == name
        assert method.__doc__


def test_only_a_question_can_be_marked() -> None:
    with pytest.raises(InvalidInputError) as caught:
        readonly_method("everything")
    assert str(caught.value) == (
        'query_name: "everything" is no question of memory; they are latest_directive_for_role, '
        "execution_summaries, artifacts_by_type and semantic_search"
    )
