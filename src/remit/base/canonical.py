"""Canonical JSON, RFC 8785, and SHA-256 digests over it; the one implementation of both."""

import hashlib
import json
from collections.abc import Mapping

import rfc8785
from pydantic import JsonValue

from remit.base.json_types import MAX_NUMBER
from remit.errors import InvalidInputError


def canonical_json(value: Mapping[str, JsonValue] | JsonValue) -> bytes:
    """Return `value` as canonical JSON, RFC 8785, in UTF-8.

    Raises:
        InvalidInputError: RFC 8785 has no form for `value`: a number over 2**53 - 1, NaN, an
            infinity, half of a surrogate pair, or an object that is not JSON.
    """
    plain = dict(value) if isinstance(value, Mapping) else value
    try:
        if _is_simple(plain):
            return _dumps(plain).encode()
        return rfc8785.dumps(plain)
    except (ValueError, TypeError, RecursionError) as error:
        # The library words its errors for a developer and quotes the value, which may be vast.
        raise InvalidInputError(
            "this value has no canonical JSON: use text, finite numbers within 2**53 - 1, lists "
            "and objects"
        ) from error


def _is_simple(value: JsonValue) -> bool:
    """Return whether the standard library writes `value` exactly as RFC 8785 asks.

    It does where there is no float, no number beyond a double's whole range, and no key outside
    ASCII, whose order would differ. Nearly every directive is like that, and its digest is then
    ten times as fast. A test compares both writers over arbitrary JSON.
    """
    if isinstance(value, dict):
        return all(map(str.isascii, value)) and all(map(_is_simple, value.values()))
    if isinstance(value, list):
        return all(map(_is_simple, value))
    if isinstance(value, int):
        return abs(value) <= MAX_NUMBER
    return value is None or isinstance(value, str)


_dumps = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def sha256_digest(data: bytes) -> str:
    """Return "sha256:" and the 64 lower-case hexadecimal digits of the SHA-256 of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
