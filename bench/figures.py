"""The statistics of the benchmark. Pure.

A machine drifts while it is measured, often by half. So every load is measured once in each round,
and what is compared is compared within a round: the ratio of each round first, then their median.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """What several rounds say of one figure.

    Attributes:
        median: the middle one; the mean of the two middle ones when their number is even.
        lowest: the smallest.
        highest: the largest.
    """

    median: float
    lowest: float
    highest: float


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least this share of them does not exceed.

    Args:
        values: at least one, in any order.
        share: more than 0, at most 1; 0.5 asks for the (lower) median.

    Raises:
        ValueError: there are no values, or the share is none.
    """
    if not values:
        raise ValueError("a percentile of no values")
    if not 0 < share <= 1:
        raise ValueError(f"a share is more than 0 and at most 1, not {share}")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def spread(values: Sequence[float]) -> Spread:
    """Return the median of `values` with the smallest and the largest.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("a spread of no values")
    return Spread(statistics.median(values), min(values), max(values))


def paired_ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each round: the first of `above` to the first of `below`, and so on.

    Raises:
        ValueError: the two are not of one length, or something would be divided by zero.
    """
    if 0 in below:
        raise ValueError("a ratio to nothing")
    return [one / other for one, other in zip(above, below, strict=True)]


def recall(found: Sequence[float], nearest: Sequence[float]) -> float:
    """Return which share of the nearest was found, 0 to 1.

    What is as near as the last of the nearest is one of them: where several are equally near, it
    does not matter which was found.

    Args:
        found: the similarities of what was found.
        nearest: the similarities of the nearest that there are, in any order.

    Raises:
        ValueError: there are none.
    """
    if not nearest:
        raise ValueError("a recall of nothing")
    return min(1.0, sum(each >= min(nearest) for each in found) / len(nearest))
