"""A new generation out of what was saved: new trees in blocks that the old one did not use.

Written by the engine that writes every other commit, in the same order; so until the new
superblock is durable the old tree is as it was, and a crash in between leaves just that.
"""

import errno
import stat
from collections.abc import Callable, Iterable
from zlib import crc32

from watosfs.block.device import BlockDevice
from watosfs.errors import failure
from watosfs.wfs3 import directory
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.extents import ExtentSet
from watosfs.wfs3.format import (
    BLOCK_SIZE,
    CHUNK_SIZE,
    FIRST_USABLE_BLOCK,
    INCOMPAT_COMPRESSION,
    RO_COMPAT_ORPHAN_TREE,
    ROOT_INODE,
    SIGNATURE,
    Superblock,
)
from watosfs.wfs3.node import DIRECTORY, EXTENTS
from watosfs.wfs3.records import ENTRY_TYPES, TYPE_DIRECTORY, Extent
from watosfs.wfs3.repairer.contents import read_extent
from watosfs.wfs3.repairer.salvage import Saved
from watosfs.wfs3.space import subtract

_CACHE_BLOCKS = 8192
_DIRTY_BYTES_MAX = 16 << 20


class Rebuild:
    """Stores ``saved`` on ``device`` as the generation after that of ``superblock``.

    ``kept`` are the blocks of data that stay; ``old`` all that the damaged tree reached. Nothing
    of either is written to.
    """

    def __init__(
        self,
        device: BlockDevice,
        superblock: Superblock,
        slot: int,
        saved: dict[int, Saved],
        clock: Callable[[], int],
    ) -> None:
        self.device = device
        self.saved = saved
        empty = superblock._replace(
            signature=SIGNATURE.ljust(64, b"\0"), flags=0, chunk_size=CHUNK_SIZE,
            free_blocks=0, root_tree_block=0, free_tree_block=0, orphan_root=0, snapshot_root=0,
            snapshot_deleting=0, refcount_root=0, inode_count=superblock.next_inode - 1,
            ro_compat=superblock.ro_compat | RO_COMPAT_ORPHAN_TREE,
            label=text_label(superblock.label),
        )  # fmt: skip
        self.engine = Engine(
            device,
            empty,
            slot,
            clock=clock,
            cache_blocks=_CACHE_BLOCKS,
            dirty_bytes_max=_DIRTY_BYTES_MAX,
        )

    def run(self, kept: ExtentSet, old: ExtentSet, known_free: ExtentSet | None) -> None:
        """Write everything and publish it. With ``known_free`` only these blocks are written to.

        Raises ENOSPC when the new trees do not fit; then the volume is as it was. Raises what the
        device raises.
        """
        self.provide(kept, old, known_free)
        for number, saved in sorted(self.saved.items()):
            self.store(number, saved)
        self.engine.commit()
        self.engine.mirror()

    def provide(self, kept: ExtentSet, old: ExtentSet, known_free: ExtentSet | None) -> None:
        """Tell the allocator what is free, now or after this commit."""
        allocator = self.engine.allocator
        allocator.unloaded = 0
        allocator.frontier = allocator.hi
        tree = self.engine.space.tree
        unused = [(FIRST_USABLE_BLOCK, allocator.hi)]
        for taken in (kept, old):
            unused = without(unused, taken)
        later = without(without([(FIRST_USABLE_BLOCK, allocator.hi)], kept), asset(unused))
        if known_free is not None:
            unsure = without(unused, known_free)
            later += unsure
            unused = without(unused, asset(unsure))
        for start, end in unused:
            allocator.free.add(start, end)
            tree.insert(start, end - start)
        for start, end in sorted(later):
            allocator.limbo[0].add(start, end)

    def store(self, number: int, saved: Saved) -> None:
        """An inode with what hangs on it."""
        engine, inode = self.engine, saved.inode
        inode.extent_root = 0
        inode.blocks = 0
        engine.inode_tree.insert(number, inode)
        engine.dirty_inodes[number] = inode
        tree = BTree(engine.store, DIRECTORY if inode.is_directory else EXTENTS, 0)
        if inode.is_directory:
            if number == ROOT_INODE:
                for name in directory.DOT_NAMES:
                    directory.add(tree, name, ROOT_INODE, TYPE_DIRECTORY)
            for name, child in saved.entries:
                kind = ENTRY_TYPES[stat.S_IFMT(self.saved[child].inode.mode)]
                directory.add(tree, name, child, kind)
        else:
            stored = list(saved.data.extents)
            for extent in saved.data.moved:
                stored += self.moved(extent, inode.size - extent.file_offset)
            for extent in sorted(stored):
                tree.insert(extent.file_offset, extent)
                inode.blocks += extent.stored_blocks
                if extent.flags:
                    engine.features |= INCOMPAT_COMPRESSION
        if tree.root != 0:
            engine.dirty_trees[number] = tree

    def moved(self, extent: Extent, tail: int) -> Iterable[Extent]:
        """An extent's data in new blocks, with zeros beyond the first ``tail`` bytes."""
        stored = read_extent(self.device, extent)
        if stored is None:
            raise failure(errno.EIO, reason=f"block {extent.disk_block} changed while it was read")
        data = bytes(stored[:tail]).ljust(extent.length, b"\0")
        at = 0
        for start, count in self.engine.space.alloc_runs(extent.length // BLOCK_SIZE):
            piece = data[at : at + count * BLOCK_SIZE]
            self.device.write(start, piece)
            yield extent._replace(
                file_offset=extent.file_offset + at,
                disk_block=start,
                length=len(piece),
                flags=0,
                crc32=crc32(piece),
                generation=self.engine.store.generation & 0xFFFFFFFF,
            )
            at += len(piece)


def asset(runs: Iterable[tuple[int, int]]) -> ExtentSet:
    """A set of sorted, disjoint runs."""
    found = ExtentSet()
    for start, end in runs:
        found.add(start, end)
    return found


def without(runs: Iterable[tuple[int, int]], taken: ExtentSet) -> list[tuple[int, int]]:
    """The sorted, disjoint ``runs`` without the blocks of a set."""
    return [piece for run in runs for piece in subtract(run, taken.starts, taken.ends)]


def text_label(label: bytes) -> bytes:
    """The label if it is UTF-8 padded with NUL, else none."""
    name = label.rstrip(b"\0")
    try:
        name.decode()
    except UnicodeDecodeError:
        return bytes(len(label))
    return label if b"\0" not in name else bytes(len(label))
