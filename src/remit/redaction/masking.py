"""The one place where secrets are taken out of what is kept or shown.

Called before anything is stored, truncated, logged or sent: what was cut short first could hide the
end of a secret from the patterns. Two ways lead to a secret, and either is enough: the name under
which a value stands (`password`, `api_key`, `Authorization`), and the form of the value (a private
key, a vendor's token, the password of an address). What only says where a secret is found is none.
A secret is masked whole. Pure.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from remit.redaction.names import (
    describes,
    hints_secret,
    looks_random,
    looks_secret,
    names_secret,
    stands_in,
)

if TYPE_CHECKING:
    # The command line loads this module at its start, and must not load what that loads.
    from pydantic import JsonValue

MASK = "[redacted]"
"""What stands in place of a secret."""

_NAMES = ("name", "Name", "key", "Key", "header")
_VALUES = ("value", "Value")
_OF_A_KEY = frozenset({"d", "k"})
"""The private members of a JSON Web Key."""


def redact(value: "JsonValue") -> "JsonValue":
    """Return a JSON value with every secret in it masked; doing it twice changes nothing more.

    What stands under a name of a secret is masked whole, unless it is null, true or false, or only
    says where the secret is found.
    """
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        before: list[JsonValue] = ["", *value]
        return [
            MASK if _is_option(option, each) else redact(each)
            for option, each in zip(before, value, strict=False)
        ]
    if isinstance(value, dict):
        return redact_object(value)
    return value


def redact_object(value: "Mapping[str, JsonValue]") -> "dict[str, JsonValue]":
    """Return a JSON object with every secret in it masked; see :func:`redact`."""
    told = next((value[each] for each in _NAMES if each in value), None)
    return {
        redact_text(name): MASK
        if _is_secret(told if name in _VALUES and isinstance(told, str) else name, each)
        or ("kty" in value and name in _OF_A_KEY)
        else redact(each)
        for name, each in value.items()
    }


def redact_text(text: str) -> str:
    """Return a text with everything in it masked that has the form of a secret."""
    masked = _masked(text)
    # What was masked can show what stands beside it.
    return text if masked == text else _masked(_masked(masked))


def _masked(text: str) -> str:
    # Their patterns take twenty milliseconds to compile, and most commands need none of them.
    from remit.redaction.assignments import named_spans
    from remit.redaction.commands import placed_spans
    from remit.redaction.tokens import marked_spans

    pieces, at = list[str](), 0
    for start, end in sorted({*marked_spans(text), *named_spans(text), *placed_spans(text)}):
        if start >= at:
            pieces += (text[at:start], MASK)
        at = max(at, end)
    return "".join((*pieces, text[at:]))


def find_secret(value: "JsonValue", place: str = "") -> str | None:
    """Return the dotted path, below `place`, of the first thing that :func:`redact` would mask."""
    return _difference(value, redact(value), place)


def _difference(value: "JsonValue", masked: "JsonValue", place: str) -> str | None:
    pairs: list[tuple[str, JsonValue, JsonValue]]
    if isinstance(value, dict) and isinstance(masked, dict):
        pairs = [(redact_text(name), each, masked.get(name, MASK)) for name, each in value.items()]
        changed = next((name for name in value if redact_text(name) != name), None)
        if changed is not None:
            pairs.insert(0, (redact_text(changed), "", MASK))
    elif isinstance(value, list) and isinstance(masked, list):
        pairs = [(str(at), *each) for at, each in enumerate(zip(value, masked, strict=True))]
    else:
        return place if value is not masked and value != masked else None
    found = (_difference(each, other, f"{place}.{name}".strip(".")) for name, each, other in pairs)
    return next((each for each in found if each is not None), None)


def _is_secret(name: str, value: "JsonValue") -> bool:
    if value is None or isinstance(value, bool):
        return False
    if not names_secret(name):
        return _is_hinted(name, value)
    if isinstance(value, str):
        return not stands_in(value)
    return not (isinstance(value, dict) and _describes(name, value))


def _is_hinted(name: str, value: "JsonValue") -> bool:
    """Return whether a value, or one of a list, looks like the secret that its name hints at."""
    if not hints_secret(name):
        return False
    if isinstance(value, dict):
        return name.lower().endswith("tokens") and not _describes(name, value)
    values = value if isinstance(value, list) else [value]
    return any(isinstance(each, str | int) and looks_secret(name, str(each)) for each in values)


def _describes(outer: str, value: "Mapping[str, JsonValue]") -> bool:
    """Return whether an object only says where a secret is found, or something about it."""
    return (
        bool(value)
        and all(
            _describes(outer, each) if isinstance(each, dict) else describes(outer, name, str(each))
            for name, each in value.items()
            if not isinstance(each, bool | None)
        )
        and not any(isinstance(each, list) for each in value.values())
    )


def _is_option(option: "JsonValue", value: "JsonValue") -> bool:
    """Return whether a value is the argument of an option before it, as in a list of words."""
    if not isinstance(option, str) or not isinstance(value, str) or value.startswith("-"):
        return False
    if re.fullmatch(r"--?[\w-]+", option):
        return _is_secret(option, value)
    return names_secret(option) and looks_random(value)
