"""The working tree of a mounted volume: inodes and trees in memory, admission, commit and abort.

All changes since the last commit live in dirty nodes, dirty inodes and dirty chunks; the device
sees them at commit (or earlier, in blocks that no durable root reaches). Either all of them become
durable or none.
"""

import errno
from collections.abc import Callable

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs3 import commit as protocol
from watosfs.wfs3.admission import Admission
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.batches import gathered
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.extents import ExtentError
from watosfs.wfs3.filedata import FileData
from watosfs.wfs3.format import FIRST_USABLE_BLOCK, RO_COMPAT_SNAPSHOTS, Superblock
from watosfs.wfs3.node import FREE, INODES, ORPHANS, Node, encode_node
from watosfs.wfs3.records import Inode
from watosfs.wfs3.snapshots import SnapshotTree
from watosfs.wfs3.space import FREE_RUNS_IN_MEMORY_MAX, Space
from watosfs.wfs3.store import NodeStore
from watosfs.wfs3.writing import Medium, joined


class Engine(Admission):
    """One mounted volume, below names and handles. Not thread-safe."""

    def __init__(
        self,
        device: BlockDevice,
        superblock: Superblock,
        slot: int,
        *,
        clock: Callable[[], int],
        cache_blocks: int,
        dirty_bytes_max: int,
        node_entries_max: int | None = None,
    ) -> None:
        super().__init__()
        self.device = device
        self.superblock = superblock
        self.slot = slot
        self.clock = clock
        self.dirty_bytes_max = dirty_bytes_max
        self.dirty_nodes_max = max(cache_blocks // 2, 64)
        self.is_published = superblock.is_published_layout
        self.read_only_reason: str | None = None
        #: Set for good once a commit failed or a change broke off: nothing later may claim
        #: durability.
        self.has_failed = False
        self.in_transaction = False
        #: Incompatible features that this transaction came to use.
        self.features = 0
        #: Called when ``fail`` has thrown the working tree away.
        self.reverted: Callable[[], None] = lambda: None
        #: True from an operation's admission to its end: an error in between shuts the volume down.
        self.is_changing = False
        self.allocator = Allocator(
            FIRST_USABLE_BLOCK,
            superblock.total_blocks,
            superblock.root_generation,
            superblock.free_blocks,
        )
        self.store = NodeStore(
            device,
            self.allocator,
            superblock.total_blocks,
            superblock.root_generation + 1,
            cache_blocks,
            strict=not self.is_published,
            node_entries_max=node_entries_max,
        )
        self.data = FileData(self)
        self.snapshots = SnapshotTree(self)
        self.load_roots()

    def load_roots(self) -> None:
        """Start from the durable roots."""
        superblock = self.superblock
        self.pages.clear()
        self.inode_tree = BTree(self.store, INODES, superblock.root_tree_block)
        self.orphan_tree = BTree(self.store, ORPHANS, superblock.orphan_root)
        self.space = Space(self.store, BTree(self.store, FREE, superblock.free_tree_block))
        self.next_inode = superblock.next_inode
        self.inode_count = superblock.inode_count

    # -- when something breaks or memory is short

    def relieve(self) -> None:
        """Memory pressure: commit, or inside an explicit transaction write to blocks that nobody
        reaches.
        """
        if self.in_transaction:
            try:
                for block, data in joined(self.spill()):
                    self.device.write(block, data)
            except OSError as error:
                self.fail(error)
                raise
        else:
            self.commit()

    def fail(self, error: BaseException) -> None:
        """Something broke in the middle of a change: fall back to the durable state, read-only
        from now on.
        """
        self.has_failed = True
        self.read_only_reason = f"the volume was shut down after: {error}"
        self.in_transaction = False
        # What an abort took keeps its number: nothing may be mistaken for it.
        kept = self.next_inode, self.inode_count
        self.revert()
        self.next_inode, self.inode_count = kept
        self.reverted()

    # -- commit and abort

    @property
    def is_dirty(self) -> bool:
        """Whether anything changed since the last commit."""
        return bool(
            self.store.dirty_count
            or self.dirty_inodes
            or self.dirty_trees
            or self.allocator.fresh.count
            or self.allocator.limbo[0].count
            or self.store.dead.run_count
        )

    def commit(self, *, force: bool = False) -> None:
        """Make everything durable. ``force`` writes an empty generation too (which releases held
        blocks).

        When the device fails, the error is passed on, nothing is acknowledged, and the volume falls
        back to the durable state, read-only: which of the writes persisted cannot be known, so no
        later commit may build on them, and the working tree has given up what it wrote out.
        """
        if not (self.is_dirty or force):
            return
        if self.read_only_reason is not None:
            raise failure(errno.EROFS, reason=self.read_only_reason)
        try:
            superblock, writes = self.prepare()
            self.slot = protocol.commit(
                Medium(self.device, self.allocator),
                self.allocator,
                self.slot,
                joined(writes),
                superblock,
            )
        except OSError as error:
            self.fail(error)
            raise
        except ExtentError as error:
            self.fail(error)
            raise DamageError("free tree", 0, str(error)) from error
        self.superblock = superblock
        self.store.generation = superblock.root_generation + 1
        self.store.generation_max = superblock.root_generation
        self.snapshots.committed()
        self.allocator.unload(FREE_RUNS_IN_MEMORY_MAX)
        self.store.trim()

    def prepare(self) -> tuple[Superblock, list[tuple[int, bytes]]]:
        """Give everything dirty its place; the next superblock and the node blocks to write."""
        writes = self.spill()
        writes += self.snapshots.store_lists()
        writes += self.encode(self.space.update_tree())
        snapshot_root = stored_root(self.snapshots.tree)
        free_tree = self.space.tree
        allocator = self.allocator
        superblock = self.superblock._replace(
            free_blocks=allocator.available + allocator.held,
            root_tree_block=stored_root(self.inode_tree),
            root_generation=self.store.generation,
            free_tree_block=stored_root(free_tree),
            inode_count=self.inode_count,
            next_inode=self.next_inode,
            commit_time_ns=max(self.clock(), 0),
            total_blocks=self.store.total_blocks,
            orphan_root=stored_root(self.orphan_tree),
            snapshot_root=snapshot_root,
            snapshot_deleting=self.snapshots.deleting,
            ro_compat=self.superblock.ro_compat | (RO_COMPAT_SNAPSHOTS if snapshot_root else 0),
            incompat=self.superblock.incompat | self.features,
        )
        return superblock, writes

    def spill(self) -> list[tuple[int, bytes]]:
        """Place and encode every dirty node but the free tree's; they are clean afterwards, still
        unwritten.
        """
        with gathered(self):
            for number in sorted(self.data.dirty):
                self.data.write_out(self.modify(number))
        trees: list[BTree] = [tree for _, tree in sorted(self.dirty_trees.items())]
        trees += [self.orphan_tree, self.inode_tree]
        nodes = [node for tree in trees for node in tree.dirty_nodes()]
        placed = self.homes_of(nodes)
        homes = {id(node): block for node, block in placed}
        for number, tree in self.dirty_trees.items():
            root = tree.root
            self.dirty_inodes[number].extent_root = root if type(root) is int else homes[id(root)]
        writes = self.encode(placed)
        stored_root(self.orphan_tree)
        stored_root(self.inode_tree)
        self.dirty_trees.clear()
        self.dirty_inodes.clear()
        self.store.generation_max = self.store.generation
        return writes

    def homes_of(self, nodes: list[Node]) -> list[tuple[Node, int]]:
        """Each node with the free block that it is to have."""
        placed: list[tuple[Node, int]] = []
        at = 0
        for start, size in self.space.alloc_runs(len(nodes)):
            placed += zip(nodes[at : at + size], range(start, start + size), strict=True)
            at += size
        return placed

    def place(self, nodes: list[Node]) -> list[tuple[int, bytes]]:
        """Give dirty nodes (children first) their blocks; what to write there."""
        return self.encode(self.homes_of(nodes))

    def encode(self, placed: list[tuple[Node, int]]) -> list[tuple[int, bytes]]:
        """Pack nodes (children first) for their new blocks; each becomes a clean, cached node."""
        writes = []
        store = self.store
        for node, block in placed:
            if node.level:
                node.values = [v.block if type(v) is Node else v for v in node.values]
            elif node.kind is INODES:
                node.values = [v.pack() if type(v) is Inode else v for v in node.values]
            node.block = block
            writes.append((block, encode_node(node, node.generation)))
            store.cache[block] = node
        store.dirty_count -= len(placed)
        return writes

    def begin(self) -> None:
        """Open an explicit transaction on top of a committed state."""
        self.commit()
        self.in_transaction = True

    def abort(self) -> None:
        """Close the explicit transaction as if it had never been."""
        self.in_transaction = False
        # What an abort took keeps its number: nothing may be mistaken for it.
        kept = self.next_inode, self.inode_count
        self.revert()
        self.next_inode, self.inode_count = kept

    def revert(self) -> None:
        """Forget everything since the last commit."""
        self.features = 0
        self.store.cache.clear()
        self.store.dirty_count = 0
        self.store.dropped = None
        self.store.generation_max = self.superblock.root_generation
        self.inodes.clear()
        self.dirty_inodes.clear()
        self.dirty_trees.clear()
        self.data.forget_everything()
        self.allocator.aborted()
        self.store.total_blocks = self.allocator.hi = self.superblock.total_blocks
        self.snapshots.revert()
        self.load_roots()

    def adopt(self, root_tree_block: int, orphan_root: int) -> None:
        """Other stored roots in place of the durable ones; nothing is dirty."""
        self.store.cache.clear()
        self.inodes.clear()
        self.pages.clear()
        self.inode_tree = BTree(self.store, INODES, root_tree_block)
        self.orphan_tree = BTree(self.store, ORPHANS, orphan_root)

    def recover(self, *, copies_agree: bool) -> None:
        """Before the first change of a read-write mount: what a crash did to one superblock copy
        is repaired from the other, which was elected.
        """
        self.snapshots.find_newest()
        if not copies_agree:
            self.mirror()

    def mirror(self) -> None:
        """Both superblock copies name the durable tree."""
        protocol.mirror(Medium(self.device, self.allocator), self.slot, self.superblock)


def stored_root(tree: BTree) -> int:
    """The root's block, now that the tree is clean; the tree keeps only that."""
    if type(tree.root) is Node:
        tree.root = tree.root.block
    assert isinstance(tree.root, int)
    return tree.root
