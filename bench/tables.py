"""The figures as tables: Markdown for the page and for a pipe, Rich for a terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable

from bench.figures import Spread, paired_ratios, spread
from bench.measurement import (
    BARE,
    IN_FLIGHT,
    LOADS,
    LOOP,
    PERSON,
    PROCESSES,
    ROWS,
    Counts,
    Measurement,
    Results,
)
from bench.targets import targets

MARKS = {True: "✓ reached", False: "✗ missed"}

_NAME_WIDTH = max(map(len, LOADS.values()))
_PAIRS = ((LOOP, BARE), (PERSON, BARE), (LOOP, ROWS))


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        title: what it shows.
        header: its columns; the first holds names, the others figures.
        rows: its rows, each as long as the header.
    """

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(results: Results) -> list[Table]:
    """Return every table for which there are figures, the targets first."""
    made = [_targets(results)]
    for in_flight in IN_FLIGHT:
        if results.of(BARE, in_flight):
            made += [_times(results, in_flight), _ratios(results, in_flight)]
    for in_flight in IN_FLIGHT:
        if results.of(BARE, in_flight):
            made.append(_processor(results, in_flight))
    if results.counts:
        made.append(_counts(results))
    if results.starts:
        made.append(_starts(results))
    made += [_observed(results), _recalls(results)]
    return [table for table in made if table.rows]


def markdown(table: Table) -> str:
    """Return a table as Markdown whose columns also line up as plain text."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return "\n".join([line(table.header), f"| {' | '.join(rule)} |", *map(line, table.rows)])


def rich(table: Table) -> RichTable:
    """Return a table for a terminal."""
    shown = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for number, name in enumerate(table.header):
        if number:
            shown.add_column(name, justify="right")
        else:
            longest = max(len(row[0]) for row in table.rows)
            shown.add_column(name, no_wrap=longest <= _NAME_WIDTH)
    for row in table.rows:
        style = {MARKS[True]: "green", MARKS[False]: "red"}.get(row[-1], "")
        shown.add_row(*row[:-1], f"[{style}]{row[-1]}[/]" if style else row[-1])
    return shown


def _targets(results: Results) -> Table:
    rows = [
        (target.what, target.limit, _said(target.found), MARKS[target.reached])
        for target in targets(results)
    ]
    return Table("Targets", ("What", "Target", "Found", ""), rows)


def _times(results: Results, in_flight: int) -> Table:
    rows = []
    for load, name in LOADS.items():
        found = results.of(load, in_flight)
        rows.append(
            (
                name,
                _over(found, lambda m: m.p50_ms),
                _over(found, lambda m: m.p99_ms),
                _over(found, lambda m: m.per_second),
            )
        )
    title = f"{in_flight} in flight: latency and throughput"
    return Table(title, ("Load", "p50, ms", "p99, ms", "per second"), rows)


def _processor(results: Results, in_flight: int) -> Table:
    rows = []
    for load, name in LOADS.items():
        found = results.of(load, in_flight)
        used = [[m.cpu_ms.get(process, 0.0) for m in found] for process in PROCESSES]
        used.append([m.cpu_total_ms for m in found])
        rows.append((name, *(_cell(spread(each), 1) for each in used)))
    title = f"{in_flight} in flight: processor time of each process, milliseconds a unit"
    return Table(title, ("Load", *PROCESSES, "all"), rows)


def _ratios(results: Results, in_flight: int) -> Table:
    figures: tuple[Callable[[Measurement], float], ...] = (
        lambda m: m.p50_ms,
        lambda m: m.p99_ms,
        lambda m: m.per_second,
        lambda m: m.cpu_total_ms,
    )
    rows = []
    for above, below in _PAIRS:
        ones, others = results.of(above, in_flight), results.of(below, in_flight)
        cells = [
            _cell(spread(paired_ratios([*map(figure, ones)], [*map(figure, others)])), 2)
            for figure in figures
        ]
        rows.append((f"{LOADS[above]} ÷ {LOADS[below]}", *cells))
    title = f"{in_flight} in flight: ratios, paired round by round"
    return Table(title, ("Ratio", "p50", "p99", "per second", "processor"), rows)


def _counts(results: Results) -> Table:
    def row(load: str, counts: Counts) -> tuple[str, ...]:
        figures = (
            counts.transactions,
            counts.statements,
            counts.workflows,
            counts.workflow_tasks,
            counts.local_activities,
            counts.activities,
        )
        return (LOADS[load], *(f"{figure:.1f}".removesuffix(".0") for figure in figures))

    header = (
        "Load",
        "transactions",
        "SQL statements",
        "workflows",
        "workflow tasks",
        "local activities",
        "activities",
    )
    rows = [row(load, results.counts[load]) for load in LOADS if load in results.counts]
    return Table("Counted for one unit", header, rows)


def _starts(results: Results) -> Table:
    starts = results.starts
    rows = [
        ("both servers, started together", [start.servers for start in starts]),
        ("Postgres alone", [start.postgres for start in starts]),
        ("Temporal alone", [start.temporal for start in starts]),
        ("the sum of each alone", [start.postgres + start.temporal for start in starts]),
        ("`remit demo` to its first complete directive", [s.first_directive for s in starts]),
    ]
    cells = [(name, _cell(spread(values), 2)) for name, values in rows]
    return Table("Start from nothing, in new directories", ("Start", "seconds"), cells)


def _observed(results: Results) -> Table:
    without = [one.without for one in results.observed]
    hanging = [one.hanging for one in results.observed]
    title = "50 in flight: the loop, with a collector of spans and metrics that never answers"
    header = ("Load", "per second", "with it", "with it ÷ without")
    if not results.observed:
        return Table(title, header, ())
    figures = ((without, 1), (hanging, 1), (paired_ratios(hanging, without), 2))
    cells = (_cell(spread(values), digits) for values, digits in figures)
    return Table(title, header, [(LOADS[LOOP], *cells)])


def _recalls(results: Results) -> Table:
    rows = [
        (
            one.name,
            f"{one.recall:.3f}",
            f"{one.lowest:.1f}",
            _cell(spread(one.index_ms), 1),
            _cell(spread(one.exact_ms), 1),
            _cell(spread(paired_ratios(one.index_ms, one.exact_ms)), 3),
            f"{one.build_seconds:.0f}",
        )
        for one in results.recalls
    ]
    header = (
        "Vectors",
        "recall@10",
        "lowest",
        "search, p50, ms",
        "exact scan, p50, ms",
        "search ÷ exact scan",
        "indexed in, s",
    )
    return Table("Memory: search through the index, beside an exact scan", header, rows)


def _said(found: Spread | float) -> str:
    return _cell(found, 2) if isinstance(found, Spread) else f"{found:.3f}"


def _over(found: Sequence[Measurement], figure: Callable[[Measurement], float]) -> str:
    return _cell(spread([figure(measurement) for measurement in found]), 1)


def _cell(found: Spread, places: int) -> str:
    """Return a spread as `median (lowest..highest)`."""
    lowest, highest = f"{found.lowest:.{places}f}", f"{found.highest:.{places}f}"
    return f"{found.median:.{places}f} ({lowest}..{highest})"
