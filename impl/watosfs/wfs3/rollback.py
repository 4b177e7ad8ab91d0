"""Going back to the newest snapshot: its roots become the volume's, in one commit."""

from typing import TYPE_CHECKING

from watosfs.errors import DamageError
from watosfs.wfs3.born import born_after
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.node import DEAD, INODES, ORPHANS, Node
from watosfs.wfs3.snapshot_records import LIST_ONLY

if TYPE_CHECKING:
    from watosfs.wfs3.engine import Engine


def roll_back(engine: "Engine", generation: int) -> None:
    """The durable roots become those of the newest snapshot, which is of this generation.

    What was written since is given up; what was given up since is in use again, so the dead lists
    behind the snapshot go. Inode numbers go on from where they were. Raises ENOSPC.
    """
    snapshots, store = engine.snapshots, engine.store
    superblock = engine.superblock
    record = snapshots.record(generation)
    assert record is not None
    roots = ((INODES, superblock.root_tree_block), (ORPHANS, superblock.orphan_root))
    gone = born_after(engine, roots, generation)
    later = list(snapshots.records(generation + 1))
    lists = [BTree(store, DEAD, found.dead_root) for _, found in later]
    drops = len(gone.starts) + sum(_node_count(tree) for tree in lists)
    engine.admit(snapshots.cost() * (len(lists) + 1), last=True, drops=drops)
    snapshots.lists.clear()
    for tree in lists:
        tree.clear()
    for key, found in later:
        if found.state != LIST_ONLY:
            raise DamageError("snapshot", 0, f"generation {key} is newer than the newest")
        snapshots.remove(key)
    for start, end in gone:
        engine.allocator.drop(start, end - start)
    engine.adopt(record.root_tree_block, record.orphan_root)
    engine.commit(force=True)


def _node_count(tree: BTree) -> int:
    root = tree.root_node()
    return 0 if root is None else _count_below(tree, root)


def _count_below(tree: BTree, node: Node) -> int:
    if not node.level:
        return 1
    return 1 + sum(_count_below(tree, tree.child(node, i)) for i in range(len(node.keys)))
