"""Several writes as one statement.

Each statement costs a round trip and its preparation, nearly regardless of how many rows it writes.
So repositories and mutators hand out their writes as :class:`Part`, each still the only author of
its own SQL, and an operation executes those that belong together as one statement of data-modifying
common table expressions. Lists travel as one JSON parameter each.

Parts see the tables as they were before the statement. A part that must come after another one,
for the order of locks, reads from that one's name.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import JsonValue

from remit.errors import ConflictError


@dataclass(frozen=True, slots=True)
class Part:
    """One write.

    Attributes:
        name: what other parts call it; one of each name may take part in a statement.
        sql: an INSERT or UPDATE that returns a row for each row written. Its rows come from
            `jsonb_to_recordset(%(<name>)s)`. One that joins them to a table limits them to
            `{count}`, which tells the planner how many there are: it would assume a hundred, and
            read the whole table for one.
        rows: those rows.
        conflict: the error's message if the rows written are not as many as there are.
        exact: whether each row writes one; False where a row may rightly write none, or several.
    """

    name: str
    sql: str
    rows: Sequence[Mapping[str, JsonValue]]
    conflict: str
    exact: bool = True


def write_together(connection: sa.Connection, parts: Sequence[Part]) -> None:
    """Execute the parts that have rows as one statement; all of them take effect, or none.

    Raises:
        ConflictError: an exact part did not write all of its rows; the caller must not commit.
    """
    wanted = [part for part in parts if part.rows]
    if not wanted:
        return
    made = ", ".join(f"{part.name} AS ({part.sql.format(count=len(part.rows))})" for part in wanted)
    counts = ", ".join(f"(SELECT count(*) FROM {part.name})" for part in wanted)  # noqa: S608
    # Only constants of repositories and mutators are put together here; values are parameters.
    row = connection.exec_driver_sql(
        f"WITH {made} SELECT {counts}",
        {part.name: json.dumps(part.rows, ensure_ascii=False) for part in wanted},
    ).one()
    for part, count in zip(wanted, row, strict=True):
        if part.exact and count != len(part.rows):
            raise ConflictError(part.conflict)
