"""Reads rows one by one, so that one that nobody can read stops nothing but itself.

Repositories hand it what the database gave and how to build a value from a row. Of many rows,
those that cannot be read are left out, counted, and told of in the log by their keys. Where all
rows count for a judgement (the votes on a request), and where there is one row, an error says which
it is: what is missing must never pass for what is not there.
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

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_KEYS = ("id", "name", "account", "directive_id", "run_id", "digest")
_SHOWN = 3
_SOMETHING = "a column"


def read_rows(
    rows: Iterable[Any],
    build: Callable[[Any], _T],
    table: str,
    *,
    instead: Callable[[Any, str], _T] | None = None,
) -> list[_T]:
    """Return what is built from each row; those that cannot be read are left out and logged.

    Args:
        rows: what the database gave.
        build: makes a value of one; it raises what is not as it should be.
        table: where they are from.
        instead: makes what stands in the place of one that cannot be read, of it and the name of
            the column at fault, for whoever shows it; None leaves it out, and logs it.
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


def read_row(row: Mapping[Any, Any], build: Callable[[Any], _T], table: str) -> _T:
    """Return what is built from a row.

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
    """Return the value, or the column at fault."""
    column = _faulty_column(row)
    if column is not None:
        return None, column
    try:
        return build(row), None
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        return None, str(place[0]) if place else _SOMETHING
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return None, _SOMETHING


def _faulty_column(row: Mapping[Any, Any]) -> str | None:
    """Return the first column of a row whose value Python cannot hold; None: it can hold all.

    An amount that is no number counts too: whatever compares with it fails.
    """
    for name, value in row.items():
        if isinstance(value, Unreadable) or (isinstance(value, Decimal) and not value.is_finite()):
            return str(name)
    return None


def _key(row: Mapping[Any, Any]) -> str:
    found = next((row[name] for name in _KEYS if name in row), "of no key")
    return printable(str(found), 100)


def _tell(table: str, faults: list[tuple[str, str]], *, shown: bool) -> None:
    """Count rows that cannot be read, and log their keys and columns; never what they hold."""
    count_unreadable_rows(table, len(faults))
    if shown:
        return
    keys = [key for key, _ in faults[:_SHOWN]]
    more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    columns = listed(sorted({column for _, column in faults}), "and")
    _log.warning("table %s: %s%s cannot be read (%s)", table, ", ".join(keys), more, columns)
