"""A mounted volume: the tree in memory, the slots of the table, the blocks, and what waits for a
sync (see ``watosfs.wfs2.commit``).
"""

import errno
import heapq
from collections.abc import Callable
from dataclasses import replace

from watosfs.block.device import BlockDevice, Buffer
from watosfs.errors import failure
from watosfs.wfs2.format import BITMAP_BLOCK, Superblock, encode_superblock
from watosfs.wfs2.node import Draft, Node
from watosfs.wfs2.space import Space, bitmap_indexes
from watosfs.wfs2.table import Tree, read_slots


class Engine:
    """State of one mounted volume. Raises OSError: EROFS, EBADF, EIO, ENOSPC, EUCLEAN."""

    #: As an engine of WFS v3 says it: this is no image of the published core.
    is_published = False

    def __init__(
        self,
        device: BlockDevice,
        superblock: Superblock,
        read_only_reason: str | None,
        clock: Callable[[], int],
    ) -> None:
        self.device = device
        self.superblock = superblock
        self.geometry = superblock.geometry
        self.clock = clock
        self.is_mounted = True
        self.has_failed = False
        slots, self.free_slots = read_slots(device, self.geometry)
        self.tree = Tree(slots)
        self.nodes = self.tree.nodes
        self.root = self.tree.root
        self.damage = self.tree.damage
        if self.geometry.is_overlapped:
            self.damage.append("the second superblock lies in the file table")
        if read_only_reason is None and self.damage:
            read_only_reason = f"damaged, see check: {self.damage[0]}"
        self.read_only_reason = read_only_reason
        self.dirty: set[Node] = set()
        self.cleared = {number for number, _ in self.tree.stale}
        #: Entries that a rename replaced: they go after the new ones are there.
        self.replaced: set[int] = set()
        #: Runs (start, count) that the medium may still need: free after the next sync.
        self.pending = [
            (e.start_block, e.blocks) for _, e in self.tree.stale if e.blocks and not self.read_only
        ]
        #: Paths that the medium still has and the tree not; see ``commit.require_name``.
        self.vacated: set[bytes] = set()
        used = [*self.geometry.reserved_runs]
        files = [slot.entry for slot in slots if slot.entry is not None]
        used += [(e.start_block, e.start_block + e.blocks) for e in files]
        self.space = Space(self.geometry.total_blocks, used)
        self.stale_bitmap: set[int] = set()
        self.superblocks_stale = False
        if not self.read_only:
            self._adopt()

    @property
    def read_only(self) -> bool:
        return self.read_only_reason is not None

    def _adopt(self) -> None:
        """What a power cut left behind is put right with the next sync."""
        for index in range(self.geometry.bitmap_blocks):
            if self.device.read(BITMAP_BLOCK + index) != self.space.bitmap_block(index):
                self.stale_bitmap.add(index)
        for node in self.tree.implied:
            if self.free_slots:
                node.slot = heapq.heappop(self.free_slots)
                self.dirty.add(node)
        raw = encode_superblock(self.counted())
        self.superblocks_stale = any(self.device.read(b) != raw for b in self.geometry.superblocks)

    def counted(self) -> Superblock:
        """The superblock with the counts as they are now, what waits to become free not free."""
        files = self.geometry.max_files - len(self.free_slots)
        return Superblock(self.geometry, self.space.free_count, files)

    @property
    def has_changes(self) -> bool:
        """Whether the medium is not yet as the tree is."""
        return bool(
            self.dirty
            or self.cleared
            or self.replaced
            or self.stale_bitmap
            or self.pending
            or self.superblocks_stale
        )

    # -- what changes need

    def require_mounted(self) -> None:
        """EBADF once unmounted."""
        if not self.is_mounted:
            raise failure(errno.EBADF, reason="the volume is unmounted")

    def begin_change(self) -> None:
        """EROFS, EBADF, or EIO after a write failed."""
        self.require_mounted()
        if self.has_failed:
            raise failure(errno.EIO, reason="a write failed before: what is on disk is not known")
        if self.read_only_reason is not None:
            raise failure(errno.EROFS, reason=self.read_only_reason)

    def node(self, number: int) -> Node:
        """The node of an inode number; ESTALE when it is gone."""
        node = self.nodes.get(number)
        if node is None:
            raise failure(errno.ESTALE)
        return node

    def touch(self, node: Node) -> None:
        """The entry of this node has to be written."""
        if node is not self.root and not node.is_removed:
            self.dirty.add(node)

    def modified(self, node: Node) -> None:
        """The contents changed just now."""
        node.entry = replace(node.entry, modified=self.clock())
        self.touch(node)

    def vacate(self, node: Node) -> None:
        """The node leaves its path."""
        if node.durable is not None:
            path = node.durable.name
            while path:
                self.vacated.add(path)
                path = path.rpartition(b"/")[0]

    def take_slot(self) -> int:
        """A free entry of the table. ENOSPC when every one is in use."""
        if not self.free_slots:
            count = self.geometry.max_files
            raise failure(errno.ENOSPC, reason=f"all {count} entries of the table are in use")
        slot = heapq.heappop(self.free_slots)
        self.cleared.discard(slot)
        return slot

    def free_slot(self, node: Node, *, replaced: bool = False) -> None:
        """The entry of a node that is removed goes with the next sync."""
        self.dirty.discard(node)
        slot, node.slot = node.slot, None
        if slot is None:
            return
        if replaced:
            self.replaced.add(slot)
        else:
            self.cleared.add(slot)
            heapq.heappush(self.free_slots, slot)

    # -- space

    def allocate(self, count: int) -> int | None:
        """A run of blocks, its bits set with the next sync; None when there is none."""
        start = self.space.allocate(count)
        if start is not None:
            self.stale_bitmap.update(bitmap_indexes(start, count))
        return start

    def extend(self, end: int, count: int) -> bool:
        """Let a run grow; False when what follows is not free."""
        if not self.space.extend(end, count):
            return False
        self.stale_bitmap.update(bitmap_indexes(end, count))
        return True

    def release(self, start: int, count: int) -> None:
        """Give back blocks that no entry on the medium leads to."""
        if count:
            self.space.release(start, count)
            self.stale_bitmap.update(bitmap_indexes(start, count))

    def reclaim(self, node: Node) -> None:
        """Nobody can reach this node any more: its blocks become free."""
        draft, entry = node.draft, node.entry
        if draft is not None and not draft.in_place:
            self.release(draft.start, draft.blocks)
        elif draft is not None:
            beyond = draft.blocks - entry.blocks
            self.release(entry.start_block + entry.blocks, beyond)
        if entry.blocks:
            self.pending.append((entry.start_block, entry.blocks))
        node.draft = None
        self.nodes.pop(node.number, None)

    def settled(self, node: Node, draft: Draft, blocks: int, crc: int) -> None:
        """The draft is written as a whole: the entry leads there, what is too much goes."""
        entry = node.entry
        keeps = entry.blocks if draft.in_place else 0
        cut = max(blocks, keeps)
        self.release(draft.start + cut, draft.blocks - cut)
        if not draft.in_place and entry.blocks:
            self.pending.append((entry.start_block, entry.blocks))
        elif blocks < keeps:
            self.pending.append((draft.start + blocks, keeps - blocks))
        node.entry = replace(
            entry, start_block=draft.start, blocks=blocks, size=node.size, data_crc32=crc
        )
        node.draft = None

    # -- the medium

    def write(self, block: int, data: Buffer) -> None:
        """Write blocks; a failure makes the volume read-only."""
        try:
            self.device.write(block, data)
        except OSError:
            self.has_failed = True
            raise

    def flush(self) -> None:
        """A step is done."""
        try:
            self.device.flush()
        except OSError:
            self.has_failed = True
            raise
