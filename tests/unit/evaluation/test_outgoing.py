"""What may leave of what is told of a run: secrets masked first, then cut to length."""

import pytest

from remit.evaluation.checks import MAX_ARTIFACTS, outgoing, outgoing_text
from remit.evaluation.interface import EvaluatedArtifact, EvaluationResult
from tests.support.evaluations import ARTIFACT, ended_run

CANARY = "ghp_" + "c" * 36


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deploy", "deploy"),
        ("", ""),
        ("two\nlines\x1b[31m", "two\\nlines\\x1b[31m"),
        ("a" * 200, "a" * 200),
        ("a" * 201, "a" * 197 + "..."),
        (CANARY, "[redacted]"),
        # Cut first, the end of the secret would be gone and its start not known for one.
        ("a" * 190 + " " + CANARY, "a" * 190 + " [redac..."),
    ],
)
def test_a_text_leaves_as_one_short_line_without_secrets(text: str, expected: str) -> None:
    assert outgoing_text(text) == expected


@pytest.mark.parametrize("text", ["deploy", "a\nb", "a" * 201, "a\n" * 150, CANARY, "\ud800"])
def test_done_twice_it_changes_nothing_more(text: str) -> None:
    once = outgoing_text(text)
    assert outgoing_text(once) == once


def test_what_is_told_of_a_run_passes_as_it_is() -> None:
    assert outgoing(ended_run()) == ended_run()


def test_many_artifacts_are_the_first_hundred() -> None:
    artifacts = tuple(EvaluatedArtifact(str(n), ARTIFACT.digest) for n in range(150))
    told = outgoing(ended_run(artifacts=artifacts))
    assert told.artifacts == artifacts[:MAX_ARTIFACTS]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"duration_seconds": -1.0}, {"duration_seconds": 0.0}),
        ({"duration_seconds": float("nan")}, {"duration_seconds": None}),
        ({"duration_seconds": None}, {"duration_seconds": None}),
        ({"attempts": -1}, {"attempts": 0}),
    ],
)
def test_numbers_that_mean_nothing_are_mended(
    changes: dict[str, object], expected: dict[str, object]
) -> None:
    assert outgoing(ended_run(**changes)) == ended_run(**expected)


@pytest.mark.parametrize(
    ("name", "score"),
    [("", 0.5), ("a" * 101, 0.5), ("a", -0.1), ("a", 1.1), ("a", float("nan"))],
)
def test_a_result_that_could_not_be_compared_cannot_be_made(name: str, score: float) -> None:
    with pytest.raises(ValueError, match=r"characters|between 0 and 1"):
        EvaluationResult(name, score)
