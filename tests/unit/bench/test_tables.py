"""The benchmark's tables, as exact text."""

import dataclasses

import pytest

from bench.tables import Table, markdown, tables
from tests.support.golden import golden
from tests.unit.bench.sample import results

TITLES = [
    "Targets",
    "1 in flight: latency and throughput",
    "1 in flight: ratios, paired round by round",
    "50 in flight: latency and throughput",
    "50 in flight: ratios, paired round by round",
    "1 in flight: processor time of each process, milliseconds a unit",
    "50 in flight: processor time of each process, milliseconds a unit",
    "Counted for one unit",
    "Start from nothing, in new directories",
    "50 in flight: the loop, with a collector of spans and metrics that never answers",
    "Memory: search through the index, beside an exact scan",
]


def test_names_stand_left_and_figures_right() -> None:
    table = Table("", ("Load", "p50, ms"), [("bare", "9.0"), ("loop, by policy", "10.0")])
    assert golden("bench", "a table") == markdown(table) + "\n"


def test_the_targets_come_first_and_every_figure_has_its_table() -> None:
    assert [table.title for table in tables(results())] == TITLES


def test_a_table_without_figures_is_left_out() -> None:
    found = dataclasses.replace(results(starts=0), recalls=[], observed=[])
    assert [table.title for table in tables(found)] == TITLES[:-3]


@pytest.mark.parametrize(
    ("title", "row"),
    [
        ("1 in flight: latency and throughput", "bare workflow|30.0 (20.0..40.0)"),
        ("1 in flight: ratios, paired round by round", "bare workflow|1.10 (1.10..1.10)"),
        ("50 in flight: ratios, paired round by round", "bare workflow|3.00 (3.00..3.00)"),
        (
            "1 in flight: processor time of each process, milliseconds a unit",
            "|15.0 (10.0..20.0)",
        ),
        ("Counted for one unit", "loop, by policy|3|11.2|1|1|1|0"),
        ("Start from nothing, in new directories", "the sum of each alone|1.30 (1.30..1.30)"),
        (
            "50 in flight: the loop, with a collector of spans and metrics that never answers",
            "loop, by policy|30.0 (20.0..40.0)|29.5 (21.0..38.0)|1.00 (0.95..1.05)",
        ),
        ("Targets", "at most 1.15|1.10 (1.10..1.10)|✓ reached"),
        ("Targets", "at least 0.9|0.80 (0.80..0.80)|✗ missed"),
        ("Targets", "index: real texts, 10,000|at least 0.99|0.996|✓ reached"),
        ("Targets", "index: hard clusters, asked from between, 900|at least 0.99|0.980|✗ missed"),
    ],
)
def test_a_figure_is_its_median_with_both_ends(title: str, row: str) -> None:
    found = {table.title: table for table in tables(results())}[title]
    assert any(row in "|".join(cells) for cells in found.rows)


def test_a_search_is_told_by_what_it_finds_and_by_its_times_beside_the_exact_scans() -> None:
    found = {table.title: table for table in tables(results())}[TITLES[-1]]
    one, other = ["|".join(row) for row in found.rows]
    assert one == (
        "real texts, 10,000|0.996|0.9|3.0 (2.0..4.0)|60.0 (40.0..80.0)|0.050 (0.050..0.050)|12"
    )
    assert other == (
        "hard clusters, asked from between, 900|0.980|0.0"
        "|5.0 (5.0..5.0)|375.0 (250.0..500.0)|0.015 (0.010..0.020)|80"
    )
