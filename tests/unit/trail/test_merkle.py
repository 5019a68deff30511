"""The Merkle tree against the definition in RFC 9162, 2.1.1, written down as it stands there."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trail.merkle import Tree


def head_by_the_book(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + head_by_the_book(leaves[:split]) + head_by_the_book(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_the_root_is_the_one_of_the_rfc(leaves: list[bytes]) -> None:
    assert Tree().with_leaves(leaves).root() == head_by_the_book(leaves)


@given(st.lists(st.binary(max_size=8), max_size=40), st.lists(st.binary(max_size=8), max_size=40))
def test_a_tree_that_goes_on_is_the_tree_of_all_leaves(first: list[bytes], then: list[bytes]) -> None:
    assert Tree().with_leaves(first).with_leaves(then) == Tree().with_leaves([*first, *then])


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_an_inner_node_cannot_be_passed_off_as_a_leaf(left: bytes, right: bytes) -> None:
    nodes = [hashlib.sha256(b"\x00" + each).digest() for each in (left, right)]
    assert Tree().with_leaves([left, right]).root() != Tree().with_leaves([b"".join(nodes)]).root()


@pytest.mark.parametrize(("size", "hashes"), [(1, 0), (3, 1), (0, 1), (-1, 0)])
def test_a_frontier_that_does_not_fit_the_size_is_refused(size: int, hashes: int) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Tree(size, (bytes(32),) * hashes)
