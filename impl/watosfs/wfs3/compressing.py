"""Which data is compressed: the level of an inode, and storing a piece of a file compressed.

The level is kept in the inode's flags: 0 stores as it is, 1 to 19 are zstd's. New files and
directories take that of their directory. What is stored stays as it is until it is written again.
"""

from typing import TYPE_CHECKING
from zlib import crc32

from watosfs.wfs3.compression import compressed, flags_of
from watosfs.wfs3.format import BLOCK_SIZE, INCOMPAT_COMPRESSION
from watosfs.wfs3.records import INODE_LEVEL_MASK, INODE_LEVEL_SHIFT, Extent, Inode

if TYPE_CHECKING:
    from watosfs.wfs3.engine import Engine

LEVEL_MAX = 19


def level_of(inode: Inode) -> int:
    """The level that new data of the inode is compressed with; 0 for not at all. The
    field has room for more than there are; such a level counts as the highest.
    """
    return min((inode.flags & INODE_LEVEL_MASK) >> INODE_LEVEL_SHIFT, LEVEL_MAX)


def set_level(inode: Inode, level: int) -> None:
    """Set it, 0 to ``LEVEL_MAX``."""
    inode.flags = inode.flags & ~INODE_LEVEL_MASK | level << INODE_LEVEL_SHIFT


def inherit_level(inode: Inode, directory: Inode) -> None:
    """A new file or directory takes the level of the directory that it is created in."""
    if inode.is_file or inode.is_directory:
        inode.flags |= directory.flags & INODE_LEVEL_MASK


def store_compressed(engine: "Engine", inode: Inode, key: int, view: memoryview) -> bool:
    """Store whole blocks of one chunk as one compressed extent at file offset ``key``, if that
    saves a block and there is a free run for it; whether it was done.
    """
    stored = compressed(view, level_of(inode))
    if stored is None:
        return False
    blocks = len(stored) // BLOCK_SIZE
    start = engine.space.alloc(blocks)
    if start is None:
        return False
    engine.device.write(start, stored)
    engine.features |= INCOMPAT_COMPRESSION
    generation = engine.store.generation & 0xFFFFFFFF
    extent = Extent(key, start, len(view), flags_of(blocks), 1, crc32(stored), generation)
    engine.changing_tree(inode).insert(key, extent)
    inode.blocks += blocks
    return True
