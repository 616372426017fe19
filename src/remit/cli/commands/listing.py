"""`remit list`: the directives there are."""

from typing import Annotated, get_args

import typer

from remit.cli.base.options import DataDirOption, JsonOption
from remit.cli.views.directives import HEADER, rows_of

StatusOption = Annotated[str | None, typer.Option("--status", help="Only those of this status.")]
ScopeOption = Annotated[str | None, typer.Option("--scope", help="Only those of this scope.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only those for this module.")]
IssuerOption = Annotated[str | None, typer.Option("--issued-by", help="Only those of this issuer.")]
ReasonOption = Annotated[
    str | None,
    typer.Option(
        "--reason", help="Only those with this reason for their status, such as in_doubt."
    ),
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=1000, help="At most so many, the newest first.")
]


def list_directives(
    *,
    status: StatusOption = None,
    scope: ScopeOption = None,
    type_: TypeOption = None,
    issued_by: IssuerOption = None,
    reason: ReasonOption = None,
    limit: LimitOption = 50,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List directives, the newest first."""
    from remit.cli.base.output import write_json, write_line, write_table
    from remit.cli.base.services import database
    from remit.directives.lifecycle import TRANSITIONS

    if status is not None:
        TRANSITIONS.next_of(status)  # refuses what is no status, and names those there are
    if reason is not None:
        from remit.cli.base.options import one_of

        one_of(reason, reasons(), "--reason")
    with database(data_dir) as engine:
        from remit.directives.repository import DirectiveFilter
        from remit.operations.evidence.records import read_directives

        wanted = DirectiveFilter(status, scope, type_, issued_by, limit, reason)
        found = read_directives(engine, wanted)
    if as_json:
        write_json({"directives": found})
    elif found:
        write_table(HEADER, rows_of(found))
    else:
        write_line("no directives", stderr=True)


def reasons() -> list[str]:
    """Return every reason that a directive can have for its status."""
    from remit.vocabulary import AbortReason, BlockReason, DoubtReason

    kinds = (BlockReason, AbortReason, DoubtReason)
    return sorted({word for kind in kinds for word in get_args(kind)})
