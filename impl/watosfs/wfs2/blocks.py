"""Data blocks with their CRC, and the boundary markers between the sections.

A data block carries 4092 bytes of a file and the CRC of those, padding included. A boundary has no
CRC: all of its bytes are known, so it is compared as a whole.
"""

import struct
import zlib
from typing import Final

from watosfs.block.device import Buffer
from watosfs.errors import DamageError
from watosfs.wfs2.format import BITMAP_BLOCK, BLOCK_SIZE, Geometry

PAYLOAD_SIZE: Final = BLOCK_SIZE - 4
BOUNDARY_MAGIC: Final = 0x00574653424E4459
_HEADER = struct.Struct("<QIIQQ")
_FILL_STEP: Final = 64


def blocks_of(size: int) -> int:
    """The blocks that ``size`` bytes take; an empty file has one."""
    return max(1, -(-size // PAYLOAD_SIZE))


def seal(payload: Buffer) -> bytes:
    """The block with up to 4092 bytes of a file."""
    padded = bytes(payload).ljust(PAYLOAD_SIZE, b"\0")
    assert len(padded) == PAYLOAD_SIZE, len(padded)
    return padded + zlib.crc32(padded).to_bytes(4, "little")


def is_sealed(raw: Buffer) -> bool:
    """Whether the CRC of a data block is right."""
    view = memoryview(raw)
    return zlib.crc32(view[:PAYLOAD_SIZE]) == int.from_bytes(view[PAYLOAD_SIZE:], "little")


def unseal(raw: Buffer, first_block: int) -> bytes:
    """The payloads of consecutive data blocks, joined. EUCLEAN: the CRC of one is wrong."""
    view = memoryview(raw)
    parts = []
    for i in range(0, view.nbytes, BLOCK_SIZE):
        block = view[i : i + BLOCK_SIZE]
        if not is_sealed(block):
            raise DamageError("file data", first_block + i // BLOCK_SIZE, "its CRC is wrong")
        parts.append(block[:PAYLOAD_SIZE])
    return b"".join(parts)


def boundary(kind: int, sequence: int, previous: int, following: int) -> bytes:
    """A whole boundary block."""
    raw = bytearray(b"\xbd" * BLOCK_SIZE)
    _HEADER.pack_into(raw, 0, BOUNDARY_MAGIC, kind, sequence, previous, following)
    for offset in range(_HEADER.size, BLOCK_SIZE, _FILL_STEP):
        raw[offset + 4 : offset + 8] = kind.to_bytes(4, "little")
    return bytes(raw)


def boundaries(geometry: Geometry) -> dict[int, bytes]:
    """Every boundary of a volume, by its block; of two at one place the later is there."""
    bitmap_end = BITMAP_BLOCK + geometry.bitmap_blocks
    table_end = geometry.filetable_block + geometry.filetable_blocks
    mid, last = geometry.mid, geometry.last
    return {
        1: boundary(1, 1, 0, BITMAP_BLOCK),
        bitmap_end: boundary(2, 2, bitmap_end - 1, geometry.filetable_block),
        table_end: boundary(3, 3, table_end - 1, geometry.data_start_block),
        mid - 1: boundary(4, 4, mid - 2, mid),
        mid + 1: boundary(5, 5, mid, mid + 2),
        last - 1: boundary(4, 6, last - 2, last),
    }
