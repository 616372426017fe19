"""All SQL that looks for rows which the database's own checks would refuse. It writes nothing.

Such a row was there before the check was, or its owner took the check away. No reader is asked to
read it: the database itself says which rows they are, so that none of them ends an audit.
`remit.operations.evidence.auditing` calls it inside one snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from remit.audit.chain import INSTALLATION
from remit.db.schema import metadata

MOST_OF_A_TABLE = 1000
"""Most rows of one table that are told of."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that a check would refuse.

    Attributes:
        directive_id: the directive it is about, or :data:`INSTALLATION`.
        table: its table.
        key: its primary key, as text; empty where the database could not look at the table.
        rule: the check; empty where the database could not look.
    """

    directive_id: UUID
    table: str
    key: str
    rule: str


def stream_refused(connection: sa.Connection) -> Iterator[RefusedRow]:
    """Yield the rows that a check of their table would refuse, table by table."""
    for table in metadata.sorted_tables:
        statement = _question(table)
        if statement is None:
            continue
        try:
            # What the server itself cannot look through ends this look alone.
            with connection.begin_nested():
                rows = connection.execute(statement).all()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            yield RefusedRow(INSTALLATION, table.name, "", "")
            continue
        for row in rows:
            yield RefusedRow(row[0] or INSTALLATION, table.name, row[1], row[2])


def _question(table: sa.Table) -> sa.Select[Any] | None:
    """Return the statement that finds a table's rows; None: it has no checks."""
    of_columns = [one for column in table.c for one in column.constraints]
    broken = {
        str(one.name): sa.text(f"({one.sqltext}) IS FALSE")
        for one in (*table.constraints, *of_columns)
        if isinstance(one, sa.CheckConstraint)
    }
    if not broken:
        return None
    key = sa.func.concat_ws(" ", *(sa.cast(one, sa.Text) for one in table.primary_key))
    first = sa.case(*((broken[name], sa.literal(name)) for name in sorted(broken)))
    about = table.c.id if table.name == "directives" else table.c.get("directive_id", sa.null())
    return (
        sa.select(sa.cast(about, sa.Uuid), key, first)
        .select_from(table)
        .where(sa.or_(*broken.values()))
        .limit(MOST_OF_A_TABLE)
    )
