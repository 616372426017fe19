"""One trace of the tour: of which directive, its steps as they were kept, and how it is shown."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from remit.cli.base.output import Cell, safe, write_line

if TYPE_CHECKING:
    from remit.telemetry.span_reader import SpanNode, StoredSpan
    from remit.tour.report import TourReport

LONGEST = 16
"""How many steps are shown at most."""

_WAIT_SECONDS = 1.0  # what the worker has just told of its steps may be on its way to the file
_POLL_SECONDS = 0.05
_LAST_STEP = "run.end"


@dataclass(frozen=True)
class TourTrace:
    """The trace of one directive of the tour, as a tree; empty if telemetry kept none."""

    title: str
    directive_id: UUID
    branches: "Sequence[SpanNode]"

    @property
    def trace_id(self) -> str | None:
        """The trace's id, in hexadecimal; None if no step of it was kept."""
        from remit.telemetry.ids import trace_id_text

        return trace_id_text(self.directive_id) if self.branches else None


def find_trace(report: "TourReport", spans: Path) -> TourTrace | None:
    """Return the trace of the directive that tells most, from a folder of spans; None: none ran.

    Waits a moment for the end of one that has only just ended; where nothing at all is kept, it
    does not.
    """
    from remit.telemetry.span_reader import read_trace

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


def _is_whole(branches: "Sequence[SpanNode]") -> bool:
    # The run's end was kept, and every step's parent.
    ended = any(each.span.name == _LAST_STEP for each in branches)
    return ended and all(each.depth or each.span.parent_id is None for each in branches)


def own_steps(branches: "Sequence[SpanNode]") -> "list[SpanNode]":
    """Return the tree without Temporal's own steps; what stands within those moves up."""
    from remit.telemetry.span_reader import SpanNode

    found: list[SpanNode] = []
    around: list[int] = []  # depths, in the whole tree, of the steps kept around the next one
    for each in branches:
        while around and around[-1] >= each.depth:
            around.pop()
        # Temporal's interceptor names its steps as StartWorkflow:ExecutionWorkflow.
        if ":" not in each.span.name:
            found.append(SpanNode(len(around), each.span))
            around.append(each.depth)
    return found


def tree_lines(branches: "Sequence[SpanNode]") -> list[str]:
    """Return the tree, one line a step, with its start after that of the first one."""
    if not branches:
        return []
    began = min(each.span.start_ns for each in branches)
    width = max(2 * each.depth + len(each.span.name) for each in branches)
    found = []
    for each in branches:
        span = each.span
        name = "  " * each.depth + span.name
        took, after = (span.end_ns - span.start_ns) / 1e6, (span.start_ns - began) / 1e6
        times = f"{after:9.1f} ms  {took:8.1f} ms"
        found.append(safe(f"{name:{width}}  {times}  {span.service}  {_said(span)}".rstrip()))
    return found


_SHOWN = ("directive_id", "temporalWorkflowID", "temporalRunID", "temporalActivityID")
"""Attributes that the tree leaves out: each line would repeat them."""


def _said(span: "StoredSpan") -> str:
    words = [
        f"{key}={value}" for key, value in sorted(span.attributes.items()) if key not in _SHOWN
    ]
    if span.status == "error":
        words.append(f"error: {span.status_text or 'unknown'}")
    return " ".join(words)
