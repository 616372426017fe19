"""Memory's search: what the index finds of what an exact scan finds, and how fast each is.

Each question is put to Remit's own search and to an exact scan, and what they answer is compared.
The two take turns in rounds, so that their times can be compared round by round.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from bench.figures import percentile, recall
from bench.ground import ADMIN, Ground
from bench.measurement import BETWEEN, INSIDE, REAL, SEARCHES, Recall
from bench.progress import Reporter
from bench.recall_clusters import Vectors, hard_clusters
from bench.recall_rows import NEAREST, build_index, exact, load
from bench.recall_texts import real_texts
from remit.cognition.embeddings.local import LocalEmbeddingProvider
from remit.cognition.embeddings.types import MAX_BATCH_SIZE, EmbeddingRequest
from remit.memory.vector import semantic_search

ROUNDS, QUESTIONS = 5, 8
"""Rounds, and questions of each kind in each of them; none of them is asked in two rounds."""

_ALL_QUESTIONS = ROUNDS * QUESTIONS
_STEPS_OF_A_SIZE = 2 + len(SEARCHES)  # two sets of vectors are indexed

_Found = Sequence[tuple[UUID, float]]


@dataclass(frozen=True)
class Sample:
    """Vectors to search.

    Attributes:
        name: how they are called while they are indexed.
        vectors: what is stored, in the order in which it came.
        questions: what is asked, by :data:`bench.measurement.SEARCHES`; none of it is stored.
    """

    name: str
    vectors: Vectors
    questions: Mapping[str, Vectors]


def steps(sizes: Sequence[int]) -> int:
    """Return how many steps :func:`measure_recall` reports."""
    return (1 + len(sizes) * _STEPS_OF_A_SIZE) if sizes else 0


def measure_recall(ground: Ground, sizes: Sequence[int], reporter: Reporter) -> list[Recall]:
    """Measure both kinds of vectors, as many of each as asked for.

    Memories that are there already are removed.

    Args:
        ground: the servers; nothing else may use them meanwhile.
        sizes: how many vectors, one number for each measurement; none measures nothing.
        reporter: is told of each step.
    """
    engine = ground.engine()
    try:
        return [
            found
            for sample in _samples(sizes, reporter)
            for found in measure_sample(engine, ground.database_url, sample, reporter)
        ]
    finally:
        engine.dispose()


def measure_sample(
    engine: sa.Engine, database_url: str, sample: Sample, reporter: Reporter
) -> list[Recall]:
    """Store vectors, index them, and ask every question in both ways."""
    model = f"bench, {sample.name}"
    reporter.doing(f"{sample.name}: storing")
    load(database_url, model, sample.vectors, author=ADMIN)
    reporter.doing(f"{sample.name}: indexing")
    began = time.perf_counter()
    build_index(engine, model)
    build_seconds = time.perf_counter() - began
    reporter.done(f"{sample.name}: indexed in {build_seconds:.0f} s")
    recalls = []
    for kind, questions in sample.questions.items():
        reporter.doing(f"{sample.name}: asking")
        asked = _ask(engine, model, questions.tolist())
        found = Recall(kind, len(sample.vectors), *asked, build_seconds)
        recalls.append(found)
        reporter.done(
            f"{found.name}: recall@{NEAREST} {found.recall:.3f}, "
            f"search {percentile(found.index_ms, 0.5):.1f} ms, "
            f"exact scan {percentile(found.exact_ms, 0.5):.1f} ms"
        )
    return recalls


def embedded(texts: Sequence[str]) -> Vectors:
    """Return the local provider's vectors of texts."""
    provider = LocalEmbeddingProvider()
    batches = (texts[at : at + MAX_BATCH_SIZE] for at in range(0, len(texts), MAX_BATCH_SIZE))
    # Python's own numbers take six times the room: no more than a batch of them is kept.
    made = [
        np.array(provider.embed(EmbeddingRequest(tuple(batch))).embeddings, dtype=np.float32)
        for batch in batches
    ]
    return np.concatenate(made)


def apart(vectors: Vectors, questions: int) -> tuple[Vectors, Vectors]:
    """Take some vectors out, evenly over all, to be asked; return the others and these."""
    taken = np.linspace(0, len(vectors) - 1, questions).astype(int)
    return np.delete(vectors, taken, axis=0), vectors[taken]


def _samples(sizes: Sequence[int], reporter: Reporter) -> Iterator[Sample]:
    """Return each set of vectors when its turn comes: the largest takes some hundred megabytes."""
    if not sizes:
        return
    reporter.doing("reading and embedding real texts")
    vectors = embedded(real_texts(max(sizes) + _ALL_QUESTIONS))
    reporter.done(f"{len(vectors):,} real texts are read and embedded")
    for size in sizes:
        stored, questions = apart(vectors[: size + _ALL_QUESTIONS], _ALL_QUESTIONS)
        yield Sample(f"{len(stored):,} real texts", stored, {REAL: questions})
    for size in sizes:
        stored, questions = hard_clusters(size, 2 * _ALL_QUESTIONS)
        asked = {INSIDE: questions[::2], BETWEEN: questions[1::2]}
        yield Sample(f"{len(stored):,} vectors in hard clusters", stored, asked)


def _ask(
    engine: sa.Engine, model: str, asked: list[list[float]]
) -> tuple[float, float, list[float], list[float]]:
    """Ask every question in both ways.

    Returns:
        The mean and the lowest recall, and the median latencies of each round in milliseconds,
        of the search and of the exact scan.
    """

    def indexed(question: list[float]) -> _Found:
        return semantic_search(engine, question, NEAREST, model=model)

    def scanned(question: list[float]) -> _Found:
        return exact(engine, model, question)

    for question in asked:
        indexed(question)  # the first of its kind has to read the index
    scanned(asked[0])
    recalls: list[float] = []
    index_ms: list[float] = []
    exact_ms: list[float] = []
    for number in range(ROUNDS):
        mine = asked[number * QUESTIONS : (number + 1) * QUESTIONS]
        if number % 2 == 0:
            answers, truths = _timed(indexed, mine, index_ms), _timed(scanned, mine, exact_ms)
        else:
            truths, answers = _timed(scanned, mine, exact_ms), _timed(indexed, mine, index_ms)
        recalls += [recall(*each) for each in zip(answers, truths, strict=True)]
    return sum(recalls) / len(recalls), min(recalls), index_ms, exact_ms


def _timed(
    answer: Callable[[list[float]], _Found], questions: Sequence[list[float]], p50s_ms: list[float]
) -> list[list[float]]:
    """Answer questions; return the similarities found, and add the median latency to `p50s_ms`."""
    found, latencies = [], []
    for question in questions:
        began = time.perf_counter()
        nearest = answer(question)
        latencies.append((time.perf_counter() - began) * 1000)
        found.append([similarity for _, similarity in nearest])
    p50s_ms.append(percentile(latencies, 0.5))
    return found
