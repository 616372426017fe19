"""What commands print: tables, lines and JSON, for a terminal or for a pipe.

On a terminal Rich gives colors and wraps what is too wide. In a pipe the same rows are aligned with
spaces, without colors, and nothing is cut. Rich honors `NO_COLOR` by itself. All text that may come
from a directive passes :func:`safe` here, so no caller has to think of it, and is never read as
markup.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from remit.wording import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

STATUS_STYLES: Mapping[str, str] = {
    "draft": "dim",
    "proposed": "yellow",
    "approved": "cyan",
    "executing": "blue",
    "complete": "green",
    "blocked": "magenta",
    "aborted": "red",
}
"""The color of each directive status."""

_GAP = "  "


class Cell(NamedTuple):
    """A piece of text and how it looks on a terminal.

    Attributes:
        text: what it says; made safe when it is printed.
        style: a Rich style; "" for none. A pipe shows none.
    """

    text: str
    style: str = ""


Row = Sequence[Cell | str]
"""One row of a table, or one line."""


def safe(text: object) -> str:
    """Return `text` on one line with every character that cannot be seen written as an escape."""
    shown = str(text)
    return printable(shown, len(shown))


def status_cell(status: str, reason: str | None = None) -> Cell:
    """Return a directive's status, with its reason when there is one."""
    return Cell(f"{status} ({reason})" if reason else status, STATUS_STYLES.get(status, ""))


_NARROWEST, _USUAL, _WIDEST = 10, 80, 2000


def on_terminal() -> bool:
    """Return whether a person sees standard output as it is printed."""
    return sys.stdout.isatty()


def console(*, stderr: bool = False) -> "Console":
    """Return a Rich console that takes text as it is: no markup, no emoji codes, no guessing."""
    from rich.console import Console

    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not _NARROWEST <= made.width <= _WIDEST:
        # COLUMNS says so: nothing is seen of a table without room, and one of millions never ends.
        made.width = _USUAL
    return made


def write_json(value: object) -> None:
    """Print one JSON document; values of Remit become plain JSON."""
    print_out(json_text(value, indent=2))


def write_json_line(value: object) -> None:
    """Print one JSON document on one line, at once: for streams."""
    print_out(json_text(value, indent=None))


def json_text(value: object, *, indent: int | None) -> str:
    """Return `value` as JSON that a terminal may show: what cannot be seen is escaped."""
    from pydantic_core import to_jsonable_python

    text = json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=indent)
    # Only strings can hold such characters, and JSON writes them as UTF-16 units there.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


@contextmanager
def spinner(text: str, *, quiet: bool) -> "Iterator[Console | None]":
    """Show a person that something is under way; nothing is shown in a pipe.

    Args:
        text: what is under way.
        quiet: whether to show nothing on a terminal either.

    Yields:
        The console that :func:`write_line` must use meanwhile, so that both keep their lines.
    """
    if quiet or not on_terminal():
        yield None
        return
    shared = console()
    with shared.status(text):
        yield shared


def write_line(*cells: Cell | str, stderr: bool = False, on: "Console | None" = None) -> None:
    """Print one line, its cells joined without a gap, at once; `on` the console of a spinner."""
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        from rich.text import Text

        line = Text("").join(_rich_text(each) for each in cells)
        # Lines are meant to be copied: the terminal wraps them, not Rich.
        (on or console(stderr=stderr)).print(line, soft_wrap=True)
    else:
        print_out("".join(safe(_cell(each).text) for each in cells), stderr=stderr)


def write_table(header: Sequence[str], rows: Iterable[Row], *, stderr: bool = False) -> None:
    """Print rows in columns; an empty `header` prints none."""
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        console(stderr=stderr).print(rich_table(header, rows))
    else:
        for line in aligned(header, rows):
            print_out(line, stderr=stderr)


def rich_table(header: Sequence[str], rows: Iterable[Row]) -> "Table":
    """Return rows as a table of Rich, for a terminal or a live display."""
    from rich.table import Table

    table = Table(box=None, show_header=bool(header), padding=(0, 2, 0, 0), header_style="bold")
    listed = [[_cell(each) for each in row] for row in rows]
    columns = max([len(header), *(len(row) for row in listed)])
    for index in range(columns):
        # Only the last column may be broken into lines: the others are ids, names and times.
        title = header[index] if header else ""
        table.add_column(title, no_wrap=index < columns - 1, overflow="fold")
    for row in listed:
        table.add_row(*(_rich_text(each) for each in row))
    return table


def aligned(header: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """Return rows as lines of plain text whose columns start at the same place."""
    lines = [[safe(_cell(each).text) for each in row] for row in rows]
    if header:
        lines.insert(0, list(header))
    columns = max((len(line) for line in lines), default=0)
    widths = [
        max((_width(line[index]) for line in lines if index < len(line)), default=0)
        for index in range(columns)
    ]
    return [
        _GAP.join(
            text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=False)
        ).rstrip()
        for line in lines
    ]


def print_out(text: str, *, stderr: bool = False) -> None:
    """Print text that is known to be safe, and let it be read at once."""
    print(text, file=sys.stderr if stderr else sys.stdout, flush=True)


def _cell(value: Cell | str) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _rich_text(value: Cell | str) -> "Text":
    from rich.text import Text

    cell = _cell(value)
    return Text(safe(cell.text), style=cell.style)


def _width(text: str) -> int:
    """Return how many columns a terminal gives to `text`."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
