"""A signed note of how far every chain had come, to be kept away from the database. Pure.

Whoever can write to the database can rewrite a whole chain with hashes to match, or cut off its
end. A checkpoint taken before shows it: each chain must still pass through the head that was noted.

What is signed is a header, which names the root of a Merkle tree over all heads; the heads stand
beside it. So a bundle can carry the header alone, and the path of RFC 9162 from one head to the
root. The first version of the file was one envelope over all of it, which is still read.

The tree is that of RFC 6962: leaves and inner nodes are hashed under different prefixes, so that
neither can pass for the other, and a leaf with no partner moves up a level unchanged.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.signing.dsse import envelope_from_json, envelope_to_json
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, sign_statement, verify_statement

_LEAF = b"\x00"
_NODE = b"\x01"


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the hash over all of `leaves`, 32 bytes; of none, the SHA-256 of nothing."""
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _next_level(level)
    return level[0] if level else hashlib.sha256().digest()


def inclusion_path(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """Return the hashes that lead from one leaf, counted from 0, to the root; the lowest first."""
    path: list[bytes] = []
    level = [_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        path += level[position ^ 1 : (position ^ 1) + 1]
        level = _next_level(level)
        position //= 2
    return path


def root_by_path(leaf: bytes, position: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a path leads to, RFC 9162, 2.1.3.2; None: no path of such a list.

    `leaf` is said to stand at `position`, from 0, of a list of `size`.
    """
    if not 0 <= position < size:
        return None
    left_over, found = list(path), _leaf_hash(leaf)
    while size > 1:
        # The last of an odd number has no partner, and moves up unchanged.
        if position ^ 1 < size:
            if not left_over:
                return None
            beside = left_over.pop(0)
            found = _node_hash(beside, found) if position % 2 else _node_hash(found, beside)
        position, size = position // 2, (size + 1) // 2
    return None if left_over else found


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    pairs = zip_longest(level[::2], level[1::2])
    return [left if right is None else _node_hash(left, right) for left, right in pairs]


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(_LEAF + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


CHECKPOINT = Kind("checkpoint")
_DAMAGE = (AttributeError, KeyError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of one chain; its position `seq` is also the length of the chain."""

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


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a log had come so far when a checkpoint was taken.

    Attributes:
        header: the checkpoint's header, as it was signed.
        head: the last row that the log had then.
        position: the place of that head among all, from 0.
        path: "sha256:" and the hash of each node that leads from the head to the root.
    """

    header: JsonObject
    head: Head
    position: int
    path: tuple[str, ...]


def make_checkpoint(
    heads: Iterable[Head], taken_at: datetime, *, previous: bytes | None = None
) -> Checkpoint:
    """Return the checkpoint over one head for each chain, in any order.

    `previous` is the file of the checkpoint before; None begins a new line of checkpoints.
    """
    return _checkpoint(heads, taken_at, None if previous is None else sha256_digest(previous))


def sign_checkpoint(checkpoint: Checkpoint, keys: Keyring) -> bytes:
    """Return the file: the signed header and the heads as canonical JSON, and a line break.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    envelope = sign_statement(CHECKPOINT, header_of(checkpoint), keys)
    return _file({"header": envelope, "heads": _heads_json(checkpoint)})


def read_checkpoint(data: bytes, keys: Keyring) -> Checkpoint:
    """Return what a file says that :func:`sign_checkpoint` made.

    Raises:
        UnverifiableError: it is no checkpoint of this installation, was changed, or none of the
            keys signed it.
    """
    return read_signed_checkpoint(data, keys)[0]


def read_signed_checkpoint(data: bytes, keys: Keyring) -> tuple[Checkpoint, JsonObject | None]:
    """Return what a file says, and its header as it was signed; None in the first version.

    Raises:
        UnverifiableError: as :func:`read_checkpoint`.
    """
    stored = require_form(data)
    if not isinstance(stored, dict) or stored.keys() != {"header", "heads"}:
        return _read_first(stored, data, keys), None
    header: JsonObject = stored["header"]
    checkpoint = _parsed(envelope_from_json(header).payload, stored["heads"])
    verify_statement(CHECKPOINT, header, header_of(checkpoint), keys)
    if _file({"header": header, "heads": _heads_json(checkpoint)}) != data:
        raise _changed()
    return checkpoint, header


def require_form(data: bytes) -> object:
    """Return what a file holds that has the outward form of a checkpoint; nothing is verified.

    Raises:
        UnverifiableError: it is damaged, or another file.
    """
    try:
        stored: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        words = "the checkpoint is not JSON: it is damaged, or another file"
        raise UnverifiableError(words) from error
    is_whole = isinstance(stored, dict) and stored.keys() == {"header", "heads"}
    envelope_from_json(stored["header"] if is_whole else stored)  # type: ignore[index]
    return stored


def prove_inclusion(
    checkpoint: Checkpoint, header: JsonObject, directive_id: UUID
) -> Inclusion | None:
    """Return the proof for one directive; None: the checkpoint has no row of it."""
    for position, head in enumerate(checkpoint.heads):
        if head.directive_id == directive_id:
            path = inclusion_path([head_leaf(each) for each in checkpoint.heads], position)
            named = tuple(f"sha256:{node.hex()}" for node in path)
            return Inclusion(header, head, position, named)
    return None


def verify_inclusion(proof: Inclusion, keys: Keyring) -> datetime:
    """Return when the checkpoint was taken, once it is proved that it covers the head.

    Raises:
        UnverifiableError: the header was not signed for this installation, or the path does not
            lead to its root.
    """
    try:
        said = json.loads(envelope_from_json(proof.header).payload)
        taken_at, size = datetime.fromisoformat(said["taken_at"]), int(said["tree_size"])
        stated = {name: said[name] for name in ("taken_at", "tree_size", "root", "previous")}
        path = [bytes.fromhex(node.removeprefix("sha256:")) for node in proof.path]
    except _DAMAGE as error:
        raise UnverifiableError("the checkpoint's header is not that of one") from error
    verify_statement(CHECKPOINT, proof.header, stated, keys)
    root = root_by_path(head_leaf(proof.head), proof.position, size, path)
    if root is None or stated["root"] != f"sha256:{root.hex()}":
        raise UnverifiableError("the path does not lead to the root that the checkpoint names")
    return taken_at


def header_of(checkpoint: Checkpoint) -> JsonObject:
    """Return what is signed of a checkpoint; the installation is added."""
    return {
        "taken_at": stamp(checkpoint.taken_at),
        "tree_size": len(checkpoint.heads),
        "root": checkpoint.root,
        "previous": checkpoint.previous,
    }


def stamp(when: datetime) -> str:
    """Return a moment as checkpoints and bundles write it."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def head_leaf(head: Head) -> bytes:
    """Return the leaf of the tree that stands for one head."""
    return canonical_json(_head_json(head))


def _checkpoint(heads: Iterable[Head], taken_at: datetime, previous: str | None) -> Checkpoint:
    ordered = tuple(sorted(heads, key=lambda head: head.directive_id.int))
    root = merkle_root([head_leaf(head) for head in ordered])
    return Checkpoint(taken_at, ordered, f"sha256:{root.hex()}", previous)


def _read_first(stored: object, data: bytes, keys: Keyring) -> Checkpoint:
    envelope = envelope_from_json(stored)
    payload = keys.verify(envelope, payload_type=CHECKPOINT.first_type)
    checkpoint = _parsed(payload)
    # What is written again must be what was read: nothing unsigned, unknown, doubled or unsorted
    # is overlooked, and a root that is not that of the heads does not pass.
    said = canonical_json({**header_of(checkpoint), "heads": _heads_json(checkpoint)})
    if _file(envelope_to_json(envelope)) != data or said != payload:
        raise _changed()
    return checkpoint


def _changed() -> UnverifiableError:
    return UnverifiableError("the checkpoint is not as Remit writes one: it was changed")


def _file(content: JsonObject) -> bytes:
    return canonical_json(content) + b"\n"


def _heads_json(checkpoint: Checkpoint) -> list[JsonValue]:
    return [_head_json(head) for head in checkpoint.heads]


def _head_json(head: Head) -> JsonObject:
    return {"directive": str(head.directive_id), "seq": head.seq, "hash": head.hash}


def _parsed(payload: bytes, beside: object = None) -> Checkpoint:
    """Return what a payload says; what it says in another way than Remit does is found later.

    `beside` are the heads; None: they were signed with the rest.
    """
    try:
        stated: Mapping[str, Any] = json.loads(payload)
        listed: Any = stated["heads"] if beside is None else beside
        heads = [
            Head(UUID(each["directive"]), int(each["seq"]), str(each["hash"])) for each in listed
        ]
        taken_at = datetime.fromisoformat(stated["taken_at"])
        return _checkpoint(heads, taken_at, stated["previous"])
    except _DAMAGE as error:
        raise UnverifiableError("the checkpoint's content is not that of one") from error
