"""Sizes and ranges of files: truncate, fallocate, copy_file_range."""

import errno

from watosfs.errors import failure
from watosfs.kernel.data import regular
from watosfs.kernel.descriptions import OpenDirectory, OpenFile
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    AT_FDCWD,
    FILE_SIZE_MAX,
    KEEP_SIZE,
    O_ACCMODE,
    O_APPEND,
    O_RDONLY,
    PUNCH_HOLE,
    ZERO_RANGE,
)
from watosfs.kernel.process import Process
from watosfs.vfs.access import WRITE, mode_after_write, require
from watosfs.vfs.walk import Follow

#: Copied at once.
COPY_BYTES = 1 << 20

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


def copy_file_range(
    kernel: Kernel,
    process: Process,
    number_in: int,
    offset_in: int,
    number_out: int,
    offset_out: int,
    count: int,
) -> int:
    """Copy bytes between files of one volume; -1 means a descriptor's own offset."""
    source, target = process.fresh(number_in), process.fresh(number_out)
    source.require_readable()
    target.require_writable()
    if isinstance(source, OpenDirectory) or isinstance(target, OpenDirectory):
        raise failure(errno.EISDIR)
    if not isinstance(source, OpenFile) or not isinstance(target, OpenFile):
        raise failure(errno.EINVAL)
    if source.filesystem is not target.filesystem:
        raise failure(errno.EXDEV)
    if target.flags & O_APPEND:
        raise failure(errno.EBADF)
    if min(offset_in, offset_out) < -1 or count < 0:
        raise failure(errno.EINVAL)
    target.filesystem.require_change()
    start = source.offset if offset_in == -1 else offset_in
    to = target.offset if offset_out == -1 else offset_out
    length = max(min(count, source.attributes().size - start), 0)
    if source.number == target.number and start < to + length and to < start + length:
        raise failure(errno.EINVAL)
    if max(start, to) + count > FILE_SIZE_MAX:
        raise failure(errno.EOVERFLOW)
    if length:
        copy(source, start, target, to, length)
        mode = mode_after_write(process.credentials, target.attributes())
        size = max(target.attributes().size, to + length)
        target.filesystem.truncate(target.number, size, mode)
    if offset_in == -1:
        source.offset += length
    if offset_out == -1:
        target.offset += length
    return length


def copy(source: OpenFile, start: int, target: OpenFile, to: int, length: int) -> None:
    """Copy a range of data piece by piece; its holes become holes, however large."""
    filesystem = source.filesystem
    end = start + length
    while start < end:
        data_at = filesystem.seek_data(source.number, start)
        hole_end = end if data_at is None else min(data_at, end)
        if start < hole_end:
            filesystem.zero(target.number, to, to + hole_end - start)
            to += hole_end - start
            start = hole_end
        if start < end:
            run = min(filesystem.seek_hole(source.number, start), end, start + COPY_BYTES)
            piece = filesystem.read(source.number, start, run - start)
            mode = target.attributes().mode
            filesystem.write(target.number, to, piece, mode)
            to += run - start
            start = run
