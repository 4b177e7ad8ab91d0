"""The FSInfo sector of FAT32: how many clusters are free and where to look. Hints, never trusted
beyond their range.
"""

import struct
from typing import Final, NamedTuple

from watosfs.block.device import Buffer

FSINFO_SIZE: Final = 512
UNKNOWN: Final = 0xFFFFFFFF
_LEAD: Final = 0x41615252
_STRUCTURE: Final = 0x61417272
_TRAIL: Final = 0xAA550000
_FSINFO = struct.Struct("<I480xIII12xI")
assert _FSINFO.size == FSINFO_SIZE


class FsInfo(NamedTuple):
    """``free_count`` clusters are free, the search may begin at ``next_free``; or ``UNKNOWN``."""

    free_count: int = UNKNOWN
    next_free: int = UNKNOWN


def encode_fsinfo(info: FsInfo) -> bytes:
    """The 512 bytes."""
    return _FSINFO.pack(_LEAD, _STRUCTURE, info.free_count, info.next_free, _TRAIL)


def decode_fsinfo(raw: Buffer) -> FsInfo | None:
    """The hints, or None when the signatures are not there."""
    lead, structure, free_count, next_free, trail = _FSINFO.unpack_from(raw)
    if (lead, structure, trail) != (_LEAD, _STRUCTURE, _TRAIL):
        return None
    return FsInfo(free_count, next_free)
