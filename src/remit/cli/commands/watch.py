"""`remit watch`: directives as they change."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.context import Context, command
from remit.cli.base.failures import EXIT_OK
from remit.cli.base.options import argument
from remit.cli.base.output import console, on_terminal, rich_table, write_json_line, write_line
from remit.cli.base.streams import is_read
from remit.cli.base.waiting import wait_for_ends
from remit.cli.views.cells import moment, shown_id, status_of
from remit.cli.views.directives import HEADER, exit_code_of, row_of

if TYPE_CHECKING:
    from uuid import UUID

    from rich.console import Console

    from remit.directives.models import DirectiveRead, UnreadableDirective

INTERVAL_SECONDS = 0.5
"""How often the database is looked at."""

WATCHED = 20
"""How many directives are watched when none is named: the newest."""

OptionalId = Annotated[
    str | None,
    argument(
        "ID", "One directive, until it ends or is blocked. Without it: the newest, until Ctrl-C."
    ),
]


@command()
def watch(context: Context, directive: OptionalId = None) -> None:
    """Watch directives as they change; in a pipe, a line for each change.

    With ID the exit code is 1 unless it completes. With --json each line is a JSON object.
    """
    if directive is not None:
        raise typer.Exit(_watch_one(context, context.resolve(directive)))
    try:
        if on_terminal() and not context.as_json:
            _watch_table(context)
        else:
            _watch_lines(context)
    except KeyboardInterrupt as interrupted:
        raise typer.Exit(EXIT_OK) from interrupted  # the way out of this command


def _watch_one(context: Context, directive_id: "UUID") -> int:
    """Print each change of one directive until it ends, or nobody reads any more."""
    with context.spinner("watching; Ctrl-C leaves it as it is") as shared:
        ended = asyncio.run(
            wait_for_ends(
                context.engine,
                [directive_id],
                lambda each: _write(each, as_json=context.as_json, on=shared),
                wanted=is_read,
            )
        )
    return exit_code_of(ended, ended=is_read())


def _watch_lines(context: Context) -> None:
    seen: dict[UUID, tuple[object, object]] = {}
    while True:
        for each in reversed(_newest(context)):
            mark = (each.status, getattr(each, "updated_at", None))
            if seen.get(each.id) != mark:
                seen[each.id] = mark
                _write(each, as_json=context.as_json)
        if not is_read():
            return
        time.sleep(INTERVAL_SECONDS)


def _watch_table(context: Context) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    with Live(console=console(), auto_refresh=False, vertical_overflow="crop") as live:
        while is_read():
            found = _newest(context)
            count = f"the newest {len(found)}" if found else "no directives yet"
            footer = Text(f"{count}; every {INTERVAL_SECONDS:g} s; Ctrl-C ends", style="dim")
            table = rich_table(HEADER, [row_of(each) for each in found])
            live.update(Group(table, footer), refresh=True)
            time.sleep(INTERVAL_SECONDS)


def _newest(context: Context) -> "list[DirectiveRead | UnreadableDirective]":
    engine = context.engine
    from remit.directives.repository import DirectiveFilter
    from remit.operations.evidence.records import read_directives

    return read_directives(engine, DirectiveFilter(limit=WATCHED))


def _write(
    directive: "DirectiveRead | UnreadableDirective", *, as_json: bool, on: "Console | None" = None
) -> None:
    from remit.directives.models import UnreadableDirective

    if as_json:
        write_json_line({"directive": directive})
        return
    status = status_of(directive)
    if isinstance(directive, UnreadableDirective):
        write_line(f"{shown_id(directive.id)}  ", status, on=on)
        return
    changed = f"{moment(directive.updated_at)}  {shown_id(directive.id)}  "
    write_line(changed, status, f"  {directive.type} in {directive.scope}", on=on)
