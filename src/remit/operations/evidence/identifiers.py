"""What a person may type in place of a whole identifier."""

from collections.abc import Callable, Sequence
from uuid import UUID

import sqlalchemy as sa

from remit.db.session import snapshot
from remit.errors import InvalidInputError, NotFoundError

SHORTEST_PREFIX = 4
"""Fewest characters that may stand for a whole identifier."""


def identified(
    engine: sa.Engine,
    text: str,
    noun: str,
    find: Callable[[sa.Connection, str], Sequence[UUID]],
    *,
    listing: str,
) -> UUID:
    """Return the identifier that `text` is, or is the beginning of.

    Args:
        engine: the database; it is not asked about a whole identifier.
        text: what somebody typed.
        noun: what it identifies, for the message.
        find: returns those that begin with a prefix, two at least when there are several.
        listing: the command that lists them, for the message.

    Raises:
        InvalidInputError: it is no identifier, is too short, or several begin with it.
        NotFoundError: none begins with it.
    """
    prefix = text.strip().lower()
    try:
        return UUID(prefix)
    except ValueError:
        pass
    if set(prefix) - set("0123456789abcdef-"):
        raise InvalidInputError(
            "not an identifier: those are hexadecimal, of 0-9, a-f and dashes", field="id"
        )
    if len(prefix) < SHORTEST_PREFIX:
        least = f"at least its first {SHORTEST_PREFIX} characters"
        raise InvalidInputError(f"too short: give it whole, or {least}", field="id")
    with snapshot(engine) as connection:
        found = find(connection, prefix)
    if not found:
        raise NotFoundError(f"no {noun} begins with {prefix}; `{listing}` shows those there are")
    if len(found) > 1:
        raise InvalidInputError(f"several {noun}s begin with {prefix}; give more of it", field="id")
    return found[0]
