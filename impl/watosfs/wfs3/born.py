"""Which blocks of a tree of inodes were written after some generation: what a snapshot of that
generation does not show.

A node is never older than what hangs on it, so whatever is old enough ends the walk there: it costs
what it finds.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from watosfs.errors import DamageError
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.extents import ExtentError, ExtentSet
from watosfs.wfs3.node import DIRECTORY, EXTENTS, INODES, Node, NodeKind
from watosfs.wfs3.records import Extent, decode_inode

if TYPE_CHECKING:
    from watosfs.wfs3.engine import Engine


def born_after(
    engine: "Engine", roots: Iterable[tuple[NodeKind, int]], generation: int
) -> ExtentSet:
    """The blocks under stored roots that a later generation wrote. Raises DamageError, also for a
    block that is reached twice.
    """
    found = ExtentSet()
    for kind, root in roots:
        _Walk(engine, found, generation).tree(kind, root)
    return found


class _Walk:
    def __init__(self, engine: "Engine", found: ExtentSet, generation: int) -> None:
        self.engine = engine
        self.found = found
        self.generation = generation

    def tree(self, kind: NodeKind, root: int) -> None:
        tree = BTree(self.engine.store, kind, root)
        node = tree.root_node()
        if node is not None:
            self.node(tree, node)

    def node(self, tree: BTree, node: Node) -> None:
        if node.generation <= self.generation:
            return
        self.add(tree.kind.name, node.block, 1)
        if node.level:
            for i in range(len(node.keys)):
                self.node(tree, tree.child(node, i))
        elif tree.kind is INODES:
            for raw in node.values:
                inode = decode_inode(raw, node.block)
                if inode.extent_root:
                    kind = DIRECTORY if inode.is_directory else EXTENTS
                    self.tree(kind, inode.extent_root)
        elif tree.kind is EXTENTS:
            for key, extent in zip(node.keys, node.values, strict=True):
                self.extent(key, extent)

    def extent(self, key: int, extent: Extent) -> None:
        if extent.generation > self.generation:
            self.engine.data.validate(key, extent)
            self.add("extent", extent.disk_block, extent.stored_blocks)

    def add(self, structure: str, start: int, count: int) -> None:
        try:
            self.found.add(start, start + count)
        except ExtentError as error:
            raise DamageError(structure, start, f"reached twice: {error}") from error
