"""What `remit top` shows of one overview: tables, for a terminal or for a pipe. Pure.

Types, scopes and issuers are what strangers wrote: all of them pass `remit.confusables`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remit.audit.overview import MOST_COUNTED
from remit.cli.base.output import Cell, Row, aligned, rich_table
from remit.cli.views.cells import VERDICT_STYLES, short_moment, shown_id, status_cell
from remit.confusables.text import revealed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remit.audit.overview import PendingApproval
    from remit.operations.evidence.overview import Overview

SOON_SECONDS = 3600.0
"""An approval with less time left than this is shown in another color."""

_UNDER_WAY = frozenset({"proposed", "approved", "executing"})
_MEASURES: Mapping[str, str] = {
    "approval_wait": "waiting for approval",
    "queue_lag": "from approved to started",
    "duration": "executing",
}
_UNDER_A_SECOND = 0.9995  # it would be rounded to 1000 ms
_FEW_SECONDS = 10.0  # so few that tenths tell something
_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


@dataclass(frozen=True)
class Table:
    """One table of the overview; the first column's header names the table, too.

    Attributes:
        wide: whether it has a place of its own; narrow ones stand side by side.
        empty: what stands in place of the rows when there are none.
        more: how many there are besides those of the rows.
    """

    header: Sequence[str]
    rows: Sequence[Row]
    wide: bool
    empty: str
    more: int = 0

    def lines(self) -> list[Row]:
        """Return the rows, or what stands in their place, and how many are left out."""
        if self.more:
            return [*self.rows, (Cell(f"and {self.more:,} more", "yellow"),)]
        return [*self.rows] or [(Cell(self.empty, "dim"),)]

    def within(self, lines: int) -> "Table":
        """Return this table with no more lines than so many, its header among them."""
        if 1 + len(self.lines()) <= lines:
            return self
        kept = self.rows[: max(lines - 2, 0)]
        return replace(self, rows=kept, more=self.more + len(self.rows) - len(kept))


def tables_of(overview: "Overview") -> tuple[Table, ...]:
    """Return the tables, in the order in which they are shown."""
    return (
        _approvals(overview),
        _running(overview),
        _endings(overview),
        _statuses(overview),
        _verdicts(overview),
        _reasons(overview),
        _times(overview),
        _reads(overview),
    )


def length(seconds: float) -> str:
    """Return a length of time in the two largest units that tell something."""
    if seconds < 0:
        return f"-{length(-seconds)}"
    if seconds < _UNDER_A_SECOND:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _FEW_SECONDS:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    for size, unit, smaller, word in _UNITS:
        if seconds >= size:
            many, rest = divmod(int(seconds) // smaller, size // smaller)
            return f"{many} {unit} {rest} {word}" if rest else f"{many} {unit}"
    return f"{seconds:.0f} s"


def aligned_tables(tables: Sequence[Table]) -> Iterator[str]:
    """Yield the tables as lines of plain text, an empty line between two."""
    for place, table in enumerate(tables):
        if place:
            yield ""
        yield from aligned(table.header, table.lines())


def rich_tables(tables: Sequence[Table], lines: int | None = None) -> "RenderableType":
    """Return the tables for a terminal: the wide ones, then the narrow ones side by side.

    Where there are only so many `lines`, the first of the wide ones comes first.
    """
    from rich.columns import Columns
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for table in (one for one in tables if one.wide):
        if lines is None:
            shown = table
        else:
            # What waits may take all there is; the others leave something to those after them.
            shown = table.within(max(lines if not parts else lines // 2, 2))
            lines -= len(shown.lines()) + 2
        parts += [rich_table(shown.header, shown.lines(), one_line=True), Text("")]
    narrow = [rich_table(one.header, one.lines()) for one in tables if not one.wide]
    return Group(*parts, Columns(narrow, (0, 3, 1, 0)))


def _statuses(overview: "Overview") -> Table:
    recent = _counts(overview, "status")
    rows = [
        (
            status_cell(one.status),
            f"{one.count:,}{'+' if one.count >= MOST_COUNTED else ''}",
            str(recent.get(one.status, 0)),
            _seconds(one.oldest_seconds if one.status in _UNDER_WAY else None),
        )
        for one in overview.statuses
    ]
    return Table(("DIRECTIVES", "NOW", "LATELY", "OLDEST"), rows, wide=False, empty="none")


def _verdicts(overview: "Overview") -> Table:
    rows = [
        (
            revealed(one.policy) if one.policy else Cell("the gate", "bold"),
            Cell(revealed(one.verdict), VERDICT_STYLES.get(one.verdict, "")),
            str(one.count),
        )
        for one in overview.verdicts
    ]
    return Table(("VERDICT OF", "SAID", "LATELY"), rows, wide=False, empty="none lately")


def _reasons(overview: "Overview") -> Table:
    counted = _counts(overview, "failure")
    rows = [(Cell(reason, "red"), str(count)) for reason, count in counted.items()]
    return Table(("STOPPED BY", "LATELY"), rows, wide=False, empty="none lately")


def _times(overview: "Overview") -> Table:
    rows = [
        (
            f"{measure} {revealed(one.word)}".rstrip(),
            str(one.count),
            _seconds(one.median_seconds),
            _seconds(one.p95_seconds),
        )
        for kind, measure in _MEASURES.items()
        for one in overview.recent
        if one.kind == kind
    ]
    return Table(("TIME", "LATELY", "MEDIAN", "P95"), rows, wide=False, empty="none lately")


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else length(seconds)


def _reads(overview: "Overview") -> Table:
    rows = [
        (revealed(one.query), revealed(one.outcome), str(one.count))
        for one in overview.memory_reads
    ]
    return Table(("MEMORY ASKED", "OUTCOME", "LATELY"), rows, wide=False, empty="nothing lately")


def _approvals(overview: "Overview") -> Table:
    rows = [
        (
            Cell(shown_id(one.directive_id), "bold"),
            _left(one),
            f"{one.approvals} of {one.required_approvals}",
            revealed(one.issued_by),
            f"{revealed(one.type)} in {revealed(one.scope)}",
        )
        for one in overview.approvals
    ]
    header = ("WAITS FOR APPROVAL", "TIME LEFT", "VOTES", "ISSUED BY", "WHAT")
    more = max(overview.pending - len(rows), 0)
    return Table(header, rows, wide=True, empty="none", more=more)


def _left(one: "PendingApproval") -> Cell:
    if one.left_seconds <= 0:
        return Cell("ran out", "red")
    return Cell(length(one.left_seconds), "yellow" if one.left_seconds < SOON_SECONDS else "")


def _running(overview: "Overview") -> Table:
    rows = [
        (
            Cell(shown_id(one.directive_id), "bold"),
            length(max(0.0, one.age_seconds)),
            Cell("in doubt", "red") if one.is_in_doubt else str(one.attempts),
            f"{revealed(one.type)} in {revealed(one.scope)}",
        )
        for one in overview.running
    ]
    return Table(("EXECUTES", "SINCE", "ATTEMPTS", "WHAT"), rows, wide=True, empty="none")


def _endings(overview: "Overview") -> Table:
    rows = [
        (
            Cell(shown_id(one.directive_id), "bold"),
            short_moment(one.ended_at),
            status_cell(one.status, one.status_reason),
            f"{revealed(one.type)} in {revealed(one.scope)}",
        )
        for one in overview.endings
    ]
    return Table(("ENDED LAST", "WHEN", "HOW", "WHAT"), rows, wide=True, empty="none")


def _counts(overview: "Overview", kind: str) -> dict[str, int]:
    return {one.word: one.count for one in overview.recent if one.kind == kind}
