"""WFS v2 on disk: superblock, layout, boundary blocks and file table entries (FORMAT section 12).

Pure: bytes in, values out. What is read is checked against its bounds here, before anybody uses
it; whatever is wrong is a ``DamageError`` (EUCLEAN).
"""
# Size: one page of FORMAT, every structure with its bounds beside it.

import struct
import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from watosfs.block.device import Buffer
from watosfs.errors import DamageError

BLOCK_SIZE: Final = 4096
BLOCK_COUNT_MIN: Final = 256
BLOCK_COUNT_MAX: Final = 1 << 40
FILES_MIN: Final = 256
FILES_MAX: Final = 65536
FILES_DEFAULT: Final = 4096
#: Bytes of a file in one block; a CRC takes the other four.
PAYLOAD_SIZE: Final = 4092
#: Blocks of file data read at once.
PIECE_BLOCKS: Final = 256
NAME_MAX: Final = 55
FLAG_EXECUTABLE, FLAG_READ_ONLY, FLAG_SYSTEM, FLAG_HIDDEN, FLAG_DIRECTORY = 1, 2, 4, 8, 0x10

MAGIC: Final = 0x57465332
VERSION: Final = 2
SIGNATURE: Final = b"WATOS FileSystem - Chris Watkins <chris@watkinslabs.com>".ljust(64, b"\0")
BITMAP_BLOCK: Final = 2
BITS_IN_BLOCK: Final = BLOCK_SIZE * 8

_SUPERBLOCK: Final = struct.Struct("<IHH64sIIQQQQQIIII")
_SUPERBLOCK_CRC_AT: Final = 248
_BOUNDARY: Final = struct.Struct("<QIIQQ")
BOUNDARY_MAGIC: Final = 0x00574653424E4459
_ENTRY: Final = struct.Struct("<56sQQIHHQQII")
ENTRY_SIZE: Final = 128
_ENTRY_CRC_AT: Final = 96
ENTRIES_IN_BLOCK: Final = BLOCK_SIZE // ENTRY_SIZE
EMPTY_ENTRY: Final = bytes(ENTRY_SIZE)
_CRC: Final = struct.Struct("<I")
assert _SUPERBLOCK.size == 136
assert _ENTRY.size == 104


class Superblock(NamedTuple):
    """The fields that are not constants."""

    total_blocks: int
    free_blocks: int
    max_files: int
    root_files: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is, from the count of blocks and the size of the table alone."""

    total_blocks: int
    max_files: int

    @property
    def bitmap_blocks(self) -> int:
        return -(-self.total_blocks // BITS_IN_BLOCK)

    @property
    def table_block(self) -> int:
        return BITMAP_BLOCK + self.bitmap_blocks + 1

    @property
    def table_blocks(self) -> int:
        return -(-self.max_files // ENTRIES_IN_BLOCK)

    @property
    def data_start(self) -> int:
        return self.table_block + self.table_blocks + 1

    @property
    def mid(self) -> int:
        return self.total_blocks // 2

    @property
    def last(self) -> int:
        return self.total_blocks - 1

    @property
    def data_end(self) -> int:
        """The first block behind the data. The published mkfs leaves the one before unused."""
        return self.last - 1

    @property
    def superblocks(self) -> tuple[int, int, int]:
        return 0, self.mid, self.last

    @property
    def is_sound(self) -> bool:
        """Whether the copies in the middle are clear of the table."""
        return self.data_start < self.mid - 1

    def data_runs(self) -> list[tuple[int, int]]:
        """(first, end) of the blocks that files may take."""
        runs = [
            (self.data_start, min(self.mid - 1, self.data_end)),
            (max(self.mid + 2, self.data_start), self.data_end),
        ]
        return [(start, end) for start, end in runs if start < end]

    def is_usable_slot(self, index: int) -> bool:
        """Whether a table entry's block is not one of the three in the middle."""
        block = self.table_block + index // ENTRIES_IN_BLOCK
        return not self.mid - 1 <= block <= self.mid + 1

    def boundaries(self) -> dict[int, bytes]:
        """The six boundary blocks, as they must be."""
        table_start, data_start, mid, last = (
            self.table_block,
            self.data_start,
            self.mid,
            self.last,
        )
        facts = (
            (1, 1, 0, BITMAP_BLOCK),
            (table_start - 1, 2, table_start - 2, table_start),
            (data_start - 1, 3, data_start - 2, data_start),
            (mid - 1, 4, mid - 2, mid),
            (mid + 1, 5, mid, mid + 2),
            (last - 1, 4, last - 2, last),
        )
        return {
            block: encode_boundary(kind, i + 1, before, after)
            for i, (block, kind, before, after) in enumerate(facts)
        }


class Entry(NamedTuple):
    """One entry of the file table. ``name`` is the whole path, without a slash in front."""

    name: bytes
    size: int
    start_block: int
    block_count: int
    flags: int
    data_crc: int
    #: When the entry was written, ns since 1970, higher each time; 0 in published images.
    modified_ns: int = 0

    @property
    def is_directory(self) -> bool:
        return bool(self.flags & FLAG_DIRECTORY)


def blocks_for(size: int) -> int:
    """The blocks of a file; an empty one has one too."""
    return max(1, -(-size // PAYLOAD_SIZE))


def decode_superblock(raw: Buffer, block: int, device_blocks: int) -> Superblock:
    """A copy of the superblock that is right by itself. DamageError otherwise."""
    fields = _SUPERBLOCK.unpack_from(raw, 0)
    magic, version, flags, _, block_size, _, total, free = fields[:8]
    data_start, bitmap_block, table_block, bitmap_blocks, table_blocks, max_files, files = fields[
        8:
    ]
    (crc,) = _CRC.unpack_from(raw, _SUPERBLOCK_CRC_AT)
    layout = Layout(total, max_files)
    problem = ""
    if magic != MAGIC:
        problem = "no WFS v2 magic"
    elif crc != zlib.crc32(memoryview(raw)[:_SUPERBLOCK_CRC_AT]):
        problem = "crc32"
    elif version != VERSION or flags or block_size != BLOCK_SIZE:
        problem = f"version {version}, flags {flags}, block_size {block_size}"
    elif not BLOCK_COUNT_MIN <= total <= min(device_blocks, BLOCK_COUNT_MAX):
        problem = f"total_blocks {total} on a device of {device_blocks}"
    elif not FILES_MIN <= max_files <= FILES_MAX:
        problem = f"max_files {max_files}"
    elif (data_start, bitmap_block, table_block, bitmap_blocks, table_blocks) != (
        layout.data_start,
        BITMAP_BLOCK,
        layout.table_block,
        layout.bitmap_blocks,
        layout.table_blocks,
    ):
        problem = "its block numbers do not follow from total_blocks and max_files"
    elif not layout.data_runs():
        problem = "no room for data"
    if problem:
        raise DamageError("superblock", block, problem)
    return Superblock(total, free, max_files, files)


def encode_superblock(superblock: Superblock) -> bytes:
    """A whole block."""
    layout = Layout(superblock.total_blocks, superblock.max_files)
    raw = bytearray(BLOCK_SIZE)
    _SUPERBLOCK.pack_into(
        raw,
        0,
        MAGIC,
        VERSION,
        0,
        SIGNATURE,
        BLOCK_SIZE,
        0,
        superblock.total_blocks,
        superblock.free_blocks,
        layout.data_start,
        BITMAP_BLOCK,
        layout.table_block,
        layout.bitmap_blocks,
        layout.table_blocks,
        superblock.max_files,
        superblock.root_files,
    )
    _CRC.pack_into(raw, _SUPERBLOCK_CRC_AT, zlib.crc32(raw[:_SUPERBLOCK_CRC_AT]))
    return bytes(raw)


def encode_boundary(kind: int, sequence: int, before: int, after: int) -> bytes:
    """A whole boundary block."""
    head = _BOUNDARY.pack(BOUNDARY_MAGIC, kind, sequence, before, after)
    unit = b"\xbd\xbd\xbd\xbd" + _CRC.pack(kind) + b"\xbd" * 56
    return (head + unit * 64)[:BLOCK_SIZE]


def decode_entry(raw: Buffer, layout: Layout, index: int) -> Entry | None:
    """An entry of 128 bytes that is right by itself, or None for a free slot. DamageError."""
    if not raw[0]:
        return None
    block = layout.table_block + index // ENTRIES_IN_BLOCK
    fields = _ENTRY.unpack(memoryview(raw)[: _ENTRY.size])
    padded, size, start, count, flags, _, _, modified_ns, crc, data_crc = fields
    problem = ""
    name = bytes(padded).rstrip(b"\0")
    if crc != zlib.crc32(memoryview(raw)[:_ENTRY_CRC_AT]):
        problem = "crc32"
    elif b"\0" in name or len(name) > NAME_MAX:
        problem = "name"
    elif flags & FLAG_DIRECTORY:
        if (size, start, count) != (0, 0, 0):
            problem = "a directory with data"
    elif size >= 1 << 63 or count != blocks_for(size):
        problem = f"{count} blocks for a size of {size}"
    elif not layout.data_start <= start <= start + count <= layout.last - 1:
        problem = f"blocks {start} to {start + count}"
    if problem:
        raise DamageError(f"file table entry {index}", block, problem)
    return Entry(name, size, start, count, flags, data_crc, modified_ns)


def encode_entry(entry: Entry) -> bytes:
    """128 bytes."""
    raw = bytearray(ENTRY_SIZE)
    _ENTRY.pack_into(
        raw,
        0,
        entry.name,
        entry.size,
        entry.start_block,
        entry.block_count,
        entry.flags,
        0,
        0,
        entry.modified_ns,
        0,
        entry.data_crc,
    )
    _CRC.pack_into(raw, _ENTRY_CRC_AT, zlib.crc32(raw[:_ENTRY_CRC_AT]))
    return bytes(raw)


def decode_data(raw: Buffer, first_block: int) -> bytearray:
    """The bytes of a file's blocks, padding included. DamageError names the first that is bad."""
    view, found = memoryview(raw), bytearray()
    for at in range(0, len(view), BLOCK_SIZE):
        payload = view[at : at + PAYLOAD_SIZE]
        if _CRC.unpack_from(view, at + PAYLOAD_SIZE)[0] != zlib.crc32(payload):
            raise DamageError("data", first_block + at // BLOCK_SIZE, "crc32")
        found += payload
    return found


def encode_data(data: Buffer) -> bytes:
    """A file's bytes as whole blocks."""
    view, blocks = memoryview(data), []
    for at in range(0, max(1, len(view)), PAYLOAD_SIZE):
        payload = bytes(view[at : at + PAYLOAD_SIZE]).ljust(PAYLOAD_SIZE, b"\0")
        blocks += [payload, _CRC.pack(zlib.crc32(payload))]
    return b"".join(blocks)


def is_proper_name(name: bytes) -> bool:
    """Whether a stored path has no empty part and neither ``.`` nor ``..``."""
    return all(part not in (b"", b".", b"..") for part in name.split(b"/"))


def encode_bitmap_block(layout: Layout, index: int, free: list[tuple[int, int]]) -> bytes:
    """Block ``index`` of the bitmap, where ``free`` are the (first, end) of free blocks."""
    base = index * BITS_IN_BLOCK
    bits = (1 << min(BITS_IN_BLOCK, layout.total_blocks - base)) - 1
    for start, end in free:
        low, high = max(start - base, 0), min(end - base, BITS_IN_BLOCK)
        if low < high:
            bits &= ~(((1 << (high - low)) - 1) << low)
    return bits.to_bytes(BLOCK_SIZE, "little")


def reseal_entry(raw: bytes) -> bytes:
    """The same entry with the CRC that it should have."""
    crc = _CRC.pack(zlib.crc32(raw[:_ENTRY_CRC_AT]))
    return raw[:_ENTRY_CRC_AT] + crc + raw[_ENTRY_CRC_AT + _CRC.size :]
