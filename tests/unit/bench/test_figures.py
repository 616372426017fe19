"""The benchmark's statistics: percentiles, spreads, and ratios paired round by round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Spread, paired_ratios, percentile, recall, spread

FIGURES = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=200)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.5, 7.0),
        ([7.0], 0.99, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([4.0, 3.0, 2.0, 1.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.5, 50.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 201)], 0.99, 198.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
)
def test_a_percentile_is_the_smallest_value_that_enough_others_do_not_exceed(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


@given(values=FIGURES, share=st.floats(min_value=0.001, max_value=1))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], share)


def test_nothing_has_neither_percentile_nor_spread() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no values"):
        spread([])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.0], Spread(2.0, 2.0, 2.0)),
        ([9.0, 1.0, 2.0], Spread(2.0, 1.0, 9.0)),
        ([4.0, 1.0, 2.0, 9.0], Spread(3.0, 1.0, 9.0)),
    ],
)
def test_a_spread_is_the_median_with_both_ends(values: list[float], expected: Spread) -> None:
    assert spread(values) == expected


def test_ratios_are_paired_round_by_round() -> None:
    assert paired_ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


def test_a_drift_that_all_loads_of_a_round_share_does_not_show_in_the_ratios() -> None:
    drift = [1.0, 1.7, 0.6]
    ratios = paired_ratios([30 * factor for factor in drift], [20 * factor for factor in drift])
    assert ratios == pytest.approx([1.5, 1.5, 1.5])


def test_rounds_that_miss_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratios([1.0, 2.0], [1.0])


def test_a_ratio_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        paired_ratios([1.0], [0.0])


@pytest.mark.parametrize(
    ("found", "nearest", "expected"),
    [
        ([0.9, 0.8], [0.9, 0.8], 1.0),
        ([0.8, 0.9], [0.9, 0.8], 1.0),
        ([0.9, 0.7], [0.9, 0.8], 0.5),
        ([0.7, 0.6], [0.9, 0.8], 0.0),
        ([0.9], [0.9, 0.8], 0.5),
        ([], [0.9, 0.8], 0.0),
        # Whichever of three that are equally near were found, two are all that was asked for.
        ([0.8, 0.8], [0.9, 0.8], 1.0),
        ([0.8, 0.8, 0.8], [0.8, 0.8], 1.0),
    ],
)
def test_recall_is_the_share_of_the_nearest_that_was_found(
    found: list[float], nearest: list[float], expected: float
) -> None:
    assert recall(found, nearest) == expected


def test_there_is_no_recall_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        recall([0.5], [])
