"""Reads the JSON of a column: a mark where it holds what no reader need hold."""

import json
import math
import re
from typing import Any

from remit.base.json_types import GREATEST, MAX_KEPT_DEPTH, Unreadable

_DIGITS = 309
# A number with fewer digits in a row is a double; Postgres writes no exponents.
_LONG = re.compile(rb"[0-9]{%d}" % _DIGITS)


_JSON = Unreadable("json")


def read_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return what JSON says; a mark where it holds what no reader need hold.

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
