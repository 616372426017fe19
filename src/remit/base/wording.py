"""Wording for messages that repeat what a caller sent: short, on one line, nothing in it hidden.

Every layer that writes a message uses this module.
"""

from collections.abc import Iterable

_ELLIPSIS = "..."


def printable(text: str, limit: int) -> str:
    """Return at most `limit` characters of any text, with what cannot be seen written as escapes.

    A cut is shown by three dots after them.
    """
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:limit])
    return shown + _ELLIPSIS if len(text) > limit else shown


def quoted(text: str, limit: int = 60) -> str:
    """Return `text` in double quotes, shortened and printable, to be repeated in a message."""
    return f'"{printable(text, limit)}"'


def one_line(text: str, limit: int = 500) -> str:
    """Return `text` as one printable line of at most `limit` characters and three dots."""
    return printable(" ".join(text.split()), limit)


def counted(number: int, noun: str) -> str:
    """Return `1 directive`, `2 directives`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def import_hint(error: BaseException, reference: str) -> str:
    """Return what to look at when the very module of `package.module:Class` was not found."""
    wanted = reference.partition(":")[0]
    missing = isinstance(error, ModuleNotFoundError) and f"{wanted}.".startswith(f"{error.name}.")
    return " (is its folder in PYTHONPATH?)" if missing else ""


def listed(words: Iterable[str], conjunction: str = "or") -> str:
    """Return `a`, `a or b`, `a, b or c`; an empty sequence becomes `none`."""
    *init, last = list(words) or ["none"]
    return f"{', '.join(init)} {conjunction} {last}" if init else last
