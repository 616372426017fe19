"""Vectors that are hard for an index: tight clusters that have nothing to do with each other.

An index that is a graph follows its links from vector to vector, and few links leave a cluster. So
clusters may be out of reach, and a question between two may be answered from one of them alone.
Here clusters differ in size and in width, one arrives after the other, the vectors of each fill few
of the dimensions there are, and some are almost copies.
"""

import numpy as np
from numpy.typing import NDArray

from remit.cognition.embeddings.types import EMBEDDING_DIMENSIONS

Vectors = NDArray[np.float32]
"""One vector of length 1 in each row; as many columns as a stored embedding has numbers."""

CLUSTERS = 100
"""How many clusters there are; their centers are at right angles, or almost."""

FILLED = 16
"""How many dimensions the vectors of a cluster fill."""

NARROWEST, WIDEST = 0.05, 0.5
"""How far a vector lies from its center, where centers lie 1.4 from each other."""

COPIES = 0.1
"""The share of vectors that are another one of their cluster, moved by a hundredth of its width."""

_UNEVEN = 0.7  # the largest cluster is 25 times as large as the smallest


def hard_clusters(count: int, questions: int, seed: int = 1) -> tuple[Vectors, Vectors]:
    """Return vectors in the order of their clusters, and questions to ask of them.

    Args:
        count: how many vectors, at least one for each cluster.
        questions: how many questions: every other one from inside a cluster, the others from the
            middle between two.
        seed: the same one gives the same vectors.
    """
    random = np.random.default_rng(seed)
    centers = _directions(random.standard_normal((CLUSTERS, EMBEDDING_DIMENSIONS)))
    shape = (CLUSTERS, FILLED, EMBEDDING_DIMENSIONS)
    bases = _directions(random.standard_normal(shape, dtype=np.float32))
    widths = np.exp(random.uniform(np.log(NARROWEST), np.log(WIDEST), CLUSTERS))

    def drawn(cluster: int, size: int) -> Vectors:
        moved = random.standard_normal((size, FILLED)) * widths[cluster] / np.sqrt(FILLED)
        return _single(centers[cluster] + moved @ bases[cluster])

    made = []
    for cluster, size in enumerate(_sizes(count, random)):
        vectors = drawn(cluster, size)
        copies = int(size * COPIES)
        shift = random.standard_normal((copies, EMBEDDING_DIMENSIONS))
        vectors[size - copies :] = vectors[:copies] + _directions(shift) * widths[cluster] / 100
        made.append(vectors)
    asked = []
    for number in range(questions):
        one, other = random.choice(CLUSTERS, 2, replace=False)
        question = drawn(one, 1)
        asked.append(question if number % 2 == 0 else question + drawn(other, 1))
    return _directions(np.concatenate(made)), _directions(np.concatenate(asked))


def _sizes(count: int, random: np.random.Generator) -> list[int]:
    """Return how many vectors each cluster has: at least one, and `count` in all."""
    shares = np.arange(1, CLUSTERS + 1) ** -_UNEVEN
    sizes = 1 + np.floor((count - CLUSTERS) * shares / shares.sum()).astype(int)
    sizes[0] += count - sizes.sum()
    return [int(size) for size in random.permutation(sizes)]


def _directions(vectors: NDArray[np.floating]) -> Vectors:
    return _single(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _single(vectors: NDArray[np.floating]) -> Vectors:
    return vectors.astype(np.float32)
