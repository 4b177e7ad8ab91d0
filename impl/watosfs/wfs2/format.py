"""WFS v2 on disk: the superblock and where everything is.

Section 1 of the published facts. Every number that is read is checked against the one layout that a
size and a table length can have, so that nothing behind it has to be checked again.
"""

import errno
import struct
import zlib
from typing import Final, NamedTuple

from watosfs.errors import DamageError, failure

BLOCK_SIZE: Final = 4096
MAGIC: Final = 0x57465332
VERSION: Final = 2
SIGNATURE: Final = b"WATOS FileSystem - Chris Watkins <chris@watkinslabs.com>".ljust(64, b"\0")
SUPERBLOCK_SIZE: Final = 256
#: Entries in a table: the published mkfs clamps to these.
FILES_MIN: Final = 256
FILES_MAX: Final = 65536
FILES_DEFAULT: Final = 4096
ENTRIES_IN_BLOCK: Final = 32
BITS_IN_BLOCK: Final = BLOCK_SIZE * 8
BITMAP_BLOCK: Final = 2
#: The smallest volume of the published tools: 1 MiB.
BLOCK_COUNT_MIN: Final = 256
#: ``bitmap_blocks`` is 32 bits wide; a volume stays well below that.
BLOCK_COUNT_MAX: Final = 1 << 40

#: magic version flags signature block_size pad total free data_start bitmap filetable
#: bitmap_blocks filetable_blocks max_files root_files reserved crc32 pad
_FIELDS = struct.Struct("<IHH64sIIQQQQQIIII112sII")
assert _FIELDS.size == SUPERBLOCK_SIZE
_CRC_OFFSET: Final = 248


class Geometry(NamedTuple):
    """Where the sections of a volume are, in blocks."""

    total_blocks: int
    max_files: int

    @property
    def bitmap_blocks(self) -> int:
        return -(-self.total_blocks // BITS_IN_BLOCK)

    @property
    def filetable_block(self) -> int:
        return BITMAP_BLOCK + self.bitmap_blocks + 1

    @property
    def filetable_blocks(self) -> int:
        return -(-self.max_files // ENTRIES_IN_BLOCK)

    @property
    def data_start_block(self) -> int:
        return self.filetable_block + self.filetable_blocks + 1

    @property
    def mid(self) -> int:
        """The second superblock; a boundary stands on either side of it."""
        return self.total_blocks // 2

    @property
    def last(self) -> int:
        """The third superblock; a boundary stands before it."""
        return self.total_blocks - 1

    @property
    def superblocks(self) -> tuple[int, int, int]:
        return 0, self.mid, self.last

    @property
    def is_overlapped(self) -> bool:
        """Whether the second superblock lies in the table, as the published mkfs lets it."""
        return self.mid - 1 < self.data_start_block

    @property
    def reserved_runs(self) -> tuple[tuple[int, int], ...]:
        """What never holds file data, as (first, end), ascending; may overlap each other."""
        return (
            (0, self.data_start_block),
            (self.mid - 1, self.mid + 2),
            (self.last - 1, self.last + 1),
        )

    def holds(self, start: int, blocks: int) -> bool:
        """Whether a file may lie there: in the data area and across no reserved block."""
        end = start + blocks
        return all(end <= first or start >= stop for first, stop in self.reserved_runs) and (
            end <= self.total_blocks
        )

    def table_blocks(self) -> list[int]:
        """The blocks of the table that hold entries: not those under the second superblock."""
        first, taken = self.filetable_block, range(self.mid - 1, self.mid + 2)
        return [b for b in range(first, first + self.filetable_blocks) if b not in taken]


class Superblock(NamedTuple):
    """What the superblock says that a size and a table length do not; the counts are hints."""

    geometry: Geometry
    free_blocks: int
    root_files: int


def encode_superblock(superblock: Superblock) -> bytes:
    """The whole block, zeros behind the fields."""
    geometry = superblock.geometry
    raw = bytearray(
        _FIELDS.pack(
            MAGIC,
            VERSION,
            0,
            SIGNATURE,
            BLOCK_SIZE,
            0,
            geometry.total_blocks,
            superblock.free_blocks,
            geometry.data_start_block,
            BITMAP_BLOCK,
            geometry.filetable_block,
            geometry.bitmap_blocks,
            geometry.filetable_blocks,
            geometry.max_files,
            superblock.root_files,
            bytes(112),
            0,
            0,
        )
    )
    raw[_CRC_OFFSET : _CRC_OFFSET + 4] = zlib.crc32(raw[:_CRC_OFFSET]).to_bytes(4, "little")
    return bytes(raw).ljust(BLOCK_SIZE, b"\0")


def decode_superblock(raw: bytes, block: int, device_blocks: int) -> Superblock:
    """The superblock in a block of a device of ``device_blocks``.

    EINVAL: no WFS v2 superblock (its magic is not there). EUCLEAN: one that is damaged.
    """
    (
        magic, version, _flags, signature, block_size, _pad, total, free, data_start, bitmap,
        filetable, bitmap_blocks, filetable_blocks, max_files, root_files, _reserved, crc, _end,
    ) = _FIELDS.unpack_from(raw)  # fmt: skip
    if magic != MAGIC:
        raise failure(errno.EINVAL, reason="not a WFS v2 volume")

    def require(condition: bool, problem: str) -> None:
        if not condition:
            raise DamageError("WFS v2 superblock", block, problem)

    require(crc == zlib.crc32(raw[:_CRC_OFFSET]), "its CRC is wrong")
    require(version == VERSION, f"version {version}")
    require(signature == SIGNATURE, "the signature is another")
    require(block_size == BLOCK_SIZE, f"blocks of {block_size} bytes")
    require(BLOCK_COUNT_MIN <= total <= BLOCK_COUNT_MAX, f"{total} blocks")
    require(total <= device_blocks, f"{total} blocks on a device of {device_blocks}")
    require(FILES_MIN <= max_files <= FILES_MAX, f"a table of {max_files} files")
    geometry = Geometry(total, max_files)
    found = (bitmap, bitmap_blocks, filetable, filetable_blocks, data_start)
    due = (
        BITMAP_BLOCK,
        geometry.bitmap_blocks,
        geometry.filetable_block,
        geometry.filetable_blocks,
        geometry.data_start_block,
    )
    require(found == due, f"sections at {found}, not {due}")
    require(data_start < geometry.last - 1, "no room for data")
    require(free <= total, f"{free} blocks free of {total}")
    require(root_files <= max_files, f"{root_files} files in a table of {max_files}")
    return Superblock(geometry, free, root_files)
