"""What is left to say of a directive whose row holds what no reader can hold."""

from dataclasses import dataclass
from typing import Literal, Self, cast
from uuid import UUID

from remit.directives.models import Row


@dataclass(frozen=True, slots=True)
class UnreadableDirective:
    """A directive whose row nobody can read; it is listed, and nothing else is done to it.

    Attributes:
        id: its identifier.
        status: where it stands, as the database says; perhaps no status that there is.
        status_reason: always "unreadable".
        column: the column at fault.
    """

    id: UUID
    status: str
    status_reason: Literal["unreadable"]
    column: str

    @classmethod
    def from_row(cls, row: Row, column: str) -> Self:
        """Build one from a row and the column that cannot be read."""
        return cls(cast("UUID", row["id"]), str(row["status"]), "unreadable", column)
