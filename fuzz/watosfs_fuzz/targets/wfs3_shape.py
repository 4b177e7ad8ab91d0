"""The coarse shape of a mounted WFS v3: what its own state looks like behind the files.

A search tells states apart by it. Too fine, and no two states are one; too coarse, and a tree that
grew and shrank counts as the one that never grew. So trees give their number of nodes on each
level and no keys, counts of blocks only their size in powers of two, or whether there are any.
"""

from collections.abc import Hashable

from watosfs.wfs3.btree import BTree
from watosfs.wfs3.volume import Volume


def shape_of(volume: Volume) -> Hashable:
    """Widths of all trees, free runs, what waits to be freed, what is dirty."""
    engine = volume.engine
    allocator = engine.allocator
    numbers = sorted({inode.number for _, inode in volume.walk()})
    trees = [engine.inode_tree, engine.orphan_tree, engine.space.tree]
    trees += [engine.tree(engine.inode(number)) for number in numbers]
    return (
        tuple(sorted((tree.kind.name, widths(tree)) for tree in trees)),
        len(allocator.free.starts).bit_length(),
        tuple(bool(dead.count) for dead in allocator.limbo),
        engine.is_dirty,
        engine.store.dirty_count.bit_length(),
        engine.in_transaction,
        engine.read_only_reason is not None,
    )


def widths(tree: BTree) -> tuple[int, ...]:
    """How many nodes a tree has on each level, from the root down."""
    root = tree.root_node()
    level = [] if root is None else [root]
    found = []
    while level:
        found.append(len(level))
        inner = [node for node in level if node.level]
        level = [tree.child(node, i) for node in inner for i in range(len(node.keys))]
    return tuple(found)
