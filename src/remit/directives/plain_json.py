"""What JSON Remit takes in: values that Postgres and RFC 8785 both carry unchanged.

Directives are checked on arrival and module results before they are stored. The walk is iterative
and bounded, so hostile nesting or size cannot exhaust the stack, the memory or the clock.
"""

import math
from dataclasses import dataclass

from remit.base.json_types import MAX_NUMBER, text_problem
from remit.base.wording import printable
from remit.errors import InvalidInputError

MAX_DEPTH = 32
"""How many objects and lists may stand inside one another, the outermost not counted."""

MAX_WEIGHT = 4 * 1024 * 1024
"""Largest weight of a value whose caller sets no lower limit; about its bytes as JSON."""

MAX_REASON = 4000
"""Most characters of the words in which somebody says why."""

TOO_LARGE = "too large: shorten it"
"""The problem of a value over its greatest weight."""

_Path = tuple["_Path", str] | None
_SHOWN_KEY = 40


@dataclass(frozen=True)
class JsonFault:
    """The first thing in a value that cannot be kept.

    Attributes:
        path: keys and list positions with dots between them; empty for the value itself.
        problem: what is wrong and how to mend it, as one line that names no value.
    """

    path: str
    problem: str


def find_fault(value: object, *, max_weight: int = MAX_WEIGHT) -> JsonFault | None:
    """Return the first fault of any object in document order, or None when it is plain JSON.

    Its weight is one for each value and each character of text: never more than the bytes of its
    canonical JSON.
    """
    weight = 0
    pending: list[tuple[_Path, object, int]] = [(None, value, 0)]
    while pending:
        path, item, depth = pending.pop()
        weight += 1 + (len(item) if isinstance(item, str | list | dict) else 0)
        problem = TOO_LARGE if weight > max_weight else _problem_of(item)
        if problem is None and isinstance(item, list | dict):
            if depth > MAX_DEPTH:
                problem = f"nested too deeply: at most {MAX_DEPTH} levels"
            elif isinstance(item, dict):
                path, problem = _key_fault(path, item)
                weight += 0 if problem else sum(map(len, item))
        if problem is not None:
            return JsonFault(_dotted(path), problem)
        members = _members(item)
        pending.extend(((path, key), member, depth + 1) for key, member in reversed(members))
    return None


def check_text(text: str | None, *, field: str, limit: int) -> None:
    """Return quietly when `text` can be stored; None can.

    Raises:
        InvalidInputError: it is too long, or holds what Postgres cannot.
    """
    if text is None:
        return
    problem = text_problem(text)
    if problem is None and len(text) > limit:
        problem = f"too long: at most {limit} characters"
    if problem is not None:
        raise InvalidInputError(problem, field=field)


def _members(item: object) -> list[tuple[str, object]]:
    if isinstance(item, dict):
        return list(item.items())
    if isinstance(item, list):
        return [(str(position), member) for position, member in enumerate(item)]
    return []


def _key_fault(path: _Path, item: dict[object, object]) -> tuple[_Path, str | None]:
    for key in item:
        if not isinstance(key, str):
            return path, "has a key that is not text: use text for every key"
        problem = text_problem(key)
        if problem is not None:
            return (path, key), f"its name {problem}"
    return path, None


def _problem_of(item: object) -> str | None:
    if item is None or isinstance(item, bool | list | dict):
        return None
    if isinstance(item, str):
        return text_problem(item)
    if isinstance(item, int | float):
        return _number_problem(item)
    kind = type(item).__name__
    return f"a value of type {kind} is not JSON: use text, a number, a list or an object"


def _number_problem(number: float) -> str | None:
    # Compared, not asked by math.isfinite, which raises on a whole number that no float can hold.
    if abs(number) <= MAX_NUMBER:
        return None
    if abs(number) < math.inf:
        return "too large for an exact JSON number (over 2**53 - 1): send it as text"
    return "not a finite number: leave it out or send text"


def _dotted(path: _Path) -> str:
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(printable(key, _SHOWN_KEY))
    return ".".join(reversed(keys))
