"""Tree: RFC 6962, and what follows from keeping one node a position."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kernos.adapters.sqlite.tree import (
    Frontier,
    frontier_positions,
    height_at,
    node_over,
    parent_hash,
    root_of_parts,
    subtree_of,
    subtree_root,
)

# Inputs and roots that implementations of RFC 6962 are commonly tested with.
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

sizes = some.integers(1, 300)


def _leaf(position: int) -> bytes:
    return hashlib.sha256(b"\0%d" % position).digest()


def _root(begin: int, end: int) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if end - begin == 1:
        return _leaf(begin)
    half = 1 << (end - begin - 1).bit_length() - 1
    return parent_hash(_root(begin, begin + half), _root(begin + half, end))


def _grown(size: int) -> tuple[Frontier, list[bytes]]:
    frontier = Frontier()
    return frontier, [frontier.add(_leaf(position)) for position in range(size)]


def test_roots_are_those_of_the_rfc() -> None:
    frontier = Frontier()
    assert frontier.root().hex() == ROOTS[0]
    for size, text in enumerate(INPUTS, 1):
        frontier.add(hashlib.sha256(b"\0" + bytes.fromhex(text)).digest())
        assert size not in ROOTS or frontier.root().hex() == ROOTS[size]


@given(sizes)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    frontier, _ = _grown(size)
    assert frontier.root() == _root(0, size)


@given(sizes, some.data())
def test_the_kept_nodes_give_the_edge_of_every_smaller_tree(size: int, data: some.DataObject) -> None:
    _, nodes = _grown(size)
    smaller = data.draw(some.integers(1, size))
    parts = [nodes[position] for _, position in frontier_positions(smaller)]
    assert root_of_parts(parts) == _root(0, smaller)


@given(sizes, some.data())
def test_a_node_is_the_root_of_the_largest_subtree_that_ends_there(size: int, data: some.DataObject) -> None:
    _, nodes = _grown(size)
    position = data.draw(some.integers(0, size - 1))
    begin = position + 1 - (1 << height_at(position))
    assert nodes[position] == _root(begin, position + 1) == node_over(position, _leaf(position), nodes.__getitem__)


@given(sizes, some.data())
def test_any_subtree_is_computed_from_kept_nodes_and_its_last_leaf(size: int, data: some.DataObject) -> None:
    _, nodes = _grown(size)
    position = data.draw(some.integers(0, size - 1))
    begin, top, index = subtree_of(position, size)
    assert begin <= position < begin + (1 << top)
    assert frontier_positions(size)[index] == (top, begin + (1 << top) - 1)
    height = data.draw(some.integers(0, top))
    first = position >> height << height
    assert subtree_root(first, height, nodes.__getitem__, _leaf) == _root(first, first + (1 << height))


def test_a_position_outside_a_tree_is_in_none_of_its_parts() -> None:
    assert [subtree_of(position, 3)[2] for position in range(3)] == [0, 0, 1]
    with pytest.raises(ValueError, match="position 3 is not in a tree of 3"):
        subtree_of(3, 3)
