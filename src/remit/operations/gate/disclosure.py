"""Refuses secrets in what is shown to people and kept for good, word for word.

An intent and the reason of a vote cannot be masked: people consent to their digests, or sign them.
"""

import re

from pydantic import JsonValue

from remit.errors import InvalidInputError
from remit.redaction.masking import find_secret

_NAME = re.compile(r"(?<=\.)[A-Za-z_]\w{0,40}(?=(?:\.\d+)*\Z)")
_LIKELY = "kR7mm2Qz9Lw4"
"""A value that is a secret under a name of one, and a mere word under any other."""


def refuse_secrets(value: JsonValue, *, field: str = "") -> None:
    """Raise InvalidInputError where something looks like a secret; it repeats nothing of it."""
    place = find_secret(value, field)
    if place is not None:
        raise InvalidInputError(
            f"looks like a secret, and this is shown to people and kept for good: {_way_on(place)}",
            field=place or None,
        )


def _way_on(place: str) -> str:
    name = _NAME.search(place)
    if name and find_secret({name[0]: _LIKELY}):
        return (
            f'name where it is found instead, as in {{"{name[0]}_ref": "db/main"}} or '
            '"${DB_PASSWORD}", or use another key'
        )
    return "reword it, or put the value where the module finds it"
