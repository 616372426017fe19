"""The Merkle tree hash of RFC 6962: one hash that stands for a whole list. Pure.

Leaves and inner nodes are hashed under different prefixes, so that neither can pass for the other.
A leaf with no partner moves up a level unchanged: that is the tree of the RFC, whose left part is
as large a power of two as fits.
"""

import hashlib
from collections.abc import Sequence
from itertools import zip_longest

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
