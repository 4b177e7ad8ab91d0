"""read, write, pread, pwrite, truncate, fsync [F1..F7, K5, K6, Y3]."""

import errno

from watosfs_model import content
from watosfs_model.kernel import pipes
from watosfs_model.kernel.access import WRITE, denied, effective, touch_data
from watosfs_model.kernel.calls import (
    FsyncFd,
    FtruncateFd,
    PreadFd,
    PwriteFd,
    Read,
    SyncAll,
    TruncateAt,
    Write,
)
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import AT_FDCWD
from watosfs_model.kernel.pipes import is_pipe
from watosfs_model.kernel.state import Description, File
from watosfs_model.kernel.table import can_read, can_write, description_of, number_of
from watosfs_model.kernel.walking import find
from watosfs_model.open_flags import O_APPEND
from watosfs_model.resolution import Refused
from watosfs_model.state import DIRECTORY, FILE, FILE_SIZE_MAX

#: Linux's MAX_RW_COUNT [K6].
READ_MAX = 0x7FFFF000


def busy_checks(change: Change, file: File) -> set[int]:
    """EBUSY for a change of a volume in somebody else's transaction [Y3]."""
    return {errno.EBUSY} if change.is_others(file[0]) else set()


def number_checks(*numbers: int) -> set[int]:
    """EINVAL for a negative offset or count [F1]."""
    return {errno.EINVAL} if min(numbers) < 0 else set()


def reading_checks(description: Description) -> set[int]:
    errnos = set() if can_read(description) else {errno.EBADF}  # [D5]
    if description.kind == DIRECTORY:
        errnos.add(errno.EISDIR)
    return errnos


def read_checks(change: Change, call: Read) -> set[int]:
    errnos = number_checks(call.count)
    description = description_of(change, call.fd, errnos)
    errnos |= reading_checks(description)
    if not errnos and is_pipe(description):
        return pipes.read_checks(change, description, call.count)
    return errnos


def read_core(change: Change, call: Read) -> object:
    """From the description's offset, which moves behind what was read [K5]."""
    number = number_of(change, call.fd)
    description = change.descriptions[number]
    if is_pipe(description):
        return pipes.read(change, description, call.count)
    inode = change.inode(description.file)
    data = content.read(inode, description.offset, min(call.count, READ_MAX))
    change.set_description(number, offset=description.offset + len(data))
    return data


def pread_checks(change: Change, call: PreadFd) -> set[int]:
    errnos = number_checks(call.count, call.offset)
    description = description_of(change, call.fd, errnos)
    errnos |= reading_checks(description)
    if is_pipe(description):
        errnos.add(errno.ESPIPE)
    return errnos


def pread_core(change: Change, call: PreadFd) -> bytes:
    inode = change.inode(description_of(change, call.fd).file)
    return content.read(inode, call.offset, min(call.count, READ_MAX))


def put_at(change: Change, description: Description, offset: int) -> int:
    """Where a write goes: with O_APPEND the end at that moment [F2]."""
    if description.flags & O_APPEND:
        return change.inode(description.file).size
    return offset


def writing_checks(change: Change, description: Description, offset: int, count: int) -> set[int]:
    errnos = set() if can_write(description) else {errno.EBADF}  # [D5]
    if is_pipe(description):
        return errnos
    if not errnos and put_at(change, description, offset) + count > FILE_SIZE_MAX:
        errnos.add(errno.EFBIG)  # [F1]
    return errnos | busy_checks(change, description.file)


def put(change: Change, description: Description, offset: int, data: bytes) -> int:
    """Write to a file; gives the offset behind it [F3]."""
    inode = change.inode(description.file)
    start = put_at(change, description, offset)
    end = start + len(data)
    if data:
        blocks = content.written(inode.blocks, start, data)
        touch_data(change, description.file, size=max(inode.size, end), blocks=blocks)
    return end


def write_checks(change: Change, call: Write) -> set[int]:
    description = description_of(change, call.fd)
    count = len(call.data)
    errnos = writing_checks(change, description, description.offset, count)
    if not errnos and is_pipe(description):
        return pipes.write_checks(change, description, count)
    return errnos


def write_core(change: Change, call: Write) -> object:
    """At the description's offset, which moves behind what was written [K5]."""
    number = number_of(change, call.fd)
    description = change.descriptions[number]
    data = call.data.bytes()
    if is_pipe(description):
        return pipes.write(change, description, data)
    end = put(change, description, description.offset, data)
    if data:
        change.set_description(number, offset=end)
    return len(data)


def pwrite_checks(change: Change, call: PwriteFd) -> set[int]:
    errnos = number_checks(call.offset)
    description = description_of(change, call.fd, errnos)
    errnos |= writing_checks(change, description, call.offset, len(call.data))
    if is_pipe(description):
        errnos.add(errno.ESPIPE)
    return errnos


def pwrite_core(change: Change, call: PwriteFd) -> int:
    data = call.data.bytes()
    put(change, description_of(change, call.fd), call.offset, data)
    return len(data)


def size_checks(size: int) -> set[int]:
    errnos = {errno.EINVAL} if size < 0 else set[int]()
    if size > FILE_SIZE_MAX:
        errnos.add(errno.EFBIG)
    return errnos


def ftruncate_checks(change: Change, call: FtruncateFd) -> set[int]:
    errnos = size_checks(call.size)
    description = description_of(change, call.fd, errnos)
    if description.kind != FILE or not can_write(description):
        errnos.add(errno.EINVAL)  # [F7]
    if not is_pipe(description):
        errnos |= busy_checks(change, description.file)
    return errnos


def ftruncate_core(change: Change, call: FtruncateFd) -> None:
    set_size(change, description_of(change, call.fd).file, call.size)


def set_size(change: Change, file: File, size: int) -> None:
    """Cut, or grow with zeros [F6]; set-id bits go [A10]."""
    touch_data(change, file, size=size, blocks=content.cut(change.inode(file).blocks, size))


def truncate_checks(change: Change, call: TruncateAt) -> set[int]:
    errnos = size_checks(call.size)
    try:
        file = find(change, AT_FDCWD, call.path)
    except Refused as refused:
        return errnos | refused.errnos
    inode = change.inode(file)
    errnos |= denied(inode, effective(change), WRITE)  # [A3]
    if inode.kind != FILE:
        errnos.add(errno.EISDIR if inode.kind == DIRECTORY else errno.EINVAL)
    return errnos | busy_checks(change, file)


def truncate_core(change: Change, call: TruncateAt) -> None:
    set_size(change, find(change, AT_FDCWD, call.path), call.size)


def fsync_checks(change: Change, call: FsyncFd) -> set[int]:
    """EINVAL on a pipe or FIFO [Q2]; EBUSY on a volume in a transaction, anybody's [X2]."""
    description = description_of(change, call.fd)
    volume = description.file[0]
    errnos = {errno.EINVAL} if is_pipe(description) else set[int]()
    if volume in range(len(change.disks)) and change.disks[volume].begun is not None:
        errnos.add(errno.EBUSY)
    return errnos


def nothing_core(change: Change, call: FsyncFd | SyncAll) -> None:
    """Nothing that a process could see."""


def never_checks(change: Change, call: object) -> set[int]:
    """It cannot fail."""
    return set()
