import hashlib

from hypothesis import given
from hypothesis import strategies as st

from payments.ledger import merkle

HASHES = st.lists(st.binary(max_size=8).map(merkle.leaf_hash), min_size=1, max_size=70)


def test_roots_are_those_of_certificate_transparency() -> None:
    """The reference tree of RFC 6962's first implementation (merkle_tree_test.cc)."""
    inputs = ["", "00", "10", "2021", "3031", "40414243"]
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in inputs]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    }
    for count, expected in roots.items():
        assert merkle.root(leaves[:count]).hex() == expected
    assert merkle.root([]) == hashlib.sha256(b"").digest()


@given(leaves=HASHES, place=st.integers(0, 69))
def test_every_path_leads_to_the_root_and_no_other_leaf_fits(
    leaves: list[bytes], place: int
) -> None:
    index = place % len(leaves)
    path = merkle.path(leaves, index)
    root = merkle.root(leaves)
    count = len(leaves)
    assert merkle.root_of_path(leaves[index], index=index, count=count, hashes=path) == root
    other = merkle.leaf_hash(b"another leaf altogether")
    assert merkle.root_of_path(other, index=index, count=count, hashes=path) != root
    if path:
        short = merkle.root_of_path(leaves[index], index=index, count=count, hashes=path[:-1])
        assert short != root
    assert merkle.root_of_path(leaves[index], index=count, count=count, hashes=path) is None


@given(leaves=HASHES, power=st.integers(0, 4))
def test_a_tree_is_the_tree_over_its_chunks(leaves: list[bytes], power: int) -> None:
    size = 2**power
    chunks = [merkle.root(leaves[start : start + size]) for start in range(0, len(leaves), size)]
    assert merkle.root(chunks) == merkle.root(leaves)
