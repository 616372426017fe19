"""The action digest: the name by which everything downstream binds an intent.

Two intents have the same digest exactly when they say the same thing; the order of keys and the
spelling of numbers (1 or 1.0) do not count.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from remit.base.canonical import canonical_json, sha256_digest


def action_digest(intent: Mapping[str, JsonValue]) -> str:
    """Return the digest of an intent's canonical JSON; InvalidInputError when it has none."""
    return sha256_digest(canonical_json(intent))
