"""Structures in user memory, little endian (``docs/ABI.md``)."""

import struct

from watosfs.kernel.attributes import Status

#: kind, mode, uid, gid, nlink (u32 each), 4 bytes zero, size, atime, mtime, ctime (u64, ns).
STAT = struct.Struct("<IIIII4xQQQQ")
#: What the published stat gives: type (1 directory, 0 else), size.
OLD_STAT = struct.Struct("<QQ")
#: base, length.
IOVEC = struct.Struct("<QQ")
#: kind, 6 bytes zero, start, length, process.
FLOCK = struct.Struct("<H6xqqI4x")
PAIR = struct.Struct("<ii")
#: Length of the record, kind, length of the name; the name and a NUL follow.
DIRENT_HEAD = struct.Struct("<HBB")
#: address of the value, its length, flags (u32), 4 bytes zero.
XATTR_ARGUMENTS = struct.Struct("<QQI4x")
#: block size, blocks, free, available, inodes used, longest name.
STATFS = struct.Struct("<QQQQQQ")

KINDS = {"file": 1, "directory": 2, "symlink": 3, "fifo": 6}


def pack_stat(status: Status) -> bytes:
    """The structure behind fstat and fstatat."""
    kind, mode, uid, gid, nlink, size, *times = status
    return STAT.pack(KINDS[kind], mode, uid, gid, nlink, size, *times)


def pack_entries(entries: tuple[tuple[bytes, str], ...]) -> bytes:
    """Directory entries one after the other."""
    return b"".join(
        DIRENT_HEAD.pack(DIRENT_HEAD.size + len(name) + 1, KINDS[kind], len(name)) + name + b"\0"
        for name, kind in entries
    )
