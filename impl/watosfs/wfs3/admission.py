"""Admission: an operation starts only when all that it may come to owe can surely be committed.

So ENOSPC is said before anything changed, and a commit never runs out of space. What the working
tree owes is an upper bound: its dirty nodes and chunks, and what updating the free tree for them
may take.
"""

import errno

from watosfs.errors import failure
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.inodes import InodeTable
from watosfs.wfs3.snapshots import SnapshotTree
from watosfs.wfs3.space import Space

#: More blocks than any change of names or attributes can come to owe (trees have at most 16
#: levels).
PLENTY_BLOCKS = 600


class Admission(InodeTable):
    """The part of the engine that says yes or ENOSPC."""

    allocator: Allocator
    space: Space
    snapshots: SnapshotTree
    orphan_tree: BTree
    read_only_reason: str | None
    in_transaction: bool
    is_changing: bool
    dirty_bytes_max: int
    dirty_nodes_max: int

    def commit(self, *, force: bool = False) -> None:
        """Make everything durable."""
        raise NotImplementedError

    def relieve(self) -> None:
        """Give memory back."""
        raise NotImplementedError

    @property
    def owed(self) -> int:
        """Blocks that committing the working tree may take, without the free tree's own."""
        return self.store.dirty_count + self.data.owed

    @property
    def room(self) -> int:
        """Blocks that ordinary operations may still take."""
        return self.allocator.available - self.debt(self.owed) - self.space.reserve

    def debt(self, blocks: int, drops: int = 0) -> int:
        """Blocks that a commit will need in all when nodes and data need ``blocks`` and ``drops``
        runs are given up. A block that is written may replace one that a snapshot keeps.
        """
        return self.space.debt(blocks + self.snapshots.debt(blocks + drops), drops)

    def namespace_cost(self) -> int:
        """Upper bound on the nodes that one change of names may make dirty (a rename over a file:
        the worst).
        """
        inode_path = self.inode_tree.height + 1
        return 6 * inode_path + 4 + 2 * self.orphan_tree.height + 3

    def admit(self, cost: int, *, frees: bool = False, last: bool = False, drops: int = 0) -> None:
        """Return when an operation that may come to owe ``cost`` more blocks surely can be
        committed.

        ``frees`` marks an operation that gives space back: it may use the reserve, or half of it
        where snapshots may keep what it gives up; ``last`` one that gives back what snapshots keep:
        it may use all of it. ``drops``: runs that it gives up. Raises EROFS on a read-only volume
        and ENOSPC when committing what is pending (twice, so that blocks held back come free) does
        not make room; nothing was changed then.
        """
        if self.read_only_reason is not None:
            raise failure(errno.EROFS, reason=self.read_only_reason)
        if self.has_room(cost, frees=frees, last=last, drops=drops):
            self.start_change()
            return
        if not self.in_transaction:
            for _ in range(2 + len(self.allocator.limbo)):
                self.commit(force=True)
                if self.has_room(cost, frees=frees, last=last, drops=drops):
                    self.start_change()
                    return
                if not self.allocator.held:
                    break
        raise failure(errno.ENOSPC)

    def admit_at_once(self, drops: int = 0) -> bool:
        """Admit a change of names or attributes when there is plenty of space; whether it did."""
        if self.read_only_reason is not None or not self.has_plenty(PLENTY_BLOCKS, drops):
            return False
        self.start_change()
        return True

    def start_change(self) -> None:
        """The operation is admitted; from here to its end an error shuts the volume down."""
        if (
            self.data.dirty_bytes > self.dirty_bytes_max
            or self.store.dirty_count > self.dirty_nodes_max
        ):
            self.relieve()
        self.is_changing = True

    def has_room(self, cost: int, *, frees: bool, last: bool = False, drops: int) -> bool:
        """Whether the blocks are there now."""
        if self.has_plenty(cost, drops):
            return True
        need = self.debt(self.owed + cost, drops)
        if last:
            return self.allocator.available >= need
        kept = self.space.reserve
        if frees:
            kept = kept // 2 if self.store.dead.newest else 0
        return self.allocator.available >= need + kept

    def has_plenty(self, cost: int, drops: int) -> bool:
        """Whether the blocks are there by a bound that needs no tree to be looked at.

        The free tree needs at most 2 * (height + 1) nodes for each run that changes, and its
        height is below 9 on any device: hence at most 18 a run and, with two runs for each block,
        37 a block. With snapshots there is no such bound.
        """
        if self.store.node_entries_max is not None or self.store.dead.newest:
            return False
        allocator = self.allocator
        runs = len(allocator.fresh.starts) + len(allocator.limbo[0].starts) + drops
        need = 40 * (self.store.dirty_count + self.data.owed + cost) + 20 * runs + 200
        return allocator.available - self.space.reserve >= need
