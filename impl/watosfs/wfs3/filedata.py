"""Changing file data: inline bytes, dirty chunks, extents of at most 64 KiB with a CRC each.

Small writes gather in dirty chunks, which are written out (copy-on-write, in as few extents as
free space allows) at commit or under pressure; writes of whole chunks go to fresh blocks at once.
A file of at most 160 bytes lives in its inode, and only such a file does.
"""

from zlib import crc32

from watosfs.block.device import Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.chunks import Chunk, block_mask
from watosfs.wfs3.compressing import level_of, store_compressed
from watosfs.wfs3.filereading import FileReader
from watosfs.wfs3.format import (
    BLOCK_SIZE,
    CHUNK_BLOCKS,
    CHUNK_SIZE,
    INLINE_SIZE_MAX,
    block_count_of,
)
from watosfs.wfs3.records import Extent, Inode


class FileData(FileReader):
    """Changes the data of inodes. Callers have admitted the space and made the inode dirty."""

    __slots__ = ()

    def cost_of_write(self, inode: Inode, offset: int, length: int) -> int:
        """Upper bound on the blocks that writing these bytes adds to what a commit must
        allocate.
        """
        end = offset + length
        if self.fits_inline(inode, end):
            return 0
        chunks = self.dirty.get(inode.number, {})
        height = self.engine.tree(inode).height
        first, last = offset // CHUNK_SIZE, (end - 1) // CHUNK_SIZE
        cost = (last - first + 1) * self.nodes_per_chunk(height)
        for index in (first,) if first == last else (first, last):
            low, high = (
                max(offset - index * CHUNK_SIZE, 0),
                min(end - index * CHUNK_SIZE, CHUNK_SIZE),
            )
            chunk = chunks.get(index)
            had = chunk.mask if chunk else self.mask_on_disk(inode, index)
            if index == 0 and inode.inline:
                had |= 1
            cost += (had | block_mask(low, high)).bit_count()
        if inode.inline and first:
            cost += 1 + self.nodes_per_chunk(height)
        return cost + max(last - first - 1, 0) * CHUNK_BLOCKS

    def cost_of_truncate(self, inode: Inode, size: int) -> int:
        """The same for setting the size."""
        height = self.engine.tree(inode).height
        if size > inode.size:
            grows_out = bool(inode.inline) and size > INLINE_SIZE_MAX
            return 1 + self.nodes_per_chunk(height) if grows_out else 0
        return CHUNK_BLOCKS + 2 * self.nodes_per_chunk(height)

    def cost_of_new(self, length: int) -> int:
        """The same for data of at most a chunk that replaces all that an inode has."""
        if length <= INLINE_SIZE_MAX:
            return 0
        return block_count_of(length) + self.nodes_per_chunk(1)

    def nodes_per_chunk(self, height: int) -> int:
        """Extent-tree nodes that writing out one chunk may make dirty."""
        return 3 * (height + 1)

    def fits_inline(self, inode: Inode, end: int) -> bool:
        """Whether the file, once it reaches ``end``, is kept in the inode."""
        return max(end, inode.size) <= INLINE_SIZE_MAX

    def write(self, inode: Inode, offset: int, data: Buffer) -> None:
        """Put non-empty ``data`` at ``offset``; ``inode.size`` grows as needed."""
        end = offset + len(data)
        if self.fits_inline(inode, end):
            old = inode.inline.ljust(inode.size, b"\0").ljust(offset, b"\0")
            inode.inline = old[:offset] + bytes(data) + old[end:]
            inode.size = max(inode.size, end)
            return
        self.leave_inline(inode)
        view = memoryview(data)
        at = offset
        while at < end:
            index, start = divmod(at, CHUNK_SIZE)
            if start == 0 and end - at >= CHUNK_SIZE:
                whole = (end - at) // CHUNK_SIZE * CHUNK_SIZE
                self.write_chunks(inode, at, view[at - offset : at - offset + whole])
                at += whole
                continue
            take = min(CHUNK_SIZE - start, end - at)
            chunk = self.dirty_chunk(inode, index)
            chunk.put(start, view[at - offset : at - offset + take])
            self.charge(inode, chunk)
            at += take
        inode.size = max(inode.size, end)

    def read_before_write(self, inode: Inode, offset: int, length: int) -> None:
        """Bring the chunks that a write changes in part into memory: what cannot be read fails
        here, harmlessly.
        """
        end = offset + length
        if inode.inline or self.fits_inline(inode, end):
            return
        for index in {offset // CHUNK_SIZE, (end - 1) // CHUNK_SIZE}:
            if offset > index * CHUNK_SIZE or end < (index + 1) * CHUNK_SIZE:
                self.dirty_chunk(inode, index)

    def read_before_truncate(self, inode: Inode, size: int) -> None:
        """The same for a truncation."""
        if size < inode.size:
            if size <= INLINE_SIZE_MAX:
                self.read(inode, 0, size)
            elif self.cuts_into_chunk(inode, size):
                self.dirty_chunk(inode, size // CHUNK_SIZE)

    def cuts_into_chunk(self, inode: Inode, size: int) -> bool:
        """Whether cutting the file at ``size`` takes data from the middle of a chunk."""
        index, inside = divmod(size, CHUNK_SIZE)
        return inside > 0 and self.mask_of(inode, index) >> inside // BLOCK_SIZE != 0

    def write_chunks(self, inode: Inode, offset: int, view: memoryview) -> None:
        """Whole chunks go to fresh blocks at once."""
        for index in range(offset // CHUNK_SIZE, (offset + len(view)) // CHUNK_SIZE):
            self.forget_chunk(inode, index)
        self.store_blocks(inode, offset, view)

    def dirty_chunk(self, inode: Inode, index: int) -> Chunk:
        """The chunk in memory, read from its extents the first time."""
        chunks = self.dirty.setdefault(inode.number, {})
        chunk = chunks.get(index)
        if chunk is None:
            chunk = Chunk()
            base = index * CHUNK_SIZE
            for key, extent in self.engine.tree(inode).items(base, base + CHUNK_SIZE - 1):
                chunk.put(key - base, self.load_extent(key, extent))
            chunks[index] = chunk
            self.charge(inode, chunk)
        return chunk

    def charge(self, inode: Inode, chunk: Chunk) -> None:
        """Account what the chunk owes now, in place of what it owed before."""
        blocks = chunk.mask.bit_count() + self.nodes_per_chunk(self.engine.tree(inode).height)
        self.owed += blocks - chunk.charged_blocks
        self.dirty_bytes += len(chunk.data) - chunk.charged_bytes
        chunk.charged_blocks, chunk.charged_bytes = blocks, len(chunk.data)

    def discharge(self, chunk: Chunk) -> None:
        """The chunk is no longer dirty."""
        self.owed -= chunk.charged_blocks
        self.dirty_bytes -= chunk.charged_bytes

    def forget_chunk(self, inode: Inode, index: int) -> None:
        """Drop a dirty chunk without writing it."""
        chunks = self.dirty.get(inode.number)
        if chunks and index in chunks:
            self.discharge(chunks.pop(index))
            if not chunks:
                del self.dirty[inode.number]

    def leave_inline(self, inode: Inode) -> None:
        """Move inline data to chunk 0."""
        if inode.inline:
            data = inode.inline
            inode.inline = b""
            chunk = self.dirty_chunk(inode, 0)
            chunk.put(0, data)
            self.charge(inode, chunk)

    def truncate(self, inode: Inode, size: int) -> None:
        """Set the size; what is cut is gone for good, what is added reads as zeros."""
        old = inode.size
        if size <= INLINE_SIZE_MAX:
            kept = self.read(inode, 0, size)
            self.drop_all(inode)
            inode.inline = kept.ljust(size, b"\0")
        elif size > old:
            self.leave_inline(inode)
        elif size < old:
            self.cut(inode, size)
        inode.size = size

    def cut(self, inode: Inode, size: int) -> None:
        """Give up all data from ``size`` on; the rest of its block becomes zeros."""
        index, inside = divmod(size, CHUNK_SIZE)
        if self.cuts_into_chunk(inode, size):
            chunk = self.dirty_chunk(inode, index)
            chunk.cut(inside)
            self.charge(inode, chunk)
        beyond = index + 1 if inside else index
        for other in [i for i in self.dirty.get(inode.number, ()) if i >= beyond]:
            self.forget_chunk(inode, other)
        self.remove_extents(inode, beyond * CHUNK_SIZE, None)

    def drop_all(self, inode: Inode) -> None:
        """Give up all data of the inode."""
        inode.inline = b""
        for index in list(self.dirty.get(inode.number, ())):
            self.forget_chunk(inode, index)
        engine = self.engine
        if engine.tree(inode).root != 0:
            tree = engine.changing_tree(inode)
            for key, extent in tree.items():
                self.validate(key, extent)
                engine.store.drop(extent.generation, extent.disk_block, extent.stored_blocks)
            tree.clear()
            inode.blocks = 0

    # -- extents

    def write_out(self, inode: Inode) -> None:
        """Store the inode's dirty chunks in fresh extents."""
        for index, chunk in sorted(self.dirty.pop(inode.number, {}).items()):
            self.discharge(chunk)
            base = index * CHUNK_SIZE
            self.remove_extents(inode, base, base + CHUNK_SIZE)
            view = memoryview(chunk.data)
            for block, count in chunk.runs():
                start = block * BLOCK_SIZE
                self.add_extents(inode, base + start, view[start : start + count * BLOCK_SIZE])

    def store_blocks(self, inode: Inode, offset: int, view: memoryview) -> None:
        """Replace the whole blocks from ``offset`` on."""
        self.remove_extents(inode, offset, offset + len(view))
        self.add_extents(inode, offset, view)

    def add_extents(self, inode: Inode, offset: int, view: memoryview) -> None:
        """Write whole blocks to fresh places, as they are or compressed."""
        if not level_of(inode):
            self.add_plain(inode, offset, view)
            return
        at = 0
        while at < len(view):
            length = min(CHUNK_SIZE - (offset + at) % CHUNK_SIZE, len(view) - at)
            piece = view[at : at + length]
            if not store_compressed(self.engine, inode, offset + at, piece):
                self.add_plain(inode, offset + at, piece)
            at += length

    def add_plain(self, inode: Inode, offset: int, view: memoryview) -> None:
        """The same, as they are; one extent for each chunk and contiguous run."""
        engine = self.engine
        tree = engine.changing_tree(inode)
        generation = engine.store.generation & 0xFFFFFFFF
        done = 0
        for start, count in engine.space.alloc_runs(len(view) // BLOCK_SIZE):
            size = count * BLOCK_SIZE
            engine.device.write(start, view[done : done + size])
            at = 0
            while at < size:
                key = offset + done + at
                length = min(CHUNK_SIZE - key % CHUNK_SIZE, size - at)
                check = crc32(view[done + at : done + at + length])
                block = start + at // BLOCK_SIZE
                tree.insert(key, Extent(key, block, length, 0, 1, check, generation))
                at += length
            done += size
        inode.blocks += len(view) // BLOCK_SIZE

    def remove_extents(self, inode: Inode, first: int, end: int | None) -> None:
        """Give up the extents that start in [first, end)."""
        engine = self.engine
        if engine.tree(inode).root == 0:
            return
        tree = engine.changing_tree(inode)
        while True:
            path = tree.lower_bound(first)
            if not path:
                return
            leaf, i = path[-1]
            key, extent = leaf.keys[i], leaf.values[i]
            if end is not None and key >= end:
                return
            self.validate(key, extent)
            blocks = extent.stored_blocks
            if blocks > inode.blocks:
                raise DamageError("inode", 0, f"inode {inode.number}: more blocks than it counts")
            tree.delete(path)
            engine.store.drop(extent.generation, extent.disk_block, blocks)
            inode.blocks -= blocks

    def forget_everything(self) -> None:
        """Abort: no chunk is dirty any more."""
        self.dirty.clear()
        self.owed = 0
        self.dirty_bytes = 0
