"""The records in WFS v3 leaves: inode, directory entry, extent (``docs/FORMAT.md`` sections 4 to
6).

Inodes are decoded to a slotted mutable class, because the working tree changes them in memory and
packs them once at commit; extents are tuples and directory entries stay packed, because most are
never touched.
"""

import stat
import struct
from typing import Final, NamedTuple
from zlib import crc32

from watosfs.errors import DamageError
from watosfs.wfs3.format import BLOCK_SIZE, INLINE_SIZE_MAX, NAME_MAX

INODE_FLAG_INLINE: Final = 0x10
#: The inode has no name; its data are the extended attributes of another.
INODE_FLAG_ATTRIBUTES: Final = 0x40
#: The level that new data is compressed with stands in the flags from this bit on.
INODE_LEVEL_SHIFT: Final = 8
INODE_LEVEL_MASK: Final = 0x1F << INODE_LEVEL_SHIFT

_INODE = struct.Struct("<QIIQQIIQQQIIQQHHI")
_INODE_CRC_BYTES: Final = 74
INODE_SIZE: Final = 256
assert _INODE.size == INODE_SIZE - INLINE_SIZE_MAX

_DIRECTORY_ENTRY = struct.Struct("<QBB6xQ256s")
DIRECTORY_ENTRY_SIZE: Final = 280
assert _DIRECTORY_ENTRY.size == DIRECTORY_ENTRY_SIZE
_NAME_OFFSET: Final = 24

#: Directory entry types by file type bits of the mode.
ENTRY_TYPES: Final = {
    stat.S_IFREG: 1,
    stat.S_IFDIR: 2,
    stat.S_IFLNK: 3,
    stat.S_IFBLK: 4,
    stat.S_IFCHR: 5,
    stat.S_IFIFO: 6,
    stat.S_IFSOCK: 7,
}
TYPE_FILE: Final = 1
TYPE_DIRECTORY: Final = 2
TYPE_SYMLINK: Final = 3
TYPE_FIFO: Final = 6


class Inode:
    """One inode, decoded. Times in ns since 1970 UTC; ``extent_root`` is the root block of its
    tree, 0 for none.

    ``attributes_inode`` is the number of the inode that holds its extended attributes, 0 for none.
    ``inline`` holds the data of a small file (at most 160 bytes) or the target of a short symlink.
    """

    __slots__ = (
        "atime_ns",
        "attributes_inode",
        "blocks",
        "ctime_ns",
        "extent_root",
        "flags",
        "gid",
        "inline",
        "mode",
        "mtime_ns",
        "nlink",
        "number",
        "refcount",
        "size",
        "uid",
    )

    def __init__(self, number: int, mode: int, now_ns: int, nlink: int = 1) -> None:
        self.number = number
        self.mode = mode
        self.flags = 0
        self.size = 0
        self.blocks = 0
        self.uid = 0
        self.gid = 0
        self.atime_ns = now_ns
        self.mtime_ns = now_ns
        self.ctime_ns = now_ns
        self.nlink = nlink
        self.attributes_inode = 0
        self.extent_root = 0
        self.refcount = 1
        self.inline = b""

    def pack(self) -> bytes:
        """The 256 bytes of the leaf entry's value."""
        inline = self.inline
        flags = self.flags | INODE_FLAG_INLINE if inline else self.flags & ~INODE_FLAG_INLINE
        head = _INODE.pack(
            self.number, self.mode, flags, self.size, self.blocks, self.uid, self.gid,
            self.atime_ns, self.mtime_ns, self.ctime_ns, self.nlink,
            self.attributes_inode & 0xFFFFFFFF, self.extent_root, self.refcount, len(inline),
            self.attributes_inode >> 32, 0,
        )  # fmt: skip
        check = crc32(head[:_INODE_CRC_BYTES])
        return b"%b%b%b" % (head[:92], check.to_bytes(4, "little"), inline.ljust(160, b"\0"))

    @property
    def holds_attributes(self) -> bool:
        return bool(self.flags & INODE_FLAG_ATTRIBUTES)

    @property
    def is_directory(self) -> bool:
        return self.mode & 0o170000 == stat.S_IFDIR

    @property
    def is_file(self) -> bool:
        return self.mode & 0o170000 == stat.S_IFREG

    @property
    def is_symlink(self) -> bool:
        return self.mode & 0o170000 == stat.S_IFLNK


def decode_inode(raw: bytes, block: int) -> Inode:
    """The inode in ``raw`` (256 bytes of the leaf at ``block``).

    Raises DamageError for an inline size beyond the field. The inode's own CRC is not relied upon
    (the node's covers it; published tools write it stale).
    """
    inode = Inode.__new__(Inode)
    (
        inode.number, inode.mode, inode.flags, inode.size, inode.blocks, inode.uid, inode.gid,
        inode.atime_ns, inode.mtime_ns, inode.ctime_ns, inode.nlink, attributes_low,
        inode.extent_root, inode.refcount, inline_size, attributes_high, _crc,
    ) = _INODE.unpack_from(raw)  # fmt: skip
    inode.attributes_inode = attributes_high << 32 | attributes_low
    if inline_size > INLINE_SIZE_MAX:
        raise DamageError("inode", block, f"inode {inode.number}: inline_size {inline_size} > 160")
    inode.inline = raw[96 : 96 + inline_size]
    return inode


class DirectoryEntry(NamedTuple):
    """A name in a directory: ``kind`` is the entry type byte (1 file, 2 directory, 3 symlink,
    ...).
    """

    name: bytes
    inode_number: int
    kind: int


def encode_entry(inode_number: int, kind: int, hashed: int, name: bytes) -> bytes:
    """The 280 bytes of a directory entry; the name is 1 to 255 bytes."""
    return _DIRECTORY_ENTRY.pack(inode_number, kind, len(name), hashed, name)


def decode_entry(raw: bytes, block: int) -> DirectoryEntry:
    """The entry in ``raw``; raises DamageError when the name's length is 0 or its bytes are not a
    name.
    """
    length = raw[9]
    name = raw[_NAME_OFFSET : _NAME_OFFSET + length]
    if not 1 <= length <= NAME_MAX or b"\0" in name or b"/" in name:
        raise DamageError("directory entry", block, f"name of {length} bytes is {name!r}")
    return DirectoryEntry(name, int.from_bytes(raw[:8], "little"), raw[8])


def entry_hash(raw: bytes) -> int:
    """The stored name hash of a packed entry (must equal its key)."""
    return int.from_bytes(raw[16:24], "little")


def entry_names(raw: bytes, name: bytes) -> bool:
    """Whether the packed entry carries exactly ``name``."""
    length = len(name)
    return raw[9] == length and raw[_NAME_OFFSET : _NAME_OFFSET + length] == name


class Extent(NamedTuple):
    """A run of whole blocks of a file. ``length`` in bytes; ``crc32`` over the stored blocks, which
    are fewer when it is compressed.

    In the leaf the key (file offset) stands before these fields; hot paths use the bare tuple.
    """

    file_offset: int
    disk_block: int
    length: int
    flags: int
    refcount: int
    crc32: int
    generation: int

    @property
    def stored_blocks(self) -> int:
        """How many blocks it has on disk."""
        if self.flags & EXTENT_FLAG_COMPRESSED:
            return self.flags >> EXTENT_STORED_SHIFT
        return self.length // BLOCK_SIZE


EXTENT_FLAG_COMPRESSED: Final = 2
#: Of a compressed extent, the count of its blocks on disk stands in the flags from this bit on.
EXTENT_STORED_SHIFT: Final = 8
EXTENT_FLAG_HOLE: Final = 8
EXTENT_FLAG_UNWRITTEN: Final = 0x10
