"""The Merkle tree is that of RFC 6962: its published roots and paths, and what proves nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.audit.merkle import inclusion_proof, merkle_root, verify_inclusion

LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves that Certificate Transparency's own tests use."""

ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The root over the first n leaves, for each n from 0."""

PATHS = (
    (
        (8, 0),
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (
        (8, 5),
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (
        (3, 2),
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    ),
)
"""Audit paths from the same tests: (tree size, index), then the hashes."""


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS)))
def test_the_root_is_the_published_one(size: int, root: str) -> None:
    assert merkle_root(LEAVES[:size]).hex() == root


@pytest.mark.parametrize(("place", "path"), [(place, path) for place, *path in PATHS])
def test_the_path_is_the_published_one(place: tuple[int, int], path: Sequence[str]) -> None:
    size, index = place
    assert [each.hex() for each in inclusion_proof(LEAVES[:size], index)] == path


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_every_leaf_is_found_in_its_root_and_nowhere_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    root = merkle_root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = inclusion_proof(leaves, index)
    size = len(leaves)
    assert verify_inclusion(leaves[index], index, size, proof=proof, root=root)
    other = data.draw(st.integers(0, size - 1))
    found = verify_inclusion(leaves[index], other, size, proof=proof, root=root)
    assert found == (other == index) or leaves[other] == leaves[index]
    assert not verify_inclusion(leaves[index] + b"x", index, size, proof=proof, root=root)
    assert not verify_inclusion(leaves[index], index, size, proof=(*proof, root), root=root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof=proof[:-1], root=root)
        forged = (bytes(32), *proof[1:])
        assert not verify_inclusion(leaves[index], index, size, proof=forged, root=root)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_outside_the_tree_has_no_proof(index: int) -> None:
    leaves = LEAVES[:3]
    with pytest.raises(IndexError, match=f"there is no leaf {index} among 3"):
        inclusion_proof(leaves, index)
    assert not verify_inclusion(b"", index, 3, proof=(), root=merkle_root(leaves))


def test_a_node_cannot_pass_for_a_leaf() -> None:
    left, right = (merkle_root([leaf]) for leaf in LEAVES[:2])
    assert merkle_root([left + right]) != merkle_root(LEAVES[:2])
