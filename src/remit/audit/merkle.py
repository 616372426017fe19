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
        pairs = zip_longest(level[::2], level[1::2])
        level = [left if right is None else _node_hash(left, right) for left, right in pairs]
    return level[0] if level else hashlib.sha256().digest()


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(_LEAF + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
