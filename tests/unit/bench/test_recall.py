"""What memory's search is measured over: texts that are real, and clusters that are hard."""

import sysconfig
from pathlib import Path

import numpy as np
import pytest

from bench.recall import apart, embedded
from bench.recall_clusters import CLUSTERS, Vectors, hard_clusters
from bench.recall_texts import LONGEST, SHORTEST, real_texts, texts_of

SOURCE = '''
"""One line about it.

A paragraph
    over two lines.
"""
# A comment
#: of two lines
x = 1  # beside the code: no text
# Another one
'''


def test_a_text_is_a_paragraph_of_a_docstring_or_a_block_of_comments() -> None:
    found = [" ".join(text.split()) for text in texts_of(SOURCE)]
    assert found == [
        "One line about it.",
        "A paragraph over two lines.",
        "A comment of two lines",
        "Another one",
    ]


def test_texts_are_distinct_within_their_bounds_and_the_same_each_time() -> None:
    found = real_texts(500)
    assert len(set(found)) == len(found) == 500
    assert all(SHORTEST <= len(text) <= LONGEST for text in found)
    assert real_texts(100) == found[:100]


def test_where_there_are_no_more_texts_there_are_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, installed = tmp_path / "lib", tmp_path / "lib" / "site-packages"
    installed.mkdir(parents=True)
    (library / "a.py").write_bytes(b'"""A text of the library itself."""\n# \xff\xfe is no text.\n')
    (installed / "b.py").write_text(
        '"""A text of what is installed."""\n"""A text of the library itself."""'
    )
    paths = {"stdlib": str(library), "purelib": str(installed)}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
    assert real_texts(10) == ["A text of the library itself.", "A text of what is installed."]


@pytest.fixture(scope="module")
def clusters() -> tuple[Vectors, Vectors]:
    """Return vectors and questions."""
    return hard_clusters(2_000, 20)


def test_every_vector_has_the_stored_length_and_the_same_seed_gives_the_same(
    clusters: tuple[Vectors, Vectors],
) -> None:
    vectors, questions = clusters
    assert (vectors.shape, questions.shape) == ((2_000, 1_536), (20, 1_536))
    for each in clusters:
        assert np.linalg.norm(each, axis=1) == pytest.approx(1, abs=1e-5)
    again = hard_clusters(2_000, 20)
    assert all(np.array_equal(*pair) for pair in zip(clusters, again, strict=True))
    assert not np.array_equal(vectors, hard_clusters(2_000, 20, seed=2)[0])


def test_clusters_arrive_one_after_the_other_and_differ_in_size(
    clusters: tuple[Vectors, Vectors],
) -> None:
    vectors, _ = clusters
    # Vectors of two clusters are at right angles, or almost; those of one point the same way.
    begins = [0, *(n for n in range(1, 2_000) if vectors[n] @ vectors[n - 1] < 0.5)]
    sizes = np.diff([*begins, 2_000])
    assert len(sizes) == CLUSTERS
    assert max(sizes) >= 10 * min(sizes)


def test_every_other_question_lies_between_two_clusters(
    clusters: tuple[Vectors, Vectors],
) -> None:
    vectors, questions = clusters
    nearest = (questions @ vectors.T).max(axis=1)
    assert min(nearest[::2]) > 0.8
    assert max(nearest[1::2]) < 0.8


def test_questions_are_taken_out_of_what_is_stored_evenly() -> None:
    vectors = np.arange(12, dtype=np.float32).reshape(12, 1)
    stored, questions = apart(vectors, 3)
    assert questions.ravel().tolist() == [0, 5, 11]
    assert stored.ravel().tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 10]


def test_texts_are_embedded_in_their_order_over_all_batches() -> None:
    texts = [f"text number {number}" for number in range(101)]
    vectors = embedded(texts)
    assert vectors.shape == (101, 1_536)
    assert np.array_equal(vectors[100:], embedded(texts[100:]))
