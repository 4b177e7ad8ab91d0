"""Reading file data: inline bytes, extents checked against their CRC, dirty chunks, holes.

No extent crosses a border of the 64 KiB chunks that a file is cut into, so whatever covers an
offset starts in its chunk.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from zlib import crc32

from watosfs.block.device import Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.chunks import Chunk, block_mask, chunk_runs
from watosfs.wfs3.compression import decompressed, is_compressed
from watosfs.wfs3.format import BLOCK_SIZE, CHUNK_SIZE, FIRST_USABLE_BLOCK
from watosfs.wfs3.node import AREA_SIZE, HEADER_SIZE
from watosfs.wfs3.records import Extent, Inode

if TYPE_CHECKING:
    from watosfs.wfs3.engine import Engine

#: At most 2 MiB.
_RECENT_EXTENTS_MAX = 32


class FileReader:
    """Reads the data of inodes; ``dirty`` holds the chunks by inode number and chunk index."""

    __slots__ = ("dirty", "dirty_bytes", "engine", "owed", "recent")

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self.dirty: dict[int, dict[int, Chunk]] = {}
        #: Blocks that writing out the dirty chunks may take, extent trees included.
        self.owed = 0
        self.dirty_bytes = 0
        #: Extents that were verified for a read of a part, by (block, length, CRC).
        self.recent: dict[tuple[int, int, int], bytes] = {}

    def read(self, inode: Inode, offset: int, count: int) -> bytes:
        """At most ``count`` bytes from ``offset``; holes read as zeros. Raises DamageError on a
        bad CRC.
        """
        size = inode.size
        end = min(offset + count, size)
        if offset >= end:
            return b""
        if inode.inline:
            return inode.inline[offset:end].ljust(end - offset, b"\0")
        parts: list[Buffer] = []
        at = offset
        for start, piece in self.pieces(inode, offset, end):
            if start < at:
                raise DamageError("extent", inode.extent_root, f"two extents hold offset {start}")
            if start > at:
                parts.append(bytes(start - at))
            parts.append(piece)
            at = start + len(piece)
        if at < end:
            parts.append(bytes(end - at))
        if len(parts) == 1:
            return bytes(parts[0])
        return b"".join(parts)

    def pieces(self, inode: Inode, first: int, end: int) -> Iterator[tuple[int, Buffer]]:
        """(file offset, bytes) of all existing data within [first, end), ascending."""
        chunks = self.dirty.get(inode.number)
        tree = self.engine.tree(inode)
        if not chunks:
            low = (
                max(first - CHUNK_SIZE, 0)
                if self.engine.is_published
                else first - first % CHUNK_SIZE
            )
            for key, extent in tree.items(low, end - 1):
                if key + extent.length > first:
                    low, high = max(first - key, 0), min(end - key, extent.length)
                    is_part = high - low < extent.length
                    data = (self.recent_extent if is_part else self.load_extent)(key, extent)
                    yield key + low, memoryview(data)[low:high]
            return
        for index in range(first // CHUNK_SIZE, -(-end // CHUNK_SIZE)):
            base = index * CHUNK_SIZE
            chunk = chunks.get(index)
            if chunk is None:
                for key, extent in tree.items(base, min(base + CHUNK_SIZE, end) - 1):
                    low, high = max(first - key, 0), min(end - key, extent.length)
                    if low < high:
                        data = self.load_extent(key, extent)
                        yield key + low, memoryview(data)[low:high]
                continue
            for block, count in chunk.runs():
                start = base + block * BLOCK_SIZE
                low, high = max(first - start, 0), min(end - start, count * BLOCK_SIZE)
                if low < high:
                    at = start - base
                    yield start + low, bytes(memoryview(chunk.data)[at + low : at + high])

    def load_extent(self, key: int, extent: Extent) -> Buffer:
        """The extent's blocks, checked against its CRC. Raises DamageError."""
        engine = self.engine
        if engine.is_published:
            return self.published_data(extent)
        block, length = extent.disk_block, extent.length
        self.validate(key, extent)
        data = engine.device.read(block, extent.stored_blocks, partial(_crc_is, extent.crc32))
        if crc32(data) != extent.crc32:
            raise DamageError(
                "file data", block, f"crc32 of {length} bytes at offset {key} differs"
            )
        return decompressed(data, length, block) if extent.flags else data

    def published_data(self, extent: Extent) -> Buffer:
        """The data of an extent as the published core stores it: behind a node header in each
        block.
        """
        engine, block, length = self.engine, extent.disk_block, extent.length
        if (
            not 0 < length <= AREA_SIZE
            or not FIRST_USABLE_BLOCK <= block < engine.store.total_blocks
        ):
            raise DamageError("extent", block, f"length {length} in the published layout")
        return memoryview(engine.device.read(block))[HEADER_SIZE : HEADER_SIZE + length]

    def recent_extent(self, key: int, extent: Extent) -> Buffer:
        """The same, remembered: small reads come back to an extent, and its blocks are never
        overwritten in place (other contents have another CRC).
        """
        name = extent.disk_block, extent.length, extent.crc32
        data = self.recent.get(name)
        if data is None:
            data = bytes(self.load_extent(key, extent))
            if len(self.recent) >= _RECENT_EXTENTS_MAX:
                del self.recent[next(iter(self.recent))]
            self.recent[name] = data
        return data

    def validate(self, key: int, extent: Extent) -> None:
        """Raise DamageError unless the extent is one that the format allows."""
        block, length, stored = extent.disk_block, extent.length, extent.stored_blocks
        if (
            key != extent.file_offset
            or key % BLOCK_SIZE
            or length % BLOCK_SIZE
            or not 0 < length <= CHUNK_SIZE - key % CHUNK_SIZE
            or block < FIRST_USABLE_BLOCK
            or block + stored > self.engine.store.total_blocks
            or (extent.flags and not is_compressed(extent))
        ):
            raise DamageError("extent", block, f"offset {key} length {length} block {block}")

    def seek(self, inode: Inode, offset: int, *, data: bool) -> int | None:
        """The first offset from ``offset`` on that is data (or a hole); None when there is no
        data.
        """
        if inode.inline:
            return offset if data else inode.size
        at = offset
        for start, length in self.present(inode, offset):
            if start + length <= at:
                continue
            if data:
                return min(max(at, start), inode.size) if start < inode.size else None
            if start > at:
                break
            at = start + length
        return None if data else min(at, inode.size)

    def present(self, inode: Inode, offset: int) -> Iterator[tuple[int, int]]:
        """(file offset, length) of existing runs from the chunk of ``offset`` on, ascending."""
        chunks = self.dirty.get(inode.number, {})
        waiting = sorted(index for index in chunks if index >= offset // CHUNK_SIZE)
        for key, extent in self.engine.tree(inode).items(offset - offset % CHUNK_SIZE):
            index = key // CHUNK_SIZE
            while waiting and waiting[0] < index:
                yield from chunk_runs(waiting[0], chunks[waiting.pop(0)])
            if index not in chunks:
                if not self.engine.is_published:
                    self.validate(key, extent)
                yield key, extent.length
        for index in waiting:
            yield from chunk_runs(index, chunks[index])

    def mask_on_disk(self, inode: Inode, index: int) -> int:
        """Which blocks of a chunk have stored data."""
        base = index * CHUNK_SIZE
        mask = 0
        for key, extent in self.engine.tree(inode).items(base, base + CHUNK_SIZE - 1):
            self.validate(key, extent)
            mask |= block_mask(key - base, key - base + extent.length)
        return mask

    def mask_of(self, inode: Inode, index: int) -> int:
        """Which blocks of a chunk exist, in memory or on disk."""
        chunk = self.dirty.get(inode.number, {}).get(index)
        return chunk.mask if chunk is not None else self.mask_on_disk(inode, index)


def _crc_is(expected: int, data: Buffer) -> bool:
    return crc32(data) == expected


def tree_extents(tree: BTree) -> int:
    """How many extents a file has."""
    root = tree.root_node()
    if root is None:
        return 0
    return len(root.keys) if root.level == 0 else sum(1 for _ in tree.items())
