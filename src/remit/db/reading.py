"""Reading what no writer of Remit's would write: a row that somebody forged ends no reading.

Repositories use it wherever many rows are read, or rows that are judged afterwards.
"""

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from remit.base.json_types import GREATEST, MAX_KEPT_DEPTH, MAX_NUMBER, Unreadable


def readable(table: sa.Table, names: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """Return columns as Python can read them, whatever they hold.

    JSON is read as its text. A time is read as the nearest one that Python has: Postgres knows
    infinity and the year 100,000.
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
    """Return a JSON array of texts as a tuple, for a field of texts or of words from a list."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("no array of texts")
    return tuple(value)


def ids_beginning(
    connection: sa.Connection, column: sa.ColumnElement[UUID], prefix: str
) -> list[UUID]:
    """Return up to two identifiers that begin with `prefix`: two show that it is ambiguous."""
    written = sa.cast(column, sa.Text)
    statement = sa.select(column).where(written.startswith(prefix, autoescape=True)).limit(2)
    return list(connection.execute(statement).scalars())


_DIGITS = 309
# A number with fewer digits in a row is a double; Postgres writes no exponents.
_LONG = re.compile(rb"[0-9]{%d}" % _DIGITS)


_JSON = Unreadable("json")


def read_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return what a column's JSON says; a mark where it holds what no reader need hold.

    That Python can read it is not enough: a depth of 500 would end whoever digests or masks it.
    """
    text = data.encode() if isinstance(data, str) else data
    try:
        if _LONG.search(text):
            value = json.loads(text, parse_int=_whole, parse_float=_fraction)
        else:
            value = json.loads(text)
    except (ValueError, RecursionError):
        return _JSON
    open_ones = text.count(b"[") + text.count(b"{")
    return _JSON if open_ones > MAX_KEPT_DEPTH and _is_too_deep(value) else value


def _whole(digits: str) -> int:
    # The length first: Python refuses to read very long ones, and takes long over others.
    number = int(digits) if len(digits) <= _DIGITS + 1 else math.inf
    if abs(number) > GREATEST:
        raise ValueError("a number that is no double")
    return int(number)


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number that is no double")
    return number


def _is_too_deep(value: object) -> bool:
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(MAX_KEPT_DEPTH + 1):
        level = [
            member
            for item in level
            for member in (item.values() if isinstance(item, dict) else item)
            if isinstance(member, list | dict)
        ]
        if not level:
            return False
    return True
