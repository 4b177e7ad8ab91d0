"""Data through descriptors: read, write, their positioned forms, sizes, ranges, offsets."""

import errno

from watosfs.errors import failure
from watosfs.kernel import pipes
from watosfs.kernel.descriptions import (
    START,
    Description,
    InodeDescription,
    OpenDirectory,
    OpenFifo,
    OpenFile,
    PipeEnd,
)
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    FILE_SIZE_MAX,
    KEEP_SIZE,
    O_ACCMODE,
    O_APPEND,
    O_RDONLY,
    PUNCH_HOLE,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
    ZERO_RANGE,
)
from watosfs.kernel.process import Process
from watosfs.vfs.access import WRITE, mode_after_write, require
from watosfs.vfs.walk import Follow

#: Copied at once.
COPY_BYTES = 1 << 20
#: No read gives more (Linux).
READ_BYTES_MAX = 0x7FFFF000

_FALLOCATE_MODES = (0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE)


def regular(description: Description) -> OpenFile:
    """The description of a regular file. Raises ESPIPE on a pipe, EISDIR on a directory."""
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.ESPIPE)
    if not isinstance(description, OpenFile):
        raise failure(errno.EISDIR)
    description.require_fresh()
    return description


def read(kernel: Kernel, process: Process, number: int, count: int) -> bytes:
    """At most ``count`` bytes from the description's offset, which moves; parks on a pipe."""
    description = process.description(number)
    description.require_readable()
    if count < 0:
        raise failure(errno.EINVAL)
    if isinstance(description, PipeEnd | OpenFifo):
        description.require_fresh()
        return pipes.read(description.pipe, description, count)
    file = regular(description)
    data = file.filesystem.read(file.number, file.offset, min(count, READ_BYTES_MAX))
    file.offset += len(data)
    return data


def write(kernel: Kernel, process: Process, number: int, data: bytes) -> int:
    """All of ``data`` at the offset (the end with O_APPEND), which moves; parks on a pipe."""
    description = process.description(number)
    description.require_writable()
    if isinstance(description, PipeEnd | OpenFifo):
        description.require_fresh()
        return pipes.write(description.pipe, description, process, data)
    file = regular(description)
    end = write_at(process, file, data, file.offset)
    if data:
        file.offset = end
    return len(data)


def write_at(process: Process, file: OpenFile, data: bytes, offset: int) -> int:
    """Write at an offset, or at the end with O_APPEND; where it ended."""
    inode = file.attributes()
    if file.flags & O_APPEND:
        offset = inode.size
    if offset + len(data) > FILE_SIZE_MAX:
        raise failure(errno.EFBIG)
    file.filesystem.require_change()
    if data:
        mode = mode_after_write(process.credentials, inode)
        file.filesystem.write(file.number, offset, data, mode)
    return offset + len(data)


def pread(kernel: Kernel, process: Process, number: int, count: int, offset: int) -> bytes:
    """Bytes from an offset."""
    description = process.description(number)
    description.require_readable()
    if count < 0 or offset < 0:
        raise failure(errno.EINVAL)
    file = regular(description)
    return file.filesystem.read(file.number, offset, min(count, READ_BYTES_MAX))


def pwrite(kernel: Kernel, process: Process, number: int, data: bytes, offset: int) -> int:
    """All of ``data`` at an offset (at the end with O_APPEND)."""
    description = process.description(number)
    description.require_writable()
    if offset < 0:
        raise failure(errno.EINVAL)
    write_at(process, regular(description), data, offset)
    return len(data)


def lseek(kernel: Kernel, process: Process, number: int, offset: int, whence: int) -> int:
    """Move the description's offset; where it is now."""
    description = process.description(number)
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.ESPIPE)
    if not SEEK_SET <= whence <= SEEK_HOLE:
        raise failure(errno.EINVAL)
    if isinstance(description, OpenDirectory):
        description.require_fresh()
        if offset or whence != SEEK_SET:
            raise failure(errno.EINVAL)
        description.cursor = START
        return 0
    file = regular(description)
    size = file.attributes().size
    if whence in (SEEK_DATA, SEEK_HOLE):
        if not 0 <= offset < size:
            raise failure(errno.ENXIO)
        filesystem = file.filesystem
        seek = filesystem.seek_data if whence == SEEK_DATA else filesystem.seek_hole
        found = seek(file.number, offset)
        if found is None:
            raise failure(errno.ENXIO)
        file.offset = found
        return found
    base = {SEEK_CUR: file.offset, SEEK_END: size}.get(whence, 0)
    if base + offset < 0:
        raise failure(errno.EINVAL)
    if base + offset > FILE_SIZE_MAX:
        raise failure(errno.EOVERFLOW)
    file.offset = base + offset
    return file.offset


def ftruncate(kernel: Kernel, process: Process, number: int, size: int) -> None:
    """Set the size of a file that is open for writing (EINVAL otherwise)."""
    description = process.description(number)
    description.require_fresh()
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
    location = kernel.walk(process, -100, path, Follow.ALWAYS)
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
    description = process.description(number)
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
    source, target = process.description(number_in), process.description(number_out)
    source.require_readable()
    target.require_writable()
    if isinstance(source, OpenDirectory) or isinstance(target, OpenDirectory):
        raise failure(errno.EISDIR)
    if not isinstance(source, OpenFile) or not isinstance(target, OpenFile):
        raise failure(errno.EINVAL)
    source.require_fresh()
    target.require_fresh()
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


def fsync(kernel: Kernel, process: Process, number: int) -> None:
    """Return once the volume is durable; EINVAL on a pipe or FIFO."""
    description = process.description(number)
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.EINVAL)
    assert isinstance(description, InodeDescription)
    description.require_fresh()
    description.filesystem.sync()


def sync(kernel: Kernel, process: Process) -> None:
    """Every volume, but those with an open transaction."""
    for volume in kernel.volumes:
        if volume.owner is None:
            volume.sync()


def getdents(
    kernel: Kernel, process: Process, number: int, count: int
) -> tuple[tuple[bytes, str], ...]:
    """The next (name, kind) pairs of a directory, empty at the end."""
    description = process.description(number)
    if not isinstance(description, OpenDirectory):
        raise failure(errno.ENOTDIR)
    if count < 1:
        raise failure(errno.EINVAL)
    if not description.attributes().nlink:
        raise failure(errno.ENOENT)
    filesystem = description.filesystem
    found = filesystem.entries(description.number, description.cursor, count)
    if found:
        description.cursor = found[-1][0]
    return tuple(
        (cursor.name, kind_of(filesystem.attributes(child).mode)) for cursor, child in found
    )


def kind_of(mode: int) -> str:
    """The kind that a mode's type bits say."""
    kinds = {0o100000: "file", 0o040000: "directory", 0o120000: "symlink", 0o010000: "fifo"}
    return kinds[mode & 0o170000]
