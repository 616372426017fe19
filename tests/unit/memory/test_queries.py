"""The four questions: their names, their bounds, and what is recorded of them."""

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InvalidInputError
from remit.memory.queries import (
    MAX_ARTIFACT_LIMIT,
    MAX_EXECUTION_LIMIT,
    MAX_SEMANTIC_TOP_K,
    QUESTIONS,
    ArtifactsByTypeQuery,
    ExecutionSummariesQuery,
    LatestDirectiveForRole,
    Question,
    SemanticSearchQuery,
    recorded,
)
from remit.redaction.masking import MASK
from remit.vocabulary import ArtifactType, RunStatus

RUNS = "must be pending, running, completed, failed or canceled"
NO_COUNT = (0, -1, True, False, 1.0, "1", None, float("nan"))

GOOD: tuple[tuple[type[Question], Mapping[str, Any]], ...] = (
    (LatestDirectiveForRole, {"role": "r"}),
    (LatestDirectiveForRole, {"role": "r" * 200}),
    (ExecutionSummariesQuery, {"limit": 1}),
    (ExecutionSummariesQuery, {"limit": MAX_EXECUTION_LIMIT, "status_filter": None}),
    *((ExecutionSummariesQuery, {"limit": 1, "status_filter": s}) for s in get_args(RunStatus)),
    (ArtifactsByTypeQuery, {"artifact_type": "llm_call", "limit": MAX_ARTIFACT_LIMIT}),
    *((ArtifactsByTypeQuery, {"artifact_type": t, "limit": 1}) for t in get_args(ArtifactType)),
    (SemanticSearchQuery, {"query": "q", "top_k": 1}),
    (SemanticSearchQuery, {"query": "q" * 8192, "top_k": MAX_SEMANTIC_TOP_K}),
    (SemanticSearchQuery, {"query": "two\nlines", "top_k": 1}),
)

BAD: tuple[tuple[type[Question], Mapping[str, Any], str], ...] = (
    *(
        (LatestDirectiveForRole, {"role": role}, "role: must be a text of 1 to 200 characters")
        for role in ("", "  ", "r" * 201, None, b"r", 5)
    ),
    *(
        (ExecutionSummariesQuery, {"limit": n}, "limit: must be a whole number from 1 to 100")
        for n in (*NO_COUNT, 101)
    ),
    *(
        (ExecutionSummariesQuery, {"limit": 1, "status_filter": s}, f"status_filter: {RUNS}")
        for s in ("", "done", "COMPLETED", 1, ["failed"])
    ),
    *(
        (
            ArtifactsByTypeQuery,
            {"artifact_type": "llm_call", "limit": n},
            "limit: must be a whole number from 1 to 100",
        )
        for n in (*NO_COUNT, 101)
    ),
    *(
        (SemanticSearchQuery, {"query": q, "top_k": 1}, "query: must be a text of 1 to 8192 char")
        for q in ("", "\n", "q" * 8193, None, b"q")
    ),
    *(
        (
            SemanticSearchQuery,
            {"query": "q", "top_k": n},
            "top_k: must be a whole number from 1 to 50",
        )
        for n in (*NO_COUNT, 51)
    ),
)


@pytest.mark.parametrize(("question", "fields"), GOOD)
def test_a_question_within_its_bounds_can_be_asked(
    question: type[Question], fields: Mapping[str, Any]
) -> None:
    asked = question(**fields)
    assert {name: getattr(asked, name) for name in fields} == fields


@pytest.mark.parametrize(("question", "fields", "message"), BAD)
def test_a_question_out_of_its_bounds_names_the_field_and_the_bound(
    question: type[Question], fields: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        question(**fields)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("kind", ["", "note", "POLICY_EVALUATION", None, 3])
def test_a_type_outside_the_closed_list_is_refused_with_the_list(kind: Any) -> None:
    with pytest.raises(
        InvalidInputError, match=r"artifact_type: must be policy_evaluation, .* or "
    ):
        ArtifactsByTypeQuery(kind, 1)


@pytest.mark.parametrize("text", ["a\0b", "half \ud800"])
@pytest.mark.parametrize("ask", [LatestDirectiveForRole, lambda text: SemanticSearchQuery(text, 1)])
def test_what_postgres_cannot_hold_is_refused_before_it_is_asked(
    ask: Callable[[str], Question], text: str
) -> None:
    with pytest.raises(InvalidInputError):
        ask(text)


def test_a_question_is_known_by_the_name_of_the_method_that_answers_it() -> None:
    assert tuple(QUESTIONS) == (
        "latest_directive_for_role",
        "execution_summaries",
        "artifacts_by_type",
        "semantic_search",
    )
    assert all(question.name == name for name, question in QUESTIONS.items())


def test_a_question_is_frozen() -> None:
    question = SemanticSearchQuery("q", 1)
    with pytest.raises(FrozenInstanceError):
        question.top_k = 1000  # type: ignore[misc]


def test_a_secret_in_a_question_is_not_recorded() -> None:
    asked = recorded({"query": "why does password=hunter2-hunter2 fail?", "top_k": 3})
    assert asked == {"query": f"why does password={MASK} fail?", "top_k": 3}


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefghijklmnopqrstuvwxyz",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "remit_abcdefghijklmnopqrstuvwxyz",
        "hunter2-hunter2",
    ],
)
@pytest.mark.parametrize("before", ["\n", "\t", "\x0b", "x\n"])
def test_nothing_invisible_hides_a_secret_from_the_record(secret: str, before: str) -> None:
    said = f"password={secret}" if secret.startswith("hunter") else secret
    assert secret not in str(recorded({"query": f"why{before}{said}"}))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\\nlines"),
        ("a\0b\ud800", "a\\x00b\\ud800"),
        ("q" * 8192, "q" * 8192),
        ("q" * 8193, "[8193 characters]"),
        (True, True),
        (None, None),
        (-5, -5),
        (2**53, "[int]"),
        (0.5, "[float]"),
        (["a"], "[list]"),
        (b"a", "[bytes]"),
    ],
)
def test_what_was_asked_is_recorded_as_plain_bounded_json(value: object, kept: object) -> None:
    assert recorded({"asked": value}) == {"asked": kept}


@given(st.text(max_size=300))
def test_every_text_that_is_asked_can_be_recorded(text: str) -> None:
    kept = recorded({"query": text})["query"]
    assert isinstance(kept, str)
    assert kept.isprintable()
