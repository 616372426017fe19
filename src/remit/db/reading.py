"""Reading what no writer of Remit's would write: rows that somebody forged end no reading.

Repositories use it wherever many rows are read, or rows that are judged afterwards.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from remit.base.json_types import MAX_NUMBER


def readable(table: sa.Table, names: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """Return columns as Python can read them, whatever they hold.

    JSON is read as its text. A time is read as the nearest one that Python has: Postgres knows
    infinity and the year 100,000. Either would end a reading instead of being found forged.
    """
    found: list[sa.ColumnElement[Any]] = []
    for name in names:
        column: sa.ColumnElement[Any] = table.c[name]
        if isinstance(column.type, JSONB):
            column = sa.cast(column, sa.Text)
        elif isinstance(column.type, sa.DateTime):
            near = sa.func.least(sa.func.greatest(column, _FIRST), _LAST)
            column = sa.case((column.is_not(None), near))  # either passes over a null
        found.append(column.label(name))
    return found


# A day inside what Python has, so that no time zone can lead outside.
_FIRST, _LAST = (
    sa.literal(datetime(year, month, day, tzinfo=UTC), sa.DateTime(timezone=True))
    for year, month, day in ((1, 1, 2), (9999, 12, 30))
)


def parsed_json(text: str | None) -> Any:  # noqa: ANN401 - what a forged column holds is unknown
    """Return what JSON text says; the text itself where Python cannot read it."""
    if text is None:
        return None
    try:
        return json.loads(text, parse_int=_number)
    except (ValueError, RecursionError):
        return text


def _number(digits: str) -> float:
    """Return a whole number; Postgres also writes large fractional ones so."""
    number = float(digits)
    return int(digits) if abs(number) <= MAX_NUMBER else number


def words(value: object) -> tuple[Any, ...]:
    """Return a JSON array of texts as a tuple, for a field of texts or of words from a list.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("no array of texts")
    return tuple(value)
