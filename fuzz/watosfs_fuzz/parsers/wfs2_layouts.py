"""The structures of WFS v2 as a mutator sees them: where the fields are, and how each is sealed.

Written down from ``docs/FORMAT_WFS2.md`` once more and not taken from the implementation, so that a
mutant and its parser do not share a mistake; a test holds both against the published images.
"""

from random import Random
from typing import Final
from zlib import crc32

from watosfs_fuzz.parsers.layout import Layout, layout_of, mutate_field, new_number

BLOCK: Final = 4096
PAYLOAD: Final = 4092
SLOTS: Final = 32

SUPERBLOCK: Final = layout_of(
    "superblock",
    "IHH64sIIQQQQQIIII112sII",
    "magic version flags signature block_size pad total_blocks free_blocks data_start_block"
    " bitmap_block filetable_block bitmap_blocks filetable_blocks max_files root_files reserved"
    " crc32 end",
)
ENTRY: Final = layout_of(
    "entry",
    "56sQQIHHQQII24s",
    "name size start_block blocks flags pad created modified crc32 data_crc32 reserved",
)
BOUNDARY: Final = layout_of("boundary", "QIIQQ", "magic type sequence before after")
assert (SUPERBLOCK.size, ENTRY.size) == (256, 128)
MAGIC: Final = 0x57465332
BOUNDARY_MAGIC: Final = 0x00574653424E4459
_SUPERBLOCK_CRC_AT: Final = 248
_ENTRY_CRC_AT: Final = 96
_NAME_BYTES: Final = 56
#: Names that stand in one another's way, that a repair makes up, or that none may have.
NAMES: Final = (
    b"a", b"a/b", b"a/b/c", b"A", b"FSCK0000", b"FSCK0001", b"FSCK0000/x", b"d", b"d/f0", b"d/e",
    b"d/f1/x", b"/a", b"a/", b"a//b", b".", b"..", b"a/../b", b"\xff\xfe", b"n" * 55, b"n" * 56,
    b"a\0b", b"d/" + b"m" * 53, b"new directory", b"renamed",
)  # fmt: skip


def seal_superblock(raw: bytearray, start: int) -> None:
    """Make the checksum of the superblock at ``start`` right."""
    _seal(raw, start, _SUPERBLOCK_CRC_AT)


def seal_entry(raw: bytearray, start: int) -> None:
    """Make the checksum of the entry at ``start`` right; a free slot stays free."""
    _seal(raw, start, _ENTRY_CRC_AT)


def seal_data(raw: bytearray, start: int) -> None:
    """Make the checksum of the data block at ``start`` right."""
    _seal(raw, start, PAYLOAD)


def _seal(raw: bytearray, start: int, size: int) -> None:
    check = crc32(memoryview(raw)[start : start + size])
    raw[start + size : start + size + 4] = check.to_bytes(4, "little")


def settle_superblock(raw: bytearray, random: Random) -> None:
    """Sections where a size and a table length put them, so that a change of those is reached."""
    total, files = (SUPERBLOCK.get(raw, 0, name) for name in ("total_blocks", "max_files"))
    bitmap = -(-total // (8 * BLOCK))
    table = -(-files // SLOTS)
    due = {
        "bitmap_block": 2, "bitmap_blocks": bitmap, "filetable_block": 3 + bitmap,
        "filetable_blocks": table, "data_start_block": 4 + bitmap + table,
    }  # fmt: skip
    for name, value in due.items():
        SUPERBLOCK.put(raw, 0, name, value)
    if random.random() < 0.5:
        for name in ("free_blocks", "root_files"):
            SUPERBLOCK.put(raw, 0, name, min(SUPERBLOCK.get(raw, 0, name), total, files))


def settle_entry(raw: bytearray, start: int) -> None:
    """As many blocks as the size takes, none for a directory."""
    if ENTRY.get(raw, start, "flags") & 0x10:
        for name in ("size", "start_block", "blocks", "data_crc32"):
            ENTRY.put(raw, start, name, 0)
    else:
        size = ENTRY.get(raw, start, "size")
        ENTRY.put(raw, start, "blocks", max(1, -(-size // PAYLOAD)))


def mutate_superblock(raw: bytearray, random: Random) -> None:
    """A field; where it is a size, mostly with the sections that follow from it."""
    if random.random() < 0.35:
        name = random.choice(("total_blocks", "max_files"))
        field = SUPERBLOCK[name]
        SUPERBLOCK.put(raw, 0, name, new_number(SUPERBLOCK.get(raw, 0, name), field.size, random))
        settle_superblock(raw, random)
    else:
        mutate_field(raw, 0, SUPERBLOCK, random)


def put_name(raw: bytearray, start: int, name: bytes) -> None:
    """Give the entry at ``start`` a name, cut to the field."""
    raw[start : start + _NAME_BYTES] = name[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0")


def mutate_entry(raw: bytearray, start: int, random: Random, layout: Layout = ENTRY) -> None:
    """A field, a name from the list, or a size with its blocks."""
    kind = random.random()
    if kind < 0.25:
        put_name(raw, start, random.choice(NAMES))
    elif kind < 0.45:
        old = layout.get(raw, start, "size")
        layout.put(raw, start, "size", new_number(old, 8, random))
        settle_entry(raw, start)
    elif kind < 0.55:
        flags = layout.get(raw, start, "flags")
        layout.put(raw, start, "flags", flags ^ random.choice((1, 2, 4, 8, 16, 16, 1 << 15)))
        settle_entry(raw, start)
    else:
        mutate_field(raw, start, layout, random)
