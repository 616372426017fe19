"""A signed note of how far every chain of the log had come, to be kept away from the database.

Whoever can write to the database can rewrite a whole chain with hashes to match, or cut off its
end. A checkpoint taken before shows it: each chain must still pass through the head that was noted.
Pure: what is signed, and with what, is passed in.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from remit.audit.merkle import merkle_root
from remit.directives.digest import canonical_json, sha256_digest
from remit.errors import UnverifiableError
from remit.json_types import JsonObject
from remit.signing.dsse import envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring

CHECKPOINT_TYPE = "application/vnd.remit.checkpoint+json"
"""DSSE payload type of a checkpoint."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of one chain.

    Attributes:
        directive_id: whose chain; the nil UUID is the installation's own.
        seq: the row's position, which is also the length of the chain.
        hash: the row's hash.
    """

    directive_id: UUID
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The heads of all chains at one moment; made by :func:`make_checkpoint`.

    Attributes:
        taken_at: that moment, by the database's clock.
        heads: every chain's head, sorted by directive.
        root: "sha256:" and the Merkle root over the canonical JSON of each head, in their order.
        previous: digest of the file of the checkpoint before; None when none was named.
    """

    taken_at: datetime
    heads: tuple[Head, ...]
    root: str
    previous: str | None


def make_checkpoint(
    heads: Iterable[Head], taken_at: datetime, *, previous: bytes | None = None
) -> Checkpoint:
    """Return the checkpoint over `heads`.

    Args:
        heads: one for each chain, in any order.
        taken_at: when they were read, by the database's clock.
        previous: the file of the checkpoint before; None begins a new line of checkpoints.
    """
    digest = None if previous is None else sha256_digest(previous)
    return _checkpoint(heads, taken_at, digest)


def sign_checkpoint(checkpoint: Checkpoint, keys: Keyring) -> bytes:
    """Return the file: one DSSE envelope as canonical JSON, and a line break.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    envelope = keys.sign(CHECKPOINT_TYPE, _payload(checkpoint))
    return canonical_json(envelope_to_json(envelope)) + b"\n"


def read_checkpoint(data: bytes, keys: Keyring) -> Checkpoint:
    """Return what a file says that :func:`sign_checkpoint` made.

    Args:
        data: the whole file; every byte of it counts.
        keys: the keys that are trusted.

    Raises:
        UnverifiableError: it is no checkpoint, was changed, or none of the keys signed it.
    """
    try:
        stored: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnverifiableError("the checkpoint is not JSON: it is damaged, or another file") from (
            error
        )
    envelope = envelope_from_json(stored)
    payload = keys.verify(envelope, payload_type=CHECKPOINT_TYPE)
    checkpoint = _parsed(payload)
    # What is written again must be what was read: nothing unsigned, unknown, doubled or unsorted
    # is overlooked, and a root that is not that of the heads does not pass.
    written = canonical_json(envelope_to_json(envelope)) + b"\n"
    if written != data or _payload(checkpoint) != payload:
        raise UnverifiableError("the checkpoint is not as Remit writes one: it was changed")
    return checkpoint


def head_leaf(head: Head) -> bytes:
    """Return the leaf of the Merkle tree that stands for one head."""
    return canonical_json(_head_json(head))


def _checkpoint(heads: Iterable[Head], taken_at: datetime, previous: str | None) -> Checkpoint:
    ordered = tuple(sorted(heads, key=lambda head: head.directive_id.int))
    root = merkle_root([head_leaf(head) for head in ordered])
    return Checkpoint(taken_at, ordered, f"sha256:{root.hex()}", previous)


def _payload(checkpoint: Checkpoint) -> bytes:
    stamp = checkpoint.taken_at.astimezone(UTC).isoformat(timespec="microseconds")
    return canonical_json(
        {
            "taken_at": stamp.replace("+00:00", "Z"),
            "tree_size": len(checkpoint.heads),
            "root": checkpoint.root,
            "previous": checkpoint.previous,
            "heads": [_head_json(head) for head in checkpoint.heads],
        }
    )


def _head_json(head: Head) -> JsonObject:
    return {"directive": str(head.directive_id), "seq": head.seq, "hash": head.hash}


def _parsed(payload: bytes) -> Checkpoint:
    """Return what a payload says; what it says in another way than Remit does is found later."""
    try:
        stated: Mapping[str, Any] = json.loads(payload)
        heads = [
            Head(UUID(each["directive"]), int(each["seq"]), str(each["hash"]))
            for each in stated["heads"]
        ]
        taken_at = datetime.fromisoformat(stated["taken_at"])
        return _checkpoint(heads, taken_at, stated["previous"])
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnverifiableError("the checkpoint's content is not that of one") from error
