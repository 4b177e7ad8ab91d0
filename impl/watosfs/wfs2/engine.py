"""The state of a mounted WFS v2 volume, and its write-back in four ordered steps.

A file is never changed in place: its new bytes get blocks of their own, and its entry, which lies
in one sector, then leads there. So a power cut leaves each file as it was or as it is. Steps, with
a flush behind each: (1) new data, and the bitmap with old and new blocks set; (2) entries that are
new or changed; (3) entries that go; (4) the bitmap without what became free, and the superblocks.
"""

import errno
import heapq
from collections.abc import Callable
from typing import Final
from zlib import crc32

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs2.format import (
    BITMAP_BLOCK,
    BITS_IN_BLOCK,
    BLOCK_SIZE,
    EMPTY_ENTRY,
    ENTRIES_IN_BLOCK,
    FLAG_DIRECTORY,
    PAYLOAD_SIZE,
    PIECE_BLOCKS,
    Superblock,
    blocks_for,
    decode_data,
    encode_bitmap_block,
    encode_data,
    encode_entry,
    encode_superblock,
)
from watosfs.wfs2.loading import Loaded
from watosfs.wfs2.node import Node

#: Bytes of changed files that wait in memory before they are written by themselves.
DIRTY_BYTES_MAX: Final = 64 << 20


class Engine:
    """One mounted volume. ``read_only_reason`` says why nothing can be changed, or is empty."""

    def __init__(self, device: BlockDevice, read_only: bool, clock: Callable[[], int]) -> None:
        self.device = device
        self.clock = clock
        loaded = Loaded(device)
        self.layout, self.space, self.root = loaded.layout, loaded.space, loaded.root
        self.nodes, self.owners = loaded.nodes, loaded.owners
        self.durable = loaded.raw
        self.damage = loaded.damage
        self.read_only_reason = "mounted read-only" if read_only else ""
        if self.damage and not read_only:
            self.read_only_reason = f"the volume is damaged ({self.damage}); check --repair"
        self.free_slots = [
            slot
            for slot, raw in enumerate(self.durable)
            if not raw[0] and self.layout.is_usable_slot(slot)
        ]
        self.next_number = len(self.nodes) + 1
        self.modified_ns = loaded.modified_ns
        self.changed: set[int] = set()
        self.pending: list[tuple[int, int]] = []
        self.waiting: dict[Node, None] = {}
        self.waiting_bytes = 0
        self.bitmap_changed: set[int] = set()
        self.has_moved = False
        self.has_failed = False
        self.is_mounted = True
        if not self.read_only_reason:
            for slot in loaded.leftovers:
                self._leave(slot)

    def _leave(self, slot: int) -> None:
        """A slot that a power cut left behind goes with the next write-back."""
        raw = self.durable[slot]
        self.changed.add(slot)
        start, count = int.from_bytes(raw[64:72], "little"), int.from_bytes(raw[72:76], "little")
        if count:
            self.pending.append((start, count))

    # -- what operations ask for

    def node(self, number: int) -> Node:
        """The node of a number. ESTALE when it is gone."""
        if number not in self.nodes:
            raise failure(errno.ESTALE)
        return self.nodes[number]

    def require_mounted(self) -> None:
        """EBADF once unmounted."""
        if not self.is_mounted:
            raise failure(errno.EBADF, reason="the volume is unmounted")

    def require_change(self) -> None:
        """EROFS unless the volume may be changed, EIO after a write that failed."""
        self.require_mounted()
        if self.has_failed:
            raise failure(errno.EIO, reason="an earlier write failed")
        if self.read_only_reason:
            raise failure(errno.EROFS, reason=self.read_only_reason)

    def take_slot(self) -> int:
        """A free place in the table. ENOSPC when it is full."""
        if not self.free_slots:
            self.write_back()
        if not self.free_slots:
            raise failure(errno.ENOSPC, reason="the file table is full")
        return heapq.heappop(self.free_slots)

    def give_slot(self, slot: int) -> None:
        """Give a slot back that was not used."""
        heapq.heappush(self.free_slots, slot)

    def take_blocks(self, count: int) -> int:
        """Blocks together. ENOSPC when there are none, also after a write-back."""
        if count > self.layout.total_blocks:
            raise failure(errno.ENOSPC)
        start = self.space.take(count)
        if start is None and (self.pending or self.waiting):
            self.write_back()
            start = self.space.take(count)
        if start is None:
            raise failure(errno.ENOSPC, reason=f"no {count} free blocks together")
        return start

    def touch(self, node: Node) -> None:
        """The entry of a node is to be written."""
        self.modified_ns = max(self.modified_ns + 1, self.clock())
        node.modified_ns = self.modified_ns
        if node.slot is not None:
            self.changed.add(node.slot)

    def read(self, node: Node, offset: int, count: int) -> bytes:
        """Bytes of a file, each block verified; all of it also against the file's CRC."""
        count = min(count, node.size - offset)
        if count <= 0:
            return b""
        if node.data is not None:
            return bytes(node.data[offset : offset + count])
        first, last = offset // PAYLOAD_SIZE, (offset + count - 1) // PAYLOAD_SIZE
        start, end = node.extent[0] + first, node.extent[0] + last + 1
        found = bytearray()
        for at in range(start, end, PIECE_BLOCKS):
            piece = self.device.read(at, min(PIECE_BLOCKS, end - at))
            found += decode_data(piece, at)
        skip = offset - first * PAYLOAD_SIZE
        data = bytes(memoryview(found)[skip : skip + count])
        if count == node.size and crc32(data) != node.data_crc:
            raise DamageError("data", start, "data_crc32")
        return data

    def load(self, node: Node, size: int) -> bytearray:
        """All of a file, to be changed; blocks for ``size`` bytes are reserved. ENOSPC, EUCLEAN."""
        count = blocks_for(size)
        if node.reserved is None or node.reserved[1] != count:
            start = self.take_blocks(count)
            # A write-back on the way may have taken what was reserved before.
            self._drop_reserved(node)
            node.reserved = (start, count)
        if node.data is None:
            try:
                node.data = bytearray(self.read(node, 0, node.size))
            except OSError:
                self._drop_reserved(node)
                raise
            self.waiting_bytes += node.size
        self.waiting[node] = None
        return node.data

    def _drop_reserved(self, node: Node) -> None:
        if node.reserved is not None:
            self.space.give(*node.reserved)
            node.reserved = None

    def resized(self, node: Node) -> None:
        """The bytes of a node changed."""
        assert node.data is not None
        self.waiting_bytes += len(node.data) - node.size
        node.size = len(node.data)
        self.touch(node)
        if self.waiting_bytes > DIRTY_BYTES_MAX:
            self.write_back()

    def forget(self, node: Node) -> None:
        """A node without a name that nobody has open: its blocks are free after a write-back."""
        self.nodes.pop(node.number, None)
        if node.data is not None:
            self.waiting_bytes -= len(node.data)
            node.data = None
        self.waiting.pop(node, None)
        self._drop_reserved(node)
        if node.extent[1]:
            self.pending.append(node.extent)
            node.extent = (0, 0)

    # -- write-back

    def sync(self) -> None:
        """Make everything so far durable. EIO: what reached the disk is not known."""
        self.require_mounted()
        if self.has_failed:
            raise failure(errno.EIO, reason="an earlier write failed")
        if not self.read_only_reason:
            self.write_back()

    def write_back(self) -> None:
        """The four steps; nothing when nothing changed."""
        if not (self.changed or self.waiting or self.pending):
            return
        try:
            self._write_back()
        except OSError:
            self.has_failed = True
            raise

    def _write_back(self) -> None:
        self._write_data()
        self.device.flush()
        wanted = {slot: self._entry_of(slot) for slot in self.changed}
        self._write_entries({slot: raw for slot, raw in wanted.items() if raw[0]})
        self._write_entries({slot: raw for slot, raw in wanted.items() if not raw[0]})
        for slot, raw in wanted.items():
            if not raw[0]:
                heapq.heappush(self.free_slots, slot)
        self.changed.clear()
        self.has_moved = False
        for start, count in self.pending:
            self.space.give(start, count)
            self._note(start, count)
        self.pending.clear()
        self._write_bitmap()
        raw = encode_superblock(self.superblock())
        for block in self.layout.superblocks:
            self.device.write(block, raw)
        self.device.flush()

    def superblock(self) -> Superblock:
        """The superblock of what the table on disk says."""
        files = sum(1 for raw in self.durable if raw[0])
        layout = self.layout
        return Superblock(layout.total_blocks, self.space.free_count, layout.max_files, files)

    def _entry_of(self, slot: int) -> bytes:
        node = self.owners.get(slot)
        if node is None:
            return EMPTY_ENTRY
        entry = node.entry()
        if node.is_directory:
            entry = entry._replace(flags=entry.flags | FLAG_DIRECTORY)
        return encode_entry(entry)

    def _write_data(self) -> None:
        for node in list(self.waiting):
            assert node.data is not None
            assert node.reserved is not None
            assert node.reserved[1] == blocks_for(len(node.data)), (node.reserved, node.size)
            raw = encode_data(node.data)
            self.device.write(node.reserved[0], raw)
            if node.extent[1]:
                self.pending.append(node.extent)
            node.extent, node.reserved = node.reserved, None
            node.data_crc = crc32(node.data)
            self._note(*node.extent)
            node.data = None
        self.waiting.clear()
        self.waiting_bytes = 0
        self._write_bitmap()

    def _note(self, start: int, count: int) -> None:
        first, last = start // BITS_IN_BLOCK, (start + count - 1) // BITS_IN_BLOCK
        self.bitmap_changed.update(range(first, last + 1))

    def _write_bitmap(self) -> None:
        runs = self.space.runs
        for index in sorted(self.bitmap_changed):
            self.device.write(BITMAP_BLOCK + index, encode_bitmap_block(self.layout, index, runs))
        self.bitmap_changed.clear()

    def _write_entries(self, wanted: dict[int, bytes]) -> None:
        for block in sorted({slot // ENTRIES_IN_BLOCK for slot in wanted}):
            first = block * ENTRIES_IN_BLOCK
            for slot in range(first, min(first + ENTRIES_IN_BLOCK, len(self.durable))):
                self.durable[slot] = wanted.get(slot, self.durable[slot])
            raw = b"".join(self.durable[first : first + ENTRIES_IN_BLOCK])
            self.device.write(self.layout.table_block + block, raw.ljust(BLOCK_SIZE, b"\0"))
        if wanted:
            self.device.flush()

    def unmount(self) -> None:
        """Write back; idempotent."""
        if self.is_mounted:
            try:
                if not self.has_failed:
                    self.sync()
            finally:
                self.is_mounted = False
