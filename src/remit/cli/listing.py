"""`remit list`: the directives there are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from remit.cli.options import DataDirOption, JsonOption
from remit.cli.output import Cell, Row, on_terminal, status_cell

if TYPE_CHECKING:
    from remit.directives.models import DirectiveRead
    from remit.directives.unreadable import UnreadableDirective

HEADER = ("ID", "STATUS", "TYPE", "SCOPE", "ISSUED BY", "CREATED", "OBJECTIVE")
"""The columns of every table of directives."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))

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
    from remit.cli.output import write_json, write_line, write_table
    from remit.cli.services import database
    from remit.directives.lifecycle import TRANSITIONS

    if status is not None:
        TRANSITIONS.next_of(status)  # refuses what is no status, and names those there are
    if reason is not None:
        from remit.cli.principals import one_of

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


def rows_of(directives: "Sequence[DirectiveRead | UnreadableDirective]") -> list[Row]:
    """Return a row for each directive, under :data:`HEADER`."""
    for_a_person = on_terminal()
    return [_row_of(each, for_a_person=for_a_person) for each in directives]


def _row_of(each: "DirectiveRead | UnreadableDirective", *, for_a_person: bool) -> Row:
    from remit.cli.timeline import moment
    from remit.cli.verdict import shown_id
    from remit.directives.unreadable import UnreadableDirective

    known = Cell(shown_id(each.id), "bold"), status_cell(each.status, each.status_reason)
    if isinstance(each, UnreadableDirective):
        return (*known, "", "", "", "", f"its {each.column} holds what nobody can read")
    created = age(each.created_at) if for_a_person else moment(each.created_at)
    return (*known, each.type, each.scope, each.issued_by, created, each.objective)


def age(then: datetime) -> str:
    """Return how long ago a moment was, roughly."""
    seconds = int((datetime.now(UTC) - then).total_seconds())
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return "just now"
