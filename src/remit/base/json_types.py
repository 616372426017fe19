"""The names of JSON's shapes, and what it cannot hold. Every layer may use them."""

from dataclasses import dataclass

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]
"""A JSON object."""

MAX_NUMBER = 2**53 - 1
"""Largest magnitude of a number, whole or not.

RFC 8785 writes numbers as IEEE 754 doubles, which hold whole numbers exactly up to here. Larger
floats are refused as well: Postgres' JSONB returns 1e300 as a whole number of 301 digits, so the
digest of what was stored could no longer be computed.
"""

GREATEST = 1.7976931348623157e308
"""The greatest IEEE 754 double: no reader of JSON need hold what is beyond it."""

MAX_KEPT_DEPTH = 64
"""How many objects and lists may stand inside one another in what is kept, below the outermost.

What callers send may be half as deep, and Remit puts it into a few more when it keeps it.
"""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value of the database that Python cannot hold, of this Postgres type."""

    kind: str


def text_problem(text: str) -> str | None:
    """Return why a text cannot be stored, digested or sent, to follow its name; None when it can.

    RFC 8785 and UTF-8 know no half of a surrogate pair, and Postgres keeps no NUL.
    """
    if "\x00" in text:
        return "holds a NUL byte: remove it"
    # Only a surrogate without its partner has no UTF-8 form.
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "holds half of a surrogate pair: send the whole character"
    return None
