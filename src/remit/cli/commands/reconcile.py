"""`remit reconcile`: say how a directive in doubt ended."""

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.cli.base.options import DataDirOption, IdArgument, JsonOption

if TYPE_CHECKING:
    from remit.vocabulary import Settled

SettledOption = Annotated[
    str, typer.Option("--as", metavar="done|failed", help="How it ended, as you have found out.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="How you know; kept as evidence.")]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        show_default=False,
        help="Act with the token kept under this name. Default: REMIT_TOKEN, else your own.",
    ),
]
"""What is --as elsewhere."""


def reconcile(
    directive: IdArgument,
    *,
    settled: SettledOption,
    reason: ReasonOption,
    actor: ByOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle a directive of which nobody knows whether it was carried out.

    It executes, with the reason in_doubt: every attempt was lost with its worker. Look into what it
    was to change, then say so; only a person can, and it is signed.
    """
    from remit.cli.base import services
    from remit.cli.base.options import one_of
    from remit.cli.base.output import Cell, status_cell, write_json, write_line
    from remit.cli.views import verdict

    settings = services.load_settings(data_dir)
    with services.database(data_dir) as engine:
        from remit.operations.evidence.records import resolve_id
        from remit.operations.runs.reconciliation import reconcile as settle
        from remit.vocabulary import Settled as Words

        word = cast("Settled", one_of(settled, get_args(Words), "--as"))
        keys = services.keys_for(engine, settings)
        by = services.caller(engine, settings, actor, keys=keys)
        found = resolve_id(engine, directive)
        after = settle(engine, found, word, reason=reason, by=by, keys=keys)
    if as_json:
        write_json({"directive": after})
        return
    status = status_cell(after.status, after.status_reason)
    write_line("directive ", Cell(str(after.id), "bold"), "  ", status)
    verdict.write_next(verdict.next_commands(after), data_dir)
