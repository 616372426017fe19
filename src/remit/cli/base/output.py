"""What commands print: tables, lines and JSON, for a terminal or for a pipe.

On a terminal Rich gives colors and wraps what is too wide. In a pipe the same rows are aligned with
spaces, without colors, and nothing is cut. Rich honors `NO_COLOR` by itself. All text that may come
from a directive passes :func:`safe` here, so no caller has to think of it, and is never read as
markup.
"""

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO

from remit.base.progress import Progress, tell_nobody
from remit.base.wording import printable
from remit.cli.base import streams

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_LEAST = 20  # columns that the last column of a table needs to be read
_MOST = 1000  # columns or lines of any terminal


class Cell(NamedTuple):
    """A piece of text, made safe when it is printed, and its Rich style; "" for none."""

    text: str
    style: str = ""


Row = Sequence[Cell | str]
"""One row of a table, or one line."""


def safe(text: object) -> str:
    """Return `text` on one line with every character that cannot be seen written as an escape."""
    shown = str(text)
    return printable(shown, len(shown))


def on_terminal() -> bool:
    """Return whether a person sees standard output as it is printed."""
    return sys.stdout.isatty()


def console(*, stderr: bool = False) -> "Console":
    """Return a Rich console that takes text as it is: no markup, no emoji codes, no guessing."""
    from rich.console import Console

    columns, lines = terminal_size()
    return Console(
        stderr=stderr, markup=False, emoji=False, highlight=False, width=columns, height=lines
    )


def terminal_size() -> tuple[int, int]:
    """Return columns and lines to write for; what no terminal has counts as the usual."""
    columns, lines = shutil.get_terminal_size()
    return columns if _LEAST <= columns <= _MOST else 80, min(max(lines, 6), _MOST)


def write_json(value: object) -> None:
    """Print one JSON document; values of Remit become plain JSON."""
    print_out(json_text(value, indent=2, stream=sys.stdout))


def write_json_line(value: object) -> None:
    """Print one JSON document on one line, at once: for streams."""
    print_out(json_text(value, indent=None, stream=sys.stdout))


def json_text(value: object, *, indent: int | None, stream: TextIO | None = None) -> str:
    """Return `value` as JSON that a terminal may show: what cannot be seen is escaped.

    So is what `stream` would not write as UTF-8, and what no JSON may hold: half a character, which
    a file's name may have, is written as the text of its escape. None stands for a UTF-8 stream.
    """
    from pydantic_core import to_jsonable_python

    text = json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=indent)
    whole = stream is None or streams.is_utf8(stream)

    def escaped(c: str) -> str:
        if c == "\n" or (c.isprintable() and (whole or c.isascii())):
            return c
        # Only strings can hold such characters, and JSON writes them as UTF-16 units there.
        escape = json.dumps(c)[1:-1]
        return f"\\{escape}" if "\ud800" <= c <= "\udfff" else escape

    return "".join(map(escaped, text))


@contextmanager
def spinner(text: str, *, quiet: bool) -> "Iterator[Console | None]":
    """Show a person that something is under way; nothing in a pipe, nor where it is `quiet`.

    Yields the console that :func:`write_line` must use meanwhile, so that both keep their lines.
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


def write_table(header: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows in columns; an empty `header` prints none."""
    if on_terminal():
        console().print(rich_table(header, rows))
    else:
        for line in aligned(header, rows):
            print_out(line)


def write_facts(facts: Iterable[tuple[str, Cell | str | None]]) -> None:
    """Print a line for each fact, after its name; one that is None has none."""
    write_table((), [("", Cell(name, "dim"), text) for name, text in facts if text is not None])


def write_list(
    header: Sequence[str], rows: Sequence[Row], empty: str, *, stderr: bool = True
) -> None:
    """Print rows in columns, or that there are none."""
    if rows:
        write_table(header, rows)
    else:
        write_line(empty, stderr=stderr)


def rich_table(header: Sequence[str], rows: Iterable[Row], *, one_line: bool = False) -> "Table":
    """Return rows as a table of Rich; with `one_line` a row is cut where it would need a second."""
    from rich.table import Table

    table = Table(box=None, show_header=bool(header), padding=(0, 2, 0, 0), header_style="bold")
    listed = [[_cell(each) for each in row] for row in rows]
    cells = [[safe(each.text) for each in row] for row in listed]
    widths = _widths([header, *cells])
    # Only the last column is broken into lines: the others are ids, names and times. Where they
    # leave it no room all are, but for the first one, which says what the row is about.
    roomy = sum(width + 2 for width in widths[:-1]) <= terminal_size()[0] - _LEAST
    first = max((text_width(row[0]) for row in cells if row), default=0)
    for index in range(len(widths)):
        table.add_column(
            _rich_text(header[index] if header else "", one_line=one_line),
            no_wrap=roomy and index < len(widths) - 1,
            overflow="fold",
            min_width=min(first, _LEAST * 2) if index == 0 else None,
        )
    for row in listed:
        table.add_row(*(_rich_text(each, one_line=one_line) for each in row))
    return table


def aligned(header: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """Return rows as lines of plain text whose columns start at the same place."""
    lines = [[safe(_cell(each).text) for each in row] for row in rows]
    if header:
        lines.insert(0, list(header))
    widths = _widths(lines)
    return ["  ".join(map(padded, line, widths)).rstrip() for line in lines]


def padded(text: str, width: int) -> str:
    """Return text with spaces after it, so that it takes so many columns of a terminal."""
    return text + " " * (width - text_width(text))


def print_out(text: str, *, stderr: bool = False) -> None:
    """Print text that is known to be safe, and let it be read at once."""
    print(text, file=sys.stderr if stderr else sys.stdout, flush=True)


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    columns = max((len(line) for line in lines), default=0)
    return [
        max((text_width(line[index]) for line in lines if index < len(line)), default=0)
        for index in range(columns)
    ]


def _cell(value: Cell | str) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _rich_text(value: Cell | str, *, one_line: bool = False) -> "Text":
    from rich.text import Text

    cell = _cell(value)
    text = Text(safe(cell.text), style=cell.style)
    if one_line:
        # Not by the column: one that cannot wrap is not made narrower before it is cut.
        text.no_wrap, text.overflow = True, "ellipsis"
    return text


def text_width(text: str) -> int:
    """Return how many columns a terminal gives to `text`."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


@contextmanager
def bar(what: str, *, quiet: bool) -> Iterator[Progress]:
    """Show a person how far something is; nothing in a pipe, nor where it is `quiet`.

    Yields what is to be told of each step.
    """
    if quiet or not on_terminal():
        yield tell_nobody
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console(), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
