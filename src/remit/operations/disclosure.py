"""Keeps secrets out of what people are shown and what is kept for good, word for word.

An intent and the reason of a vote cannot be masked: their digests are what people consent to, or
sign. So they are refused instead. Operations ask before anything is stored.
"""

import re

from pydantic import JsonValue

from remit.errors import InvalidInputError
from remit.redaction import find_secret

_NAME = re.compile(r"(?<=\.)[A-Za-z_]\w{0,40}\Z")


def refuse_secrets(value: JsonValue, *, field: str = "") -> None:
    """Return quietly when nothing in a value looks like a secret.

    Args:
        value: what would be kept.
        field: what to call it in the message; empty for an object whose members are the fields.

    Raises:
        InvalidInputError: something does; the error names its place and repeats nothing of it.
    """
    place = find_secret(value, field)
    if place is not None:
        name = _NAME.search(place)
        raise InvalidInputError(
            "looks like a secret, and this is shown to people and kept for good: name where it is "
            f'found instead, as in {{"{name[0] if name else "secret"}_ref": "db/main"}} or '
            '"${DB_PASSWORD}", or use another key',
            field=place or None,
        )
