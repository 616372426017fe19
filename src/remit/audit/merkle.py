"""The Merkle tree hash of RFC 6962: one hash that stands for a whole list. Pure.

Leaves and inner nodes are hashed under different prefixes, so that neither can pass for the other.
A leaf with no partner moves up a level unchanged: that is the tree of the RFC, whose left part is
as large a power of two as fits.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_LEAF = b"\x00"
_NODE = b"\x01"


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the hash over all of `leaves`, 32 bytes; of none, the SHA-256 of nothing."""
    *_, top = _levels(leaves)
    return top[0] if top else hashlib.sha256().digest()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return what :func:`verify_inclusion` needs to find `leaves[index]` in the root.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    proof = []
    for level in _levels(leaves):
        sibling = index ^ 1
        if sibling < len(level):
            proof.append(level[sibling])
        index //= 2
    return tuple(proof)


def verify_inclusion(
    leaf: bytes, index: int, size: int, *, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether `leaf` is number `index`, from 0, of the `size` leaves that `root` is over."""
    if not 0 <= index < size:
        return False
    found, last, path = _leaf_hash(leaf), size - 1, iter(proof)
    while last:
        if index % 2 or index < last:
            sibling = next(path, None)
            if sibling is None:
                return False
            found = _node_hash(sibling, found) if index % 2 else _node_hash(found, sibling)
        index, last = index // 2, last // 2
    return found == root and next(path, None) is None


def _levels(leaves: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the hashes of each level, from the leaves to the root."""
    level = [_leaf_hash(leaf) for leaf in leaves]
    yield level
    while len(level) > 1:
        pairs = zip_longest(level[::2], level[1::2])
        level = [left if right is None else _node_hash(left, right) for left, right in pairs]
        yield level


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(_LEAF + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
