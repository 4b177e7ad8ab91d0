"""The 32 bytes of a directory entry."""

import struct
from typing import Final, NamedTuple

from watosfs.block.device import Buffer

READ_ONLY: Final = 0x01
HIDDEN: Final = 0x02
SYSTEM: Final = 0x04
VOLUME_LABEL: Final = 0x08
DIRECTORY: Final = 0x10
ARCHIVE: Final = 0x20
LONG_NAME: Final = 0x0F
_KIND_MASK: Final = 0x3F
#: The short names of a directory itself and of the one above.
DOT: Final = b".".ljust(11)
DOT_DOT: Final = b"..".ljust(11)

#: First byte of a slot: nothing from here on, and a slot that is free.
END: Final = 0x00
FREE: Final = 0xE5

_ENTRY = struct.Struct("<11sBBBHHHHHHHI")
assert _ENTRY.size == 32


class DirectoryEntry(NamedTuple):
    """A short entry. ``case`` are the bits of Windows NT, ``created_hundredths`` 0 to 199."""

    name: bytes
    attributes: int
    case: int
    created_hundredths: int
    created_time: int
    created_date: int
    accessed_date: int
    cluster_high: int
    modified_time: int
    modified_date: int
    cluster_low: int
    size: int

    @property
    def is_label(self) -> bool:
        """A volume label, no file."""
        return bool(self.attributes & VOLUME_LABEL)

    @property
    def is_directory(self) -> bool:
        """A directory."""
        return bool(self.attributes & DIRECTORY)

    def cluster(self, bits: int) -> int:
        """The first cluster; the high half counts on FAT32 only (OS/2 keeps other things there)."""
        return self.cluster_low | self.cluster_high << 16 if bits == 32 else self.cluster_low


encode_entry = _ENTRY.pack
iter_entries = _ENTRY.iter_unpack


def decode_entry(raw: Buffer, offset: int = 0) -> DirectoryEntry:
    """The entry at ``offset``."""
    return DirectoryEntry._make(_ENTRY.unpack_from(raw, offset))


def is_long_name(attributes: int) -> bool:
    """Whether a slot with these attributes holds a part of a long name."""
    return attributes & _KIND_MASK == LONG_NAME


def encode_dots(own: int, parent: int, stamp: tuple[int, int, int], size: int) -> bytes:
    """The first cluster of a new directory: ``.``, ``..`` and nothing. ``parent`` 0 is the root."""
    date, time, hundredths = stamp
    slots = b"".join(
        encode_entry(
            name, DIRECTORY, 0, hundredths, time, date, date, cluster >> 16, time, date,
            cluster & 0xFFFF, 0,
        )
        for name, cluster in ((DOT, own), (DOT_DOT, parent))
    )  # fmt: skip
    return slots.ljust(size, b"\0")
