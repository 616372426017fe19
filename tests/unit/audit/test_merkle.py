"""The Merkle tree is that of RFC 6962: its published roots, a node that is no leaf, and paths."""

import pytest

from remit.audit.checkpoint import inclusion_path, merkle_root, root_by_path

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


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS)))
def test_the_root_is_the_published_one(size: int, root: str) -> None:
    assert merkle_root(LEAVES[:size]).hex() == root


def test_a_node_cannot_pass_for_a_leaf() -> None:
    left, right = (merkle_root([leaf]) for leaf in LEAVES[:2])
    assert merkle_root([left + right]) != merkle_root(LEAVES[:2])


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_the_path_of_each_leaf_leads_to_the_root_and_no_other_does(size: int) -> None:
    leaves = LEAVES[:size]
    for position, leaf in enumerate(leaves):
        path = inclusion_path(leaves, position)
        assert root_by_path(leaf, position, size, path) == merkle_root(leaves)
        assert root_by_path(leaf + b"x", position, size, path) != merkle_root(leaves)
        assert root_by_path(leaf, position, size, [*path, b""]) is None
        for other in range(size):
            if other != position:
                assert root_by_path(leaf, other, size, path) != merkle_root(leaves)
    assert root_by_path(LEAVES[0], size, size, inclusion_path(leaves, 0)) is None
    assert root_by_path(LEAVES[0], -1, size, inclusion_path(leaves, 0)) is None


def test_a_path_is_the_published_one() -> None:
    # Certificate Transparency's own vectors: the leaf 6 (from 1) of 8.
    assert [node.hex() for node in inclusion_path(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
