"""The benchmark's targets: what is compared, and when it is reached."""

import dataclasses

import pytest

from bench.figures import Spread
from bench.measurement import LOOP, Recall, Results, Start
from bench.targets import Target, targets
from tests.unit.bench.sample import results


def median(target: Target) -> float:
    """Return the middle of the ratios that a target was held against."""
    assert isinstance(target.found, Spread)
    return target.found.median


def with_loop(found: Results, *, factor: float) -> Results:
    """Return the same results, the loop's latency and throughput multiplied."""
    changed = [
        dataclasses.replace(m, p50_ms=m.p50_ms * factor, per_second=m.per_second * factor)
        if m.load == LOOP
        else m
        for m in found.measurements
    ]
    return dataclasses.replace(found, measurements=changed)


def test_each_target_compares_the_medians_of_paired_ratios() -> None:
    latency, throughput, start = targets(results())[:3]
    assert median(latency) == pytest.approx(1.1)
    assert median(throughput) == pytest.approx(0.8)
    assert median(start) == pytest.approx(3.5)
    assert [latency.reached, throughput.reached, start.reached] == [True, False, True]


def test_a_slower_loop_misses_the_latency_and_a_faster_one_reaches_the_throughput() -> None:
    latency, throughput = targets(with_loop(results(), factor=1.2))[:2]
    assert (latency.reached, throughput.reached) == (False, True)


@pytest.mark.parametrize(("seconds", "reached"), [(4.0, True), (4.01, False)])
def test_a_start_may_take_four_times_the_servers_own(*, seconds: float, reached: bool) -> None:
    start = Start(servers=1.0, postgres=0.7, temporal=0.6, first_directive=seconds)
    found = dataclasses.replace(results(), starts=[start])
    assert targets(found)[2].reached is reached


@pytest.mark.parametrize(("share", "reached"), [(0.99, True), (0.9899, False)])
def test_a_search_finds_ninety_nine_of_a_hundred(*, share: float, reached: bool) -> None:
    one = Recall("real", 10_000, share, 0.9, [1.0], [2.0], 1.0)
    [target] = targets(dataclasses.replace(results(), measurements=[], starts=[], recalls=[one]))
    assert (target.found, target.reached) == (share, reached)
    assert target.what == "recall@10 of memory's index: real texts, 10,000"


def test_what_was_not_measured_is_no_target() -> None:
    found = dataclasses.replace(results(starts=0), recalls=[])
    assert len(targets(found)) == 2
