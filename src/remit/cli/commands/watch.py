"""`remit watch`: directives as they change."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.failures import EXIT_OK
from remit.cli.base.options import DataDirOption, JsonOption
from remit.cli.base.output import on_terminal, spinner, status_cell, write_json_line, write_line
from remit.cli.base.streams import is_read

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa
    from rich.console import Console
    from rich.live import Live

    from remit.directives.models import DirectiveRead, UnreadableDirective

INTERVAL_SECONDS = 0.5
"""How often the database is looked at."""

WATCHED = 20
"""How many directives are watched when none is named: the newest."""

OptionalId = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        show_default=False,
        help="One directive, until it ends or is blocked. Without it: the newest, until Ctrl-C.",
    ),
]


def watch(
    directive: OptionalId = None,
    *,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch directives as they change; in a pipe, a line for each change.

    With ID the exit code is 1 unless it completes. With --json each line is a JSON object.
    """
    raise typer.Exit(_watch(directive, data_dir, as_json=as_json))


def _watch(text: str | None, data_dir: Path | None, *, as_json: bool) -> int:
    from remit.cli.base.services import database

    with database(data_dir) as engine:
        if text is not None:
            from remit.operations.evidence.records import resolve_id

            return _watch_one(engine, resolve_id(engine, text), as_json=as_json)
        try:
            if on_terminal() and not as_json:
                _watch_table(engine)
            else:
                _watch_lines(engine, as_json=as_json)
        except KeyboardInterrupt:
            return EXIT_OK  # the way out of this command
    return EXIT_OK


def _watch_one(engine: "sa.Engine", directive_id: "UUID", *, as_json: bool) -> int:
    """Print each change of one directive until it ends, or nobody reads any more."""
    from remit.cli.base.waiting import wait_for_ends
    from remit.cli.views.verdict import exit_code_of

    with spinner("watching; Ctrl-C leaves it as it is", quiet=as_json) as shared:
        ended = asyncio.run(
            wait_for_ends(
                engine,
                [directive_id],
                lambda each: _write(each, as_json=as_json, on=shared),
                wanted=is_read,
            )
        )
    return exit_code_of(ended, ended=is_read())


def _watch_lines(engine: "sa.Engine", *, as_json: bool) -> None:
    """Print a line for each directive and each change, the oldest first, until nobody reads."""
    seen: dict[UUID, tuple[object, object]] = {}
    while True:
        for each in reversed(_newest(engine)):
            mark = (each.status, getattr(each, "updated_at", None))
            if seen.get(each.id) != mark:
                seen[each.id] = mark
                _write(each, as_json=as_json)
        if not is_read():
            return
        time.sleep(INTERVAL_SECONDS)


def _watch_table(engine: "sa.Engine") -> None:
    """Keep a table on the terminal current until interrupted."""
    from rich.live import Live

    from remit.cli.base.output import console

    with Live(console=console(), auto_refresh=False, vertical_overflow="crop") as live:
        while is_read():
            _refresh(live, _newest(engine))
            time.sleep(INTERVAL_SECONDS)


def _refresh(live: "Live", directives: "list[DirectiveRead | UnreadableDirective]") -> None:
    from rich.console import Group
    from rich.text import Text

    from remit.cli.base.output import rich_table
    from remit.cli.views.directives import HEADER, rows_of

    count = f"the newest {len(directives)}" if directives else "no directives yet"
    footer = Text(f"{count}; every {INTERVAL_SECONDS:g} s; Ctrl-C ends", style="dim")
    live.update(Group(rich_table(HEADER, rows_of(directives)), footer), refresh=True)


def _newest(engine: "sa.Engine") -> "list[DirectiveRead | UnreadableDirective]":
    from remit.directives.repository import DirectiveFilter
    from remit.operations.evidence.records import read_directives

    return read_directives(engine, DirectiveFilter(limit=WATCHED))


def _write(
    directive: "DirectiveRead | UnreadableDirective",
    *,
    as_json: bool,
    on: "Console | None" = None,
) -> None:
    """Print one directive as it now is, on one line."""
    from remit.cli.views.timeline import moment
    from remit.cli.views.verdict import shown_id
    from remit.directives.models import UnreadableDirective

    if as_json:
        write_json_line({"directive": directive})
        return
    if isinstance(directive, UnreadableDirective):
        status = status_cell(directive.status, directive.status_reason)
        write_line(f"{shown_id(directive.id)}  ", status, on=on)
        return
    write_line(
        f"{moment(directive.updated_at)}  {shown_id(directive.id)}  ",
        status_cell(directive.status, directive.status_reason),
        f"  {directive.type} in {directive.scope}",
        on=on,
    )
