"""What the tour shows at its end: a table, what it proved, and how to look further."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.output import Cell, Row, safe, write_line, write_table
from remit.cli.views.cells import STATUS_STYLES
from remit.cli.views.trace import tell_trace

if TYPE_CHECKING:
    from remit.cli.views.trace import TourTrace
    from remit.stack.options import EventName
    from remit.tour.report import Played, TourReport
    from remit.tour.script import Outcome

_GOOD = Cell("✓", "green")
_BAD = Cell("✗", "bold red")
_PARTS: Mapping["EventName", str] = {
    "temporal": "Temporal",
    "postgres": "Postgres",
    "database": "its tables",
    "worker": "worker",
}


def tell(
    report: "TourReport",
    started: Mapping["EventName", float],
    traced: "TourTrace | None",
    kept: Path | None,
) -> None:
    """Print the result of a tour.

    `started` says when each part of the stack came up, in seconds from the process' start.
    """
    write_line()
    header = ("", "directive", "expected", "did", "took")
    write_table(header, [_row(one) for one in report.played])
    _tell_differences(report)
    write_line()
    write_line(Cell("What it proved", "bold"))
    for proof in report.proofs:
        write_line("  ", _GOOD if proof.holds else _BAD, f" {proof.text}")
    write_line()
    if traced is not None:
        tell_trace(traced)
        write_line()
    _tell_times(report, started)
    write_line()
    _tell_further(report, kept)


def summary(outcome: "Outcome | None") -> str:
    """Return what became of a directive in a few words."""
    if outcome is None:
        return "was refused"
    said: str = outcome.status
    if outcome.status == "blocked":
        said += f": {', '.join(outcome.blocked_by) or outcome.reason}"
    elif outcome.reason is not None:
        said += f": {outcome.reason}"
    if outcome.approved_by:
        first, *others = outcome.approved_by
        said += f", by {len(outcome.approved_by)} people" if others else f", by {first}"
    if outcome.attempts > 1:
        said += f", {outcome.attempts} tries"
    if outcome.effects:
        said += f", {counted(outcome.effects, 'effect')}"
    return said


def _row(one: "Played") -> Row:
    found, expected = one.found, one.scene.expect
    style = STATUS_STYLES.get(found.status, "") if found else ""
    took = "" if one.seconds is None else f"{one.seconds:.2f} s"
    return (
        _BAD if one.differences else _GOOD,
        one.scene.title,
        Cell(summary(expected), "dim"),
        Cell(summary(found), style),
        Cell(f"{took:>6}", "dim"),
    )


def _tell_differences(report: "TourReport") -> None:
    unlike = [one for one in report.played if one.differences]
    write_line()
    if not unlike:
        count = len(report.played)
        write_line(f"All {count} as expected, in {report.seconds:.1f} s.")
        return
    write_line(Cell(f"{len(unlike)} of {len(report.played)} not as expected", "bold red"))
    for one in unlike:
        for difference in one.differences:
            write_line("  ", _BAD, f" {one.scene.title}: {difference}")


def _tell_times(report: "TourReport", started: Mapping["EventName", float]) -> None:
    first = report.first_completed_seconds
    parts = [f"{label} {started[name]:.2f} s" for name, label in _PARTS.items() if name in started]
    if first is not None:
        write_line(Cell("First completed directive", "bold"), f"  {first:.2f} s after the start")
    write_line(Cell(f"  up before it: {', '.join(parts)}", "dim"))


def _tell_further(report: "TourReport", kept: Path | None) -> None:
    write_line(Cell("Look further", "bold"))
    ids = [one.record.directive.id for one in report.played if one.record is not None]
    if kept is None:
        lines = (
            ("remit demo --data-dir DIR", "the same, and keeps what happened in DIR; then"),
            ("remit up --data-dir DIR", "starts the servers on it again, and"),
            ("remit show ID --data-dir DIR", "tells a directive's whole story"),
        )
    else:
        folder = safe(kept)
        lines = (
            (f"remit up --data-dir {folder}", "starts the servers on it again; then, elsewhere,"),
            (f"remit list --data-dir {folder}", "lists the directives, and"),
            (
                f"remit show {str(ids[-1])[:8] if ids else 'ID'} --data-dir {folder}",
                "tells the whole story of the last",
            ),
        )
    width = max(len(command) for command, _ in lines)
    for command, meaning in lines:
        write_line("  ", Cell(f"{command:<{width}}", "cyan"), f"  {meaning}")
