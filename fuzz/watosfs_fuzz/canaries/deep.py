"""Planted faults that need a certain shape of a tree: what the state-graph search is for.

They lie apart from the others because no trace of a few operations on a fresh volume meets them.
"""

from collections.abc import Callable
from typing import Any

from watosfs.wfs3.btree import BTree
from watosfs.wfs3.node import INODES, Node
from watosfs_fuzz.canaries.registry import Canary, canary

Function = Callable[..., Any]

DEEP_CANARIES: dict[str, Canary] = {}


@canary(
    "left-join-loses-entry",
    "a leaf of the inode tree that joins its left sibling behind a full leaf loses its last entry",
    (BTree, "merge"),
    registry=DEEP_CANARIES,
)
def left_join_loses_entry(original: Function) -> Function:
    def merge(self: BTree, parent: Node, index: int, capacity: int) -> Any:
        merged = original(self, parent, index, capacity)
        if merged and index > 1 and self.kind is INODES:
            left, first = parent.values[index - 1], self.child(parent, 0)
            if not left.level and len(first.keys) == capacity:
                del left.keys[-1], left.values[-1]
        return merged

    return merge
