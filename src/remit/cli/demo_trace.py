"""One trace of the tour: of which directive, its steps as they were kept, and how it is shown."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from remit.cli.output import Cell, write_line

if TYPE_CHECKING:
    from remit.telemetry.kept import Branch
    from remit.tour.report import TourReport

LONGEST = 16
"""How many steps are shown at most."""

_WAIT_SECONDS = 1.0  # what the worker has just told of its steps may be on its way to the file
_POLL_SECONDS = 0.05
_LAST_STEP = "run.end"


@dataclass(frozen=True)
class TourTrace:
    """The trace that the tour shows.

    Attributes:
        title: what its directive shows in the tour.
        directive_id: the directive.
        branches: its steps, as a tree; empty if telemetry kept none.
    """

    title: str
    directive_id: UUID
    branches: "Sequence[Branch]"

    @property
    def trace_id(self) -> str | None:
        """The trace's id, in hexadecimal; None if no step of it was kept."""
        from remit.telemetry.ids import trace_id_text

        return trace_id_text(self.directive_id) if self.branches else None


def find_trace(report: "TourReport", spans: Path) -> TourTrace | None:
    """Return the trace of the directive that tells most; None when none ran.

    Waits a moment for the end of one that has only just ended; where nothing at all is kept, it
    does not.

    Args:
        report: the tour, played.
        spans: where the stack's processes keep their spans.
    """
    from remit.telemetry.kept import read_trace

    one = report.exemplar
    if one is None or one.record is None:
        return None
    directive_id = one.record.directive.id
    deadline = time.monotonic() + _WAIT_SECONDS
    branches = read_trace(spans, directive_id)
    while branches and not _is_whole(branches) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        branches = read_trace(spans, directive_id)
    return TourTrace(one.scene.title, directive_id, branches)


def tell_trace(traced: TourTrace) -> None:
    """Print a trace without Temporal's own steps, and which command prints such a one."""
    from remit.cli.trace import own_steps, tree_lines

    write_line(Cell("One trace through every process", "bold"), f"  {traced.title}")
    if not traced.branches:
        write_line("  telemetry kept no step of it; nothing else depends on that")
        return
    lines = tree_lines(own_steps(traced.branches))
    for line in lines[:LONGEST]:
        write_line(f"  {line}")
    left_out = f"the other {len(lines) - LONGEST} and " if len(lines) > LONGEST else ""
    write_line(
        Cell(f"  `remit trace ID` prints such a tree, with {left_out}Temporal's own steps", "dim")
    )


def _is_whole(branches: "Sequence[Branch]") -> bool:
    """Return whether the run's end was kept, and every step's parent."""
    ended = any(each.span.name == _LAST_STEP for each in branches)
    return ended and all(each.depth or each.span.parent_id is None for each in branches)
