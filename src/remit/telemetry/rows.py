"""Reads rows one by one, so that one that nobody can read stops nothing but itself.

`read_rows` leaves out what cannot be read, counts it and logs its keys. `read_row` raises: it is
for a single row, and for rows that all count for a judgement, such as the votes on a request.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from remit.base.json_types import Unreadable
from remit.base.wording import listed, printable
from remit.errors import UnreadableError
from remit.telemetry.metrics import count_unreadable_rows
from remit.vocabulary import TableName

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_KEYS = ("id", "name", "account", "directive_id", "run_id", "digest")
_SHOWN = 3
_SOMETHING = "a column"


def read_rows(
    rows: Iterable[Any],
    build: Callable[[Any], _T],
    table: TableName,
    *,
    instead: Callable[[Any, str], _T] | None = None,
) -> list[_T]:
    """Return what `build` makes of each row; it raises what is not as it should be.

    A row that cannot be read is left out and logged; or `instead` makes what stands in its place,
    of it and the name of the column at fault, for whoever shows it.
    """
    built: list[_T] = []
    faults: list[tuple[str, str]] = []
    for row in rows:
        value, column = _attempt(row._mapping, build)
        if column is not None:
            faults.append((_key(row._mapping), column))
            value = instead(row._mapping, column) if instead is not None else None
        if value is not None:
            built.append(value)
    if faults:
        _tell(table, faults, shown=instead is not None)
    return built


def read_row(row: Mapping[Any, Any], build: Callable[[Any], _T], table: TableName) -> _T:
    """Return what `build` makes of a row.

    Raises:
        UnreadableError: it cannot be read; the message names its key and the column.
    """
    value, column = _attempt(row, build)
    if column is None and value is not None:
        return value
    key = _key(row)
    _tell(table, [(key, str(column))], shown=True)
    raise UnreadableError(
        f"the row {key} of the table {table} cannot be read: {column} holds what Remit never "
        "writes and no reader can hold; nothing was done, and a database administrator must look "
        "at it"
    )


def _attempt(row: Mapping[Any, Any], build: Callable[[Any], _T]) -> tuple[_T | None, str | None]:
    for name, held in row.items():
        # An amount that is no number counts too: whatever compares with it fails.
        if isinstance(held, Unreadable) or (isinstance(held, Decimal) and not held.is_finite()):
            return None, str(name)
    try:
        return build(row), None
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        return None, str(place[0]) if place else _SOMETHING
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return None, _SOMETHING


def _key(row: Mapping[Any, Any]) -> str:
    found = next((row[name] for name in _KEYS if name in row), "of no key")
    return printable(str(found), 100)


def _tell(table: TableName, faults: list[tuple[str, str]], *, shown: bool) -> None:
    """Count rows that cannot be read, and log their keys and columns; never what they hold."""
    count_unreadable_rows(table, len(faults))
    if shown:
        return
    keys = [key for key, _ in faults[:_SHOWN]]
    more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    columns = listed(sorted({column for _, column in faults}), "and")
    _log.warning("table %s: %s%s cannot be read (%s)", table, ", ".join(keys), more, columns)
