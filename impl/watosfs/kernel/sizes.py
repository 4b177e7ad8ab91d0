"""Sizes and ranges of files: truncate, fallocate."""

import errno

from watosfs.errors import failure
from watosfs.kernel.data import regular
from watosfs.kernel.descriptions import OpenFile
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    AT_FDCWD,
    FILE_SIZE_MAX,
    KEEP_SIZE,
    O_ACCMODE,
    O_RDONLY,
    PUNCH_HOLE,
    ZERO_RANGE,
)
from watosfs.kernel.process import Process
from watosfs.vfs.access import WRITE, mode_after_write, require
from watosfs.vfs.walk import Follow

_FALLOCATE_MODES = (0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE)


def ftruncate(kernel: Kernel, process: Process, number: int, size: int) -> None:
    """Set the size of a file that is open for writing (EINVAL otherwise)."""
    description = process.fresh(number)
    is_writable = description.flags & O_ACCMODE != O_RDONLY
    if size < 0 or not is_writable or not isinstance(description, OpenFile):
        raise failure(errno.EINVAL)
    set_size(process, description, size)


def set_size(process: Process, file: OpenFile, size: int) -> None:
    """Set the size as this process leaves the mode."""
    if size > FILE_SIZE_MAX:
        raise failure(errno.EFBIG)
    file.filesystem.require_change()
    mode = mode_after_write(process.credentials, file.attributes())
    file.filesystem.truncate(file.number, size, mode)


def truncate(kernel: Kernel, process: Process, path: bytes, size: int) -> None:
    """Set the size of the file at a path."""
    if size < 0:
        raise failure(errno.EINVAL, path)
    location = kernel.walk(process, AT_FDCWD, path, Follow.ALWAYS)
    inode = location.attributes()
    if location.node is not None:
        raise failure(errno.EISDIR, path)
    if inode.mode & 0o170000 != 0o100000:
        raise failure(errno.EINVAL, path)
    require(process.credentials, inode, WRITE)
    if size > FILE_SIZE_MAX:
        raise failure(errno.EFBIG, path)
    filesystem = location.filesystem
    filesystem.require_change()
    filesystem.truncate(location.number, size, mode_after_write(process.credentials, inode))


def fallocate(
    kernel: Kernel, process: Process, number: int, mode: int, offset: int, length: int
) -> None:
    """Grow, or let a range read as zeros, by mode."""
    description = process.fresh(number)
    description.require_writable()
    if offset < 0 or length <= 0:
        raise failure(errno.EINVAL)
    if mode not in _FALLOCATE_MODES:
        raise failure(errno.EOPNOTSUPP)
    file = regular(description)
    end = offset + length
    if end > FILE_SIZE_MAX:
        raise failure(errno.EFBIG)
    inode = file.attributes()
    filesystem = file.filesystem
    filesystem.require_change()
    left = mode_after_write(process.credentials, inode)
    size = inode.size
    if mode & (PUNCH_HOLE | ZERO_RANGE):
        filesystem.zero(file.number, offset, end)
    filesystem.truncate(file.number, size if mode & KEEP_SIZE else max(size, end), left)
