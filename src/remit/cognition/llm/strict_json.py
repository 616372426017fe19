"""Reads JSON objects strictly, for `types`: nothing missing, nothing more, no type bent. Pure.

A message names the field and never repeats what it holds.
"""

from collections.abc import Collection, Mapping
from typing import Any

from remit.base.wording import listed, quoted
from remit.errors import InvalidInputError

_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def read_object(
    value: object,
    fields: Mapping[str, tuple[type, ...]],
    *,
    required: Collection[str],
    place: str = "",
) -> dict[str, Any]:
    """Return the fields of a JSON object.

    Args:
        value: what was decoded from JSON.
        fields: every field that may stand in it, with the types that it may have.
        required: those that must.
        place: where the object stands, as a dotted path; empty for the outermost.

    Raises:
        InvalidInputError: it is no such object; `field` says where.
    """
    if not isinstance(value, dict):
        raise InvalidInputError("must be an object", field=place or None)
    for name in value:
        if name not in fields:
            known = listed(sorted(fields), "and")
            raise InvalidInputError(
                f"no such field: {quoted(str(name))}; there are {known}", field=place or None
            )
    for name in required:
        if name not in value:
            raise InvalidInputError("is missing", field=at(place, name))
    for name, found in value.items():
        # Not isinstance: true is no whole number.
        if type(found) not in fields[name]:
            allowed = listed(_NAMES[kind] for kind in fields[name])
            raise InvalidInputError(f"must be {allowed}", field=at(place, name))
    return dict(value)


def at(place: str, name: str) -> str:
    """Return the dotted path of a field of the object at a place."""
    return f"{place}.{name}" if place else name
