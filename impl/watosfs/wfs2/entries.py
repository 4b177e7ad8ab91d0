"""An entry of the file table: one whole path, and where its data is.

Fields by the names of docs/FORMAT.md. ``created`` and ``modified`` are ns since 1970 here; the
published tools write 0. The 24 bytes behind the CRCs are kept as they are: nothing covers them.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from watosfs.errors import DamageError
from watosfs.wfs2.blocks import blocks_of
from watosfs.wfs2.format import Geometry

ENTRY_SIZE: Final = 128
NAME_BYTES_MAX: Final = 55
EXECUTABLE: Final = 1
READ_ONLY: Final = 2
SYSTEM: Final = 4
HIDDEN: Final = 8
DIRECTORY: Final = 0x10
FREE_ENTRY: Final = bytes(ENTRY_SIZE)
_TIME_MAX: Final = (1 << 64) - 1

#: name size start_block blocks flags pad created modified crc32 data_crc32 reserved
_FIELDS = struct.Struct("<56sQQIHHQQII24s")
assert _FIELDS.size == ENTRY_SIZE
_CRC_OFFSET: Final = 96
_DATA_CRC_OFFSET: Final = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or directory. ``name`` is its whole path without a slash in front."""

    name: bytes
    size: int = 0
    start_block: int = 0
    blocks: int = 0
    flags: int = 0
    created: int = 0
    modified: int = 0
    data_crc32: int = 0
    reserved: bytes = bytes(24)

    @property
    def is_directory(self) -> bool:
        return bool(self.flags & DIRECTORY)


def encode_entry(entry: Entry) -> bytes:
    """The 128 bytes; the name has to be one that ``is_name`` takes."""
    assert is_name(entry.name), entry.name
    raw = bytearray(
        _FIELDS.pack(
            entry.name,
            entry.size,
            entry.start_block,
            entry.blocks,
            entry.flags,
            0,
            min(max(entry.created, 0), _TIME_MAX),
            min(max(entry.modified, 0), _TIME_MAX),
            0,
            entry.data_crc32,
            entry.reserved,
        )
    )
    crc = zlib.crc32(raw[:_CRC_OFFSET])
    raw[_CRC_OFFSET:_DATA_CRC_OFFSET] = crc.to_bytes(4, "little")
    return bytes(raw)


def decode_entry(raw: bytes, block: int, geometry: Geometry) -> Entry | None:
    """The entry in 128 bytes of a table block; None for a free slot. EUCLEAN: damaged."""
    if not raw[0]:
        return None
    padded, size, start, blocks, flags, _, created, modified, crc, data_crc, reserved = (
        _FIELDS.unpack(raw)
    )
    if crc != zlib.crc32(raw[:_CRC_OFFSET]):
        raise DamageError("file table", block, "the CRC of an entry is wrong")
    name, _, padding = padded.partition(b"\0")
    if padding.strip(b"\0") or not is_name(name):
        raise DamageError("file table", block, f"{name!r} is no name")
    if flags & DIRECTORY:
        if (size, start, blocks) != (0, 0, 0):
            raise DamageError("file table", block, f"{name!r}: a directory with data")
    elif blocks != blocks_of(size):
        raise DamageError("file table", block, f"{name!r}: {size} bytes in {blocks} blocks")
    elif not geometry.holds(start, blocks):
        text = f"{name!r}: {blocks} blocks from {start} on are not in the data area"
        raise DamageError("file table", block, text)
    return Entry(name, size, start, blocks, flags, created, modified, data_crc, reserved)


def is_name(name: bytes) -> bool:
    """Whether an entry may have this path: components between single slashes, 55 bytes in all."""
    return (
        0 < len(name) <= NAME_BYTES_MAX
        and b"\0" not in name
        and not any(part in (b"", b".", b"..") for part in name.split(b"/"))
    )
