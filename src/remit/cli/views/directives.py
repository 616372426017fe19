"""Tables of directives, as several commands show them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from remit.cli.base.output import Cell, Row, on_terminal, status_cell

if TYPE_CHECKING:
    from remit.directives.models import DirectiveRead, UnreadableDirective

HEADER = ("ID", "STATUS", "TYPE", "SCOPE", "ISSUED BY", "CREATED", "OBJECTIVE")
"""The columns of every table of directives."""


_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def rows_of(directives: "Sequence[DirectiveRead | UnreadableDirective]") -> list[Row]:
    """Return a row for each directive, under :data:`HEADER`."""
    for_a_person = on_terminal()
    return [_row_of(each, for_a_person=for_a_person) for each in directives]


def _row_of(each: "DirectiveRead | UnreadableDirective", *, for_a_person: bool) -> Row:
    from remit.cli.views.timeline import moment
    from remit.cli.views.verdict import shown_id
    from remit.directives.models import UnreadableDirective

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
