"""What a directive may cost, what a search has to find, and whether this run kept to it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Spread, paired_ratios, spread
from bench.measurement import BARE, LOOP, Recall, Results

LATENCY_AT_MOST = 1.15
"""With one in flight: the loop's median latency, as a multiple of the bare workflow's."""

THROUGHPUT_AT_LEAST = 0.9
"""With fifty in flight: the loop's throughput, as a multiple of the bare workflow's."""

START_AT_MOST = 4.0
"""From a bare process to the first directive, as a multiple of the two servers' own start."""

RECALL_AT_LEAST = 0.99
"""The share of the ten nearest memories that a search finds, over all questions."""


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        what: what is compared with what.
        limit: the ratio or share that is allowed, in words.
        found: the ratio, over the rounds; or one share, over all questions.
        reached: whether the median of the ratios, or the share, keeps to the limit.
    """

    what: str
    limit: str
    found: Spread | float
    reached: bool


def targets(results: Results) -> list[Target]:
    """Return every target for which there are figures."""
    found = []
    alone, bare_alone = results.of(LOOP, 1), results.of(BARE, 1)
    if alone:
        ratios = paired_ratios([m.p50_ms for m in alone], [m.p50_ms for m in bare_alone])
        what = "1 in flight: p50 of the loop ÷ p50 of the bare workflow"
        found.append(_at_most(what, ratios, LATENCY_AT_MOST))
    many, bare_many = results.of(LOOP, 50), results.of(BARE, 50)
    if many:
        ratios = paired_ratios([m.per_second for m in many], [m.per_second for m in bare_many])
        what = "50 in flight: throughput of the loop ÷ throughput of the bare workflow"
        found.append(_at_least(what, ratios, THROUGHPUT_AT_LEAST))
    if results.starts:
        ratios = paired_ratios(
            [start.first_directive for start in results.starts],
            [start.servers for start in results.starts],
        )
        what = "`remit demo` to its first complete directive ÷ the two servers' own start"
        found.append(_at_most(what, ratios, START_AT_MOST))
    return found + [_recalled(one) for one in results.recalls]


def _recalled(one: Recall) -> Target:
    what = f"recall@10 of memory's index: {one.name}"
    reached = one.recall >= RECALL_AT_LEAST
    return Target(what, f"at least {RECALL_AT_LEAST:g}", one.recall, reached)


def _at_most(what: str, ratios: Sequence[float], limit: float) -> Target:
    found = spread(ratios)
    return Target(what, f"at most {limit:g}", found, reached=found.median <= limit)


def _at_least(what: str, ratios: Sequence[float], limit: float) -> Target:
    found = spread(ratios)
    return Target(what, f"at least {limit:g}", found, reached=found.median >= limit)
