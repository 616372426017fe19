"""What a person, a pipe or a program sees of the tour while it runs.

A view is told of each event of the stack (from any thread) and each moment of the tour.
:mod:`remit.cli.views.tour` says what all of them show at the end.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from remit.cli.base.output import Cell, console, on_terminal, safe, write_json, write_line
from remit.cli.views.tour import tell
from remit.tour.startup import seconds_since_process_start

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from remit.cli.views.trace import TourTrace
    from remit.stack.options import EventName, StackEvent
    from remit.tour.progress import Moment
    from remit.tour.report import TourReport
    from remit.tour.script import Scene

_HEADING = "Remit's tour: the real loop on real servers, on this machine alone."
_BOXES = ("intent", "gate", "consent", "act", "evidence")

_PARTS: Mapping["EventName", str] = {
    "postgres": "Postgres answers",
    "database": "the database has its tables",
    "temporal": "Temporal answers",
    "worker": "a worker serves both queues",
    "worker_lost": "the worker is gone",
}
_STACK_ROW: Mapping["EventName", str] = {
    "postgres": "Postgres",
    "database": "tables",
    "temporal": "Temporal",
    "worker": "worker",
}
_MARKS: Mapping[str, tuple[str, str]] = {
    "passed": ("●", "green"),
    "waits": ("◐", "yellow"),
    "stopped": ("■", "magenta"),
    "ahead": ("·", "dim"),
}


class View:
    """Shows nothing until the end; the other views show what happens."""

    def __init__(self) -> None:
        # When each part of the stack first came up, in seconds from the process' start.
        self.started: dict[EventName, float] = {}
        self._script: Sequence[Scene] = ()

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop showing; what stands on the screen then is the last that happened."""

    def stack_event(self, event: "StackEvent") -> None:
        """Take in an event of the stack; called from any thread."""
        self.started.setdefault(event.name, seconds_since_process_start())

    def begin(self, script: "Sequence[Scene]") -> None:
        """Take in what will be played."""
        self._script = script

    def moment(self, moment: "Moment") -> None:
        """Take in a moment of the tour."""

    def tell(self, report: "TourReport", traced: "TourTrace | None", kept: Path | None) -> None:
        """Show the end of the tour, and the folder that is kept."""
        tell(report, self.started, traced, kept)


class JsonView(View):
    """One JSON document at the end."""

    def tell(self, report: "TourReport", traced: "TourTrace | None", kept: Path | None) -> None:
        """Print the report as JSON."""
        started = {name: round(seconds, 3) for name, seconds in self.started.items()}
        folder = None if kept is None else str(kept.absolute())
        trace_id = None if traced is None else traced.trace_id
        more = {"trace_id": trace_id, "started_seconds": started, "data_dir": folder}
        write_json({**report.to_json(), **more})


class PlainView(View):
    """A line for each thing worth telling, as it happens: for a pipe."""

    def __enter__(self) -> Self:
        """Say what begins."""
        write_line(_HEADING)
        write_line()
        return self

    def stack_event(self, event: "StackEvent") -> None:
        """Print what came up, or went down."""
        super().stack_event(event)
        if event.name in _PARTS:
            self._line(_PARTS[event.name])

    def moment(self, moment: "Moment") -> None:
        """Print what a person did, what befell the worker, and how each directive ended."""
        if moment.ended or moment.note:
            width = max(len(safe(scene.title)) for scene in self._script)
            title = safe(self._script[moment.scene].title)
            self._line(f"{title:<{width}}  {safe(moment.text)}")

    @staticmethod
    def _line(text: str) -> None:
        write_line(f"{seconds_since_process_start():6.2f} s  {text}")


class LiveView(View):
    """Every directive on its way through the boxes, redrawn as it moves: for a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._marks: dict[tuple[int, str], str] = {}
        self._texts: dict[int, str] = {}
        self._worker_lost = False
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        from rich.live import Live

        write_line(Cell(_HEADING, "bold"))
        screen = console()
        self._live = Live(
            console=screen,
            get_renderable=lambda: self.drawing(screen.width),
            refresh_per_second=12,
            transient=True,
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe the drawing away: the result takes its place."""
        if self._live is not None:
            self._live.stop()

    def stack_event(self, event: "StackEvent") -> None:
        """Take in what came up, or went down."""
        super().stack_event(event)
        if event.name in {"worker", "worker_lost"}:
            self._worker_lost = event.name == "worker_lost"

    def moment(self, moment: "Moment") -> None:
        """Take in where a directive stands."""
        with self._lock:
            self._marks[moment.scene, moment.box] = moment.mark
            self._texts[moment.scene] = moment.text

    def drawing(self, room: int) -> "RenderableType":
        """Return the picture of this moment, `room` columns wide at most."""
        from rich.console import Group

        table = ("", self._table(room)) if self._script else ()
        return Group("", self._stack_row(), *table)

    def _stack_row(self) -> "Text":
        from rich.text import Text

        row = Text("  ")
        for name, label in _STACK_ROW.items():
            lost = name == "worker" and self._worker_lost
            up = name in self.started and not lost
            symbol, style = _MARKS["stopped" if lost else "passed" if up else "waits"]
            row.append(f"{symbol} ", style)
            row.append(label, "" if up else "dim")
            row.append(f" {self.started[name]:.1f} s    " if up else "    ", "dim")
        return row

    def _table(self, room: int) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        widths = [2 + max(len(safe(scene.title)) for scene in self._script), *map(len, _BOXES)]
        for title, width in zip(("", *_BOXES), widths, strict=True):
            table.add_column(title, justify="center" if title else "left", width=width)
        # The words get what room is left, and they alone are cut.
        left = room - sum(widths) - 2 * (len(widths) + 1)
        table.add_column("", no_wrap=True, overflow="ellipsis", width=max(left, 1))
        with self._lock:
            for number, scene in enumerate(self._script):
                marks = [self._marks.get((number, box), "ahead") for box in _BOXES]
                known = number in self._texts
                table.add_row(
                    Text(f"  {safe(scene.title)}", "" if known else "dim"),
                    *(Text(*_MARKS[mark]) for mark in marks),
                    Text(safe(self._texts.get(number, "")), "dim"),
                )
        return table


def choose_view(*, as_json: bool) -> View:
    """Return the view for whoever reads standard output."""
    if as_json:
        return JsonView()
    return LiveView() if on_terminal() else PlainView()
