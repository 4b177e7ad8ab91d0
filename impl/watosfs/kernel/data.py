"""Data through descriptors: read, write, their positioned forms, offsets, listings."""

import errno

from watosfs.errors import failure
from watosfs.kernel import pipes
from watosfs.kernel.descriptions import (
    START,
    Description,
    OpenDirectory,
    OpenFifo,
    OpenFile,
    PipeEnd,
)
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    FILE_SIZE_MAX,
    O_APPEND,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
)
from watosfs.kernel.process import Process
from watosfs.vfs.access import mode_after_write

#: No read gives more (Linux).
READ_BYTES_MAX = 0x7FFFF000


def regular(description: Description) -> OpenFile:
    """The description of a regular file. Raises ESPIPE on a pipe, EISDIR on a directory."""
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.ESPIPE)
    if not isinstance(description, OpenFile):
        raise failure(errno.EISDIR)
    return description


def read(kernel: Kernel, process: Process, number: int, count: int) -> bytes:
    """At most ``count`` bytes from the description's offset, which moves; parks on a pipe."""
    description = process.fresh(number)
    description.require_readable()
    if count < 0:
        raise failure(errno.EINVAL)
    if isinstance(description, PipeEnd | OpenFifo):
        return pipes.read(description.pipe, description, count)
    file = regular(description)
    data = file.filesystem.read(file.number, file.offset, min(count, READ_BYTES_MAX))
    file.offset += len(data)
    return data


def write(kernel: Kernel, process: Process, number: int, data: bytes) -> int:
    """All of ``data`` at the offset (the end with O_APPEND), which moves; parks on a pipe."""
    description = process.fresh(number)
    description.require_writable()
    if isinstance(description, PipeEnd | OpenFifo):
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
    description = process.fresh(number)
    description.require_readable()
    if count < 0 or offset < 0:
        raise failure(errno.EINVAL)
    file = regular(description)
    return file.filesystem.read(file.number, offset, min(count, READ_BYTES_MAX))


def pwrite(kernel: Kernel, process: Process, number: int, data: bytes, offset: int) -> int:
    """All of ``data`` at an offset (at the end with O_APPEND)."""
    description = process.fresh(number)
    description.require_writable()
    if offset < 0:
        raise failure(errno.EINVAL)
    write_at(process, regular(description), data, offset)
    return len(data)


def lseek(kernel: Kernel, process: Process, number: int, offset: int, whence: int) -> int:
    """Move the description's offset; where it is now."""
    description = process.fresh(number)
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.ESPIPE)
    if not SEEK_SET <= whence <= SEEK_HOLE:
        raise failure(errno.EINVAL)
    if isinstance(description, OpenDirectory):
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


def getdents(
    kernel: Kernel, process: Process, number: int, count: int
) -> tuple[tuple[bytes, str], ...]:
    """The next (name, kind) pairs of a directory, empty at the end."""
    description = process.fresh(number)
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
