"""`remit top`: how the loop fares, live.

It reads the database alone, so it needs no collector, no Prometheus and no worker that runs.
"""

import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from remit.cli.base.context import Context, command
from remit.cli.base.options import option
from remit.cli.base.output import (
    Cell,
    console,
    on_terminal,
    print_out,
    safe,
    terminal_size,
    write_json,
    write_line,
)
from remit.cli.base.services import keys_for
from remit.cli.base.streams import is_read
from remit.cli.views.cells import moment
from remit.cli.views.top import aligned_tables, length, rich_tables, tables_of
from remit.errors import InvalidInputError, MisconfiguredError, UnavailableError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remit.operations.evidence.overview import Overview

EveryOption = Annotated[
    float, option("--every", "How often it looks.", "SECONDS", min=0.5, max=3600)
]
OnceOption = Annotated[bool, option("--once", "Print it once, as in a pipe; else until Ctrl-C.")]


@command()
def top(context: Context, *, every: EveryOption = 2.0, once: OnceOption = False) -> None:
    """Watch the whole loop: what waits, what runs, what ended, and how long it takes.

    "Lately" is the last hour, and no more than the newest 2,000 of each kind. In a pipe, and with
    --json, it prints once.
    """
    if not math.isfinite(every):
        # Not a number lies within any bounds.
        raise InvalidInputError("must be a number of seconds", field="--every")
    if context.as_json:
        write_json(_read(context))
    elif once or not on_terminal():
        _write(_read(context), _stopped_by(context))
    else:
        _watch(context, every)


def _read(context: Context) -> "Overview":
    engine = context.engine
    from remit.operations.evidence.overview import read_overview

    return read_overview(engine, timedelta(hours=1))  # how long ago "lately" begins


def _stopped_by(context: Context) -> str:
    """Return why nothing is decided or started, by the policy that is in force here; empty: it is.

    Where there are no keys to verify who confirmed it, nothing is said.
    """
    from remit.operations.gate.policies import Confirmations, PolicySource
    from remit.stack.discovery import policy_file

    try:
        # Read anew: somebody may replace them while this runs.
        keys = keys_for(context.engine, context.settings)
        confirmed = Confirmations(context.engine, lambda: keys)
        source = PolicySource(policy_file(context.settings), confirmed)
    except MisconfiguredError:
        return ""
    except InvalidInputError as error:
        return error.message
    problem = source.problem()
    return "" if problem is None else problem.message


def _write(overview: "Overview", stopped_by: str) -> None:
    tables = tables_of(overview)
    write_line(_title(overview))
    if stopped_by:
        write_line(Cell(stopped_by, "red"))
    write_line("")
    if on_terminal():
        console().print(rich_tables(tables))
        return
    for line in aligned_tables(tables):
        print_out(line)


def _title(overview: "Overview") -> str:
    return f"remit at {moment(overview.at)}; lately: the last {length(overview.window_seconds)}"


def _watch(context: Context, every: float) -> None:
    from rich.console import ConsoleDimensions
    from rich.live import Live

    footer = f"every {every:g} s; Ctrl-C ends"
    try:
        shown = _read(context)
        with Live(console=console(), auto_refresh=False, screen=True) as live:
            problem = _stopped_by(context)
            while is_read():
                live.console.size = ConsoleDimensions(*terminal_size())
                lines = live.console.size.height
                live.update(_screen(shown, footer, problem, lines), refresh=True)
                time.sleep(every)
                try:
                    shown, problem = _read(context), _stopped_by(context)
                except UnavailableError as error:
                    # Whoever watches wants to see it come back.
                    problem = f"this is old: {error.message}"
    except KeyboardInterrupt:
        return  # the way out of this command


def _screen(overview: "Overview", footer: str, problem: str, lines: int) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    title = Text(f"{_title(overview)}; {footer}", style="dim")
    head = [title, *([Text(safe(problem), style="red")] if problem else [])]
    for line in head:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*head, Text(""), rich_tables(tables_of(overview), lines - len(head) - 1))
