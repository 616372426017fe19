"""What a connection makes of values that Python cannot hold: a mark in their place, and no error.

Postgres holds numbers of 131,072 digits, JSON as deep as its stack, and moments without end. An
error in the middle of many rows would take all of them away. `remit.db.engine` gives these loaders
to each connection; `remit.db.reading` finds the marks, row by row.
"""

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import DataError
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format

from remit.json_types import MAX_KEPT_DEPTH, MAX_NUMBER

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.abc import AdaptContext

_MOMENTS = ("timestamptz", "timestamp", "date", "interval")
# Whatever has fewer digits in a row is below `MAX_NUMBER`; Postgres writes no exponents.
_LONG = re.compile(rb"[0-9]{16}")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands in place of a value.

    Attributes:
        kind: the Postgres type that it has.
    """

    kind: str


_JSON = Unreadable("json")


def load_carefully(connection: "Connection[Any]") -> None:
    """Let no value that Python cannot hold end what this connection reads."""
    adapters = connection.adapters
    adapters.register_loader("jsonb", _JsonLoader)
    for name in _MOMENTS:
        oid = adapters.types[name].oid
        found = adapters.get_loader(oid, Format.TEXT)
        if found is not None:
            adapters.register_loader(oid, _careful(name, found))


def read_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return what JSON says; a mark where it holds what Remit keeps nowhere.

    What Python itself can read is not enough: a whole number of 300 digits or a depth of 500 would
    end whoever digests, masks or sends it.
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
    if len(digits) > len(str(-MAX_NUMBER)):
        raise ValueError("a number that is too large")
    number = int(digits)
    _check(number)
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    _check(number)
    return number


def _check(number: float) -> None:
    if abs(number) > MAX_NUMBER:
        raise ValueError("a number that is too large")


def _is_too_deep(value: object) -> bool:
    """Return whether more stands inside one another than is kept; one level at a time."""
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


class _JsonLoader(Loader):
    def load(self, data: Buffer) -> object:
        return read_json(bytes(data))


def _careful(name: str, trusting: type[Any]) -> type[Loader]:
    """Return a loader that hands out a mark where another one raises."""
    mark = Unreadable(name)

    class Careful(Loader):
        def __init__(self, oid: int, context: "AdaptContext | None" = None) -> None:
            super().__init__(oid, context)
            self._trusting = trusting(oid, context)

        def load(self, data: Buffer) -> object:
            try:
                return self._trusting.load(data)
            except (DataError, ValueError, OverflowError):
                return mark

    return Careful
