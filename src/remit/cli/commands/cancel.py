"""`remit cancel`: stop a directive wherever it stands."""

import asyncio
from typing import Annotated

import typer

from remit.cli.base.options import ActorOption, DataDirOption, IdArgument, JsonOption


def cancel(
    directive: IdArgument,
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept as evidence.")] = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a directive wherever it stands.

    One that waits or is approved becomes blocked and may be retried; one that runs is aborted, and
    what its module returns afterwards is refused.
    """
    from remit.cli.base import services
    from remit.cli.base.output import Cell, status_cell, write_json, write_line
    from remit.cli.views import verdict

    settings = services.load_settings(data_dir)

    async def stop() -> None:
        async with services.control(settings) as control:
            by = await asyncio.to_thread(services.caller, control.engine, settings, actor)
            directive_id = await services.resolve(control, directive)
            after = await control.cancel(directive_id, by=by, reason=reason)
        if as_json:
            write_json({"directive": after})
            return
        status = status_cell(after.status, after.status_reason)
        write_line("directive ", Cell(str(after.id), "bold"), "  ", status)
        verdict.write_next(verdict.next_commands(after), data_dir)

    asyncio.run(stop())
