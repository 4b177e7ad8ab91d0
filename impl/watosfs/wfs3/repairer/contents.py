"""The data of one inode as far as it can be saved: extents whose blocks have their CRC."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

from watosfs.block.device import BlockDevice, Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.compression import decompressed, is_compressed
from watosfs.wfs3.extents import ExtentSet
from watosfs.wfs3.format import (
    ATTRIBUTES_MAX,
    BLOCK_SIZE,
    CHUNK_SIZE,
    INLINE_SIZE_MAX,
    PATH_MAX,
    block_count_of,
)
from watosfs.wfs3.node import EXTENTS
from watosfs.wfs3.packed_attributes import decode
from watosfs.wfs3.records import Extent, Inode


@dataclass(slots=True)
class SavedData:
    """``extents`` stay where they are; ``moved`` have to be stored anew, because another file has
    the blocks too, or because the bytes beyond the end of the file are not zero; ``left`` are not
    wanted any more: damaged, or small enough for the inode. ``is_lost``: what there is is no longer
    a symbolic link, or no attributes.
    """

    extents: list[Extent] = field(default_factory=list)
    moved: list[Extent] = field(default_factory=list)
    left: list[Extent] = field(default_factory=list)
    is_lost: bool = False


def save_data(walker: TreeWalker, inode: Inode, data: SavedData, kept: ExtentSet) -> Iterator[str]:
    """Fill ``data`` and make ``inode`` fit it; what is lost, in words."""
    if inode.extent_root:
        yield from save_extents(walker, inode, data, kept)
    found = data.extents or data.moved
    if found:
        inode.inline = b""
        if inode.size <= INLINE_SIZE_MAX:
            become_inline(walker.device, inode, data, kept)
    elif inode.inline and inode.size != len(inode.inline):
        yield f"its size, {inode.size}, is now that of its data, {len(inode.inline)}"
        inode.size = len(inode.inline)
    if inode.holds_attributes:
        data.is_lost = not holds_attributes(walker.device, inode, data)
        inode.nlink, inode.attributes_inode = 1, 0
    elif inode.is_symlink:
        data.is_lost = not is_target(inode, data)


def save_extents(
    walker: TreeWalker, inode: Inode, data: SavedData, kept: ExtentSet
) -> Iterator[str]:
    """The extents of an inode whose data can be read."""
    walker.damaged.discard(EXTENTS.name)
    owner = (EXTENTS.name, inode.number)
    leaves = walker.leaves(inode.extent_root, EXTENTS, owner, ("inode", 0, "extent_root"))
    if EXTENTS.name in walker.damaged:
        yield "a part of its extent tree cannot be read: what it held reads as zeros"
    limit = block_count_of(inode.size) * BLOCK_SIZE
    end = 0
    for _, facts in leaves:
        for found in facts.extents.extents:
            extent = found if is_compressed(found) else found._replace(flags=0)
            offset, block, length = extent[:3]
            where = f"{length} bytes at offset {offset}"
            if not fits(extent, end, limit) or block + extent.stored_blocks > walker.total:
                yield f"{where}: their extent makes no sense"
                continue
            stored = read_extent(walker.device, extent)
            if stored is None:
                yield f"{where} are damaged, and read as zeros"
                data.left.append(extent)
                continue
            end = offset + length
            keep_extent(walker, extent, stored, inode.size - offset, data, kept)


def keep_extent(
    walker: TreeWalker,
    extent: Extent,
    stored: Buffer,
    tail: int,
    data: SavedData,
    kept: ExtentSet,
) -> None:
    """Note an extent that can be read; ``tail`` is how many bytes the file has from there on."""
    start, count = extent.disk_block, extent.stored_blocks
    sound = extent._replace(
        refcount=1, generation=min(extent.generation, walker.generation & 0xFFFFFFFF)
    )
    is_padded = tail >= extent.length or memoryview(stored)[tail:] == bytes(extent.length - tail)
    if kept.meets(start, start + count) or not is_padded:
        data.moved.append(sound)
    else:
        kept.add(start, start + count)
        data.extents.append(sound)


def fits(extent: Extent, end: int, limit: int) -> bool:
    """Whether an extent may follow one that ends at ``end`` in a file of ``limit`` bytes."""
    offset, length = extent.file_offset, extent.length
    return (
        offset % BLOCK_SIZE == 0
        and offset % CHUNK_SIZE + length <= CHUNK_SIZE
        and end <= offset
        and offset + length <= limit
    )


def read_extent(device: BlockDevice, extent: Extent) -> Buffer | None:
    """The data of an extent if its blocks have its CRC."""

    def accept(buffer: Buffer) -> bool:
        return crc32(buffer) == extent.crc32

    try:
        stored = device.read(extent.disk_block, extent.stored_blocks, accept)
        if not accept(stored):
            return None
        if extent.flags:
            return decompressed(stored, extent.length, extent.disk_block)
    except OSError:
        return None
    return stored


def become_inline(device: BlockDevice, inode: Inode, data: SavedData, kept: ExtentSet) -> None:
    """So small a file lives in its inode."""
    for extent in [*data.extents, *data.moved]:
        stored = read_extent(device, extent)
        if extent.file_offset == 0 and stored is not None:
            inode.inline = bytes(stored[: inode.size])
    for extent in data.extents:
        kept.remove(extent.disk_block, extent.disk_block + extent.stored_blocks)
    data.left += data.extents + data.moved
    data.extents.clear()
    data.moved.clear()


def is_target(inode: Inode, data: SavedData) -> bool:
    """Whether a symbolic link still has its target."""
    if not 1 <= inode.size < PATH_MAX:
        return False
    if inode.size <= INLINE_SIZE_MAX:
        return len(inode.inline) == inode.size
    found = [*data.extents, *data.moved]
    return [(e.file_offset, e.length) for e in found] == [(0, BLOCK_SIZE)]


def holds_attributes(device: BlockDevice, inode: Inode, data: SavedData) -> bool:
    """Whether what is left of a holder can be read as attributes."""
    if not inode.is_file or not 0 < inode.size <= ATTRIBUTES_MAX:
        return False
    raw = inode.inline
    for extent in sorted([*data.extents, *data.moved], key=lambda e: e.file_offset):
        stored = read_extent(device, extent)
        if stored is None or extent.file_offset != len(raw):
            return False
        raw += bytes(stored)
    try:
        return len(raw) >= inode.size and bool(decode(raw[: inode.size], inode.number))
    except DamageError:
        return False
