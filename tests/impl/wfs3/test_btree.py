"""The copy-on-write B+tree against a sorted list, through commits and cold caches."""

import random

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.errors import DamageError
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.node import DIRECTORY, FREE, Node, encode_node
from watosfs.wfs3.records import encode_entry
from watosfs.wfs3.volume import Volume


def engine_of(block_count: int = 4096) -> Engine:
    device = MemoryDevice(block_count)
    mkfs(device, clock=lambda: 0)
    return Volume.mount(device, clock=lambda: 0).engine


def settle(engine: Engine, tree: BTree) -> None:
    """Store the dirty nodes of a tree that hangs on no inode, and forget the cache."""
    nodes = list(tree.dirty_nodes())
    placed = []
    for start, size in engine.space.alloc_runs(len(nodes)):
        placed += zip(
            nodes[len(placed) : len(placed) + size], range(start, start + size), strict=True
        )
    for block, data in engine.encode(placed):
        engine.device.write(block, data)
    if isinstance(tree.root, Node):
        tree.root = tree.root.block
    engine.store.cache.clear()
    engine.store.generation_max = engine.store.generation


@pytest.mark.parametrize("seed", range(6))
def test_random_inserts_and_deletes_agree_with_a_dict(seed: int) -> None:
    engine = engine_of()
    tree = BTree(engine.store, FREE, 0)
    rng = random.Random(seed)
    expected: dict[int, int] = {}
    for step in range(3000):
        key = rng.randrange(1, 4000)
        grow = step < 1800
        if key in expected and not (grow and rng.random() < 0.7):
            tree.delete(tree.lower_bound(key))
            del expected[key]
        elif key not in expected and (grow or rng.random() < 0.2):
            tree.insert(key, step)
            expected[key] = step
        if step % 500 == 499:
            settle(engine, tree)
            assert dict(tree.items()) == expected
            assert [k for k, _ in tree.items()] == sorted(expected)
        probe = rng.randrange(4000)
        assert tree.get(probe) == expected.get(probe)
        below = tree.floor(probe)
        at_most = [k for k in expected if k <= probe]
        if at_most:
            assert below[-1][0].keys[below[-1][1]] == max(at_most)
    for key in sorted(expected):
        tree.delete(tree.lower_bound(key))
    assert tree.root == 0


def test_ascending_keys_fill_leaves_and_grow_two_levels() -> None:
    engine = engine_of(1 << 16)
    tree = BTree(engine.store, DIRECTORY, 0)
    for key in range(14 * 300):
        tree.insert(key, encode_entry(1, 1, key, b"x"))
    assert tree.height == 2
    root = tree.root_node()
    assert root is not None
    leaves = [node for node in tree.dirty_nodes() if node.level == 0]
    assert len(leaves) == 300


def test_equal_keys_straddling_leaves_are_all_found() -> None:
    engine = engine_of()
    tree = BTree(engine.store, DIRECTORY, 0)
    values = [encode_entry(n + 1, 1, 7, b"n%d" % n) for n in range(40)]
    tree.insert(3, encode_entry(1, 1, 3, b"low"))
    tree.insert(9, encode_entry(1, 1, 9, b"high"))
    for value in values:
        tree.insert(7, value)
    settle(engine, tree)
    assert sorted(v for k, v in tree.items(7, 7)) == sorted(values)
    path = tree.lower_bound(7)
    assert path[-1][0].keys[path[-1][1]] == 7


def test_deleting_gives_every_node_back() -> None:
    engine = engine_of()
    before = engine.allocator.available + engine.allocator.held
    tree = BTree(engine.store, FREE, 0)
    for key in range(2000):
        tree.insert(key, 1)
    settle(engine, tree)
    used = before - engine.allocator.available - engine.allocator.held
    assert used == sum(1 for _ in range(0, 2000, 254)) + 1
    tree.clear()
    assert engine.allocator.available + engine.allocator.held == before
    assert engine.store.dirty_count == 0


@pytest.mark.parametrize("keys", [[5, 4], [4, 4], [1 << 60, 3]])
def test_a_stored_node_with_unordered_keys_is_damage(keys: list[int]) -> None:
    engine = engine_of()
    node = Node(FREE, 0, keys, [1, 1])
    engine.device.write(100, encode_node(node, 1))
    with pytest.raises(DamageError, match="free tree at block 100"):
        BTree(engine.store, FREE, 100).get(4)


def test_a_child_that_is_its_own_ancestor_ends_in_damage() -> None:
    engine = engine_of()
    loop = Node(FREE, 3, [0, 5], [100, 100])
    engine.device.write(100, encode_node(loop, 1))
    with pytest.raises(DamageError, match="level 3 where 2 is due"):
        BTree(engine.store, FREE, 100).get(4)


@pytest.mark.parametrize("unused", [0, 5])
def test_the_first_separator_of_an_inner_child_may_lie_anywhere(unused: int) -> None:
    engine = engine_of()
    engine.device.write(100, encode_node(Node(FREE, 2, [0, 10], [101, 102]), 1))
    engine.device.write(102, encode_node(Node(FREE, 1, [unused, 20], [103, 104]), 1))
    engine.device.write(103, encode_node(Node(FREE, 0, [12], [1]), 1))
    engine.device.write(104, encode_node(Node(FREE, 0, [25], [2]), 1))
    tree = BTree(engine.store, FREE, 100)
    assert (tree.get(12), tree.get(25)) == (1, 2)


@pytest.mark.parametrize(("level", "keys"), [(1, [0, 9]), (0, [9, 20])])
def test_a_child_with_keys_outside_its_range_is_damage(level: int, keys: list[int]) -> None:
    engine = engine_of()
    engine.device.write(100, encode_node(Node(FREE, level + 1, [0, 10], [101, 102]), 1))
    engine.device.write(102, encode_node(Node(FREE, level, keys, [103, 104]), 1))
    with pytest.raises(DamageError, match="keys outside the parent's range"):
        BTree(engine.store, FREE, 100).get(12)


def test_a_child_newer_than_its_parent_is_damage() -> None:
    engine = engine_of()
    engine.store.generation_max = 9
    engine.device.write(100, encode_node(Node(FREE, 1, [0], [101]), 3))
    engine.device.write(101, encode_node(Node(FREE, 0, [7], [1]), 4))
    with pytest.raises(DamageError, match="generation 4 is above 3"):
        BTree(engine.store, FREE, 100).get(7)
