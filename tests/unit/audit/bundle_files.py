"""Bundles as files: with any content under a good signature, and where that content can change."""

from collections.abc import Iterator
from typing import Any

from remit.audit.bundle.file import CURRENT, PAYLOAD_TYPES
from remit.base.canonical import canonical_json
from remit.signing.dsse import envelope_to_json
from remit.signing.keys import Keyring
from tests.unit.audit.bundle_parts import KEYS


def signed(content: object, keys: Keyring = KEYS, kind: str = PAYLOAD_TYPES[CURRENT]) -> bytes:
    """Return a file with a good signature over any content."""
    payload = content if isinstance(content, bytes) else canonical_json(content)  # type: ignore[arg-type]
    return canonical_json(envelope_to_json(keys.sign(kind, payload))) + b"\n"


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value that holds no others, and of what is empty."""
    members = list(value.items()) if isinstance(value, dict) else None
    if isinstance(value, list):
        members = list(enumerate(value))
    if not members:
        yield path
    for key, member in members or []:
        yield from leaves(member, (*path, key))
