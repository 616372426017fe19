"""Several writes as one statement, with columns and types derived from the tables.

A statement costs a round trip and its preparation, nearly regardless of how many rows it writes.
So repositories and mutators hand out their writes as :class:`BatchStatement`, and an operation
executes those that belong together as data-modifying common table expressions of one statement.
Rows travel as one JSON parameter for each.

All of them see the tables as they were before. One that must come after another, for the order of
locks, reads from that one's name.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy.dialects import postgresql

from remit.base.json_types import JsonObject
from remit.errors import ConflictError

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class BatchStatement:
    """One write.

    Attributes:
        name: what the others call it; each name may take part once.
        sql: an INSERT or UPDATE that reads :func:`recordset` and returns a row for each written.
        rows: what it writes.
        conflict: the error's message if it does not write exactly one row for each of `rows`;
            None where a row may rightly write none, or several.
    """

    name: str
    sql: str
    rows: Sequence[Mapping[str, JsonValue]]
    conflict: str | None


def execute_batch(connection: sa.Connection, statements: Sequence[BatchStatement]) -> None:
    """Execute the statements that have rows as one; all of them take effect, or none.

    Raises:
        ConflictError: one did not write each of its rows; the caller must not commit.
    """
    wanted = [one for one in statements if one.rows]
    if not wanted:
        return
    made = ", ".join(f"{one.name} AS ({one.sql.format(count=len(one.rows))})" for one in wanted)
    counts = ", ".join(f"(SELECT count(*) FROM {one.name})" for one in wanted)  # noqa: S608
    # Only constants of repositories and mutators are put together here; values are parameters.
    row = connection.exec_driver_sql(
        f"WITH {made} SELECT {counts}",
        {one.name: json.dumps(one.rows, ensure_ascii=False) for one in wanted},
    ).one()
    for one, count in zip(wanted, row, strict=True):
        if one.conflict is not None and count != len(one.rows):
            raise ConflictError(one.conflict)


def recordset(
    name: str, table: sa.Table, columns: Iterable[str], extra: Mapping[str, str] | None = None
) -> str:
    """Return the rows of statement `name` as SQL that stands after FROM, called `new`.

    A statement that joins them to a table writes :func:`limited` instead.

    Args:
        name: of the statement.
        table: whose columns they have.
        columns: those that are given.
        extra: what else each row holds, with its type in SQL.
    """
    types = {each: table.c[each].type.compile(dialect=_DIALECT) for each in columns}
    listed = ", ".join(f"{each} {type_}" for each, type_ in {**types, **(extra or {})}.items())
    return f"jsonb_to_recordset(%({name})s::jsonb) AS new ({listed})"


def limited(
    name: str, table: sa.Table, columns: Iterable[str], extra: Mapping[str, str] | None = None
) -> str:
    """Return :func:`recordset` with a limit that tells the planner how many rows there are.

    It would assume a hundred otherwise, and read the whole of a joined table for one.
    """
    rows = recordset(name, table, columns, extra)
    return f"(SELECT * FROM {rows} LIMIT {{count}}) AS new"  # noqa: S608 - constants


def insert_into(
    table: sa.Table,
    name: str,
    columns: Iterable[str],
    *,
    extra: Mapping[str, str] | None = None,
    computed: Mapping[str, str] | None = None,
) -> str:
    """Return the INSERT of the rows of statement `name`; a clause that follows it may be added.

    Args:
        table: into which.
        name: of the statement.
        columns: those that are written as they are given.
        extra: what else each row holds for `computed`, with its type in SQL.
        computed: columns that are written otherwise, each with its expression over a row.
    """
    values = {**{each: each for each in columns}, **(computed or {})}
    return (
        f"INSERT INTO {table.name} ({', '.join(values)}) SELECT {', '.join(values.values())} "  # noqa: S608 - constants
        f"FROM {recordset(name, table, columns, extra)}"
    )


def as_row(value: object, columns: Iterable[str]) -> JsonObject:
    """Return attributes of a value as a row for a statement; amounts stay exact, as text."""
    return {each: as_json(getattr(value, each)) for each in columns}


def as_json(value: object) -> JsonValue:
    """Return a value as JSON that a column of its type takes."""
    match value:
        case None | str() | int() | dict():
            return value
        case tuple():
            return list(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds()} seconds"
        case bytes():
            return rf"\x{value.hex()}"
        case UUID() | Decimal():
            return str(value)
    raise TypeError(f"no column takes {type(value).__name__}")
