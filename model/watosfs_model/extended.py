"""Extended attributes of one inode: what a key is, what fits, and what is there [E1..E6]."""

import errno
from collections.abc import Mapping

from watosfs_model.state import DIRECTORY, FILE, Inode

XATTR_CREATE, XATTR_REPLACE = 1, 2
KEY_MAX = 255
#: Bytes of a value, and of all attributes of an inode with 6 for each.
BYTES_MAX = 65536
PREFIX = b"user."


def key_checks(key: bytes) -> set[int]:
    """Why a key is none [E1]. (xattr(7))"""
    errnos = set()
    if not 1 <= len(key) <= KEY_MAX:
        errnos.add(errno.ERANGE)
    if b"\0" in key or key == PREFIX:
        errnos.add(errno.EINVAL)
    if not key.startswith(PREFIX):
        errnos.add(errno.EOPNOTSUPP)
    return errnos


def may_have(inode: Inode) -> bool:
    """Only files and directories have attributes [E2]."""
    return inode.kind in (FILE, DIRECTORY)


def set_checks(inode: Inode, key: bytes, length: int, flags: int) -> set[int]:
    """Why an attribute cannot be set [E3, E4]."""
    errnos = key_checks(key)
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        errnos.add(errno.EINVAL)
    if length > BYTES_MAX:
        errnos.add(errno.E2BIG)
    if not may_have(inode):
        errnos.add(errno.EPERM)
    if flags & XATTR_CREATE and key in inode.attributes:
        errnos.add(errno.EEXIST)
    if flags & XATTR_REPLACE and key not in inode.attributes:
        errnos.add(errno.ENODATA)
    sizes = {name: len(value) for name, value in inode.attributes.items()}
    sizes[key] = length
    if sum(6 + len(name) + size for name, size in sizes.items()) > BYTES_MAX:
        errnos.add(errno.ENOSPC)
    return errnos


def get_checks(inode: Inode, key: bytes) -> set[int]:
    """Why there is nothing to read [E3]."""
    return key_checks(key) | (set() if key in inode.attributes else {errno.ENODATA})


def remove_checks(inode: Inode, key: bytes) -> set[int]:
    """Why there is nothing to remove [E2, E3]."""
    return get_checks(inode, key) | (set() if may_have(inode) else {errno.EPERM})


def with_value(inode: Inode, key: bytes, value: bytes) -> Mapping[bytes, bytes]:
    """The attributes after setting one."""
    return {**inode.attributes, key: value}


def without_key(inode: Inode, key: bytes) -> Mapping[bytes, bytes]:
    """The attributes after removing one."""
    return {name: value for name, value in inode.attributes.items() if name != key}


def observed(inode: Inode) -> tuple[tuple[bytes, bytes], ...]:
    """All of them, by key: whichever name or descriptor led here [E6]; first the level of
    compression, under a name that no attribute has [C1].
    """
    level = ((b"compression", b"%d" % inode.compression),) if inode.compression else ()
    return (*level, *sorted(inode.attributes.items()))
