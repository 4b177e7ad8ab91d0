"""sendfile, syncfs, sync_file_range, statfs and fstatfs [K13..K15]."""

import errno

from watosfs_model import content
from watosfs_model.kernel.attribute_calls import (
    FstatfsFd,
    Sendfile,
    StatfsAt,
    SyncFileRange,
    Syncfs,
)
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import AT_FDCWD, PIPE_CAPACITY
from watosfs_model.kernel.pipes import has_reader, is_pipe, must_wait
from watosfs_model.kernel.ranges import OWN_OFFSET, copied_count
from watosfs_model.kernel.reading_writing import READ_MAX, put, writing_checks
from watosfs_model.kernel.state import Description
from watosfs_model.kernel.table import can_read, description_of, number_of
from watosfs_model.kernel.walking import find
from watosfs_model.open_flags import O_APPEND
from watosfs_model.state import FILE, FILE_SIZE_MAX

_ALL_FLAGS = 7


def send_start(call: Sendfile, source: Description) -> int:
    """Where sending begins."""
    return source.offset if call.offset == OWN_OFFSET else call.offset


def send_count(change: Change, call: Sendfile, source: Description) -> int:
    """What there is to send."""
    return copied_count(change, source, send_start(call, source), min(call.count, READ_MAX))


def sendfile_checks(change: Change, call: Sendfile) -> set[int]:
    """What is wrong with arguments and ends; then what the output says of so many bytes [K13]."""
    is_negative = call.count < 0 or call.offset < OWN_OFFSET
    errnos = {errno.EINVAL} if is_negative else set[int]()
    source = description_of(change, call.fd_in, errnos)
    if not can_read(source):
        errnos.add(errno.EBADF)
    if source.kind != FILE:
        errnos.add(errno.EINVAL)
    if is_pipe(source) and call.offset != OWN_OFFSET:
        errnos.add(errno.ESPIPE)
    target = description_of(change, call.fd_out, errnos)
    if target.flags & O_APPEND or source.file == target.file:
        errnos.add(errno.EINVAL)
    errnos |= writing_checks(change, target, target.offset, 0)
    if is_pipe(target) and call.count and not has_reader(change, target.file):
        errnos.add(errno.EPIPE)
    if errnos:
        return errnos
    count = send_count(change, call, source)
    if not count:
        return set()
    if not is_pipe(target):
        return writing_checks(change, target, target.offset, count)
    is_full = len(change.pipes[target.file].data) >= PIPE_CAPACITY
    return {errno.EAGAIN} if is_full and not must_wait(change, target) else set()


def sendfile_core(change: Change, call: Sendfile) -> object:
    """As a read and a write; a pipe takes what fits, and what does not is not read [K13]."""
    number_in, number_out = number_of(change, call.fd_in), number_of(change, call.fd_out)
    source, target = change.descriptions[number_in], change.descriptions[number_out]
    start, count = send_start(call, source), send_count(change, call, source)
    if not count:
        return 0
    inode = change.inode(source.file)
    if is_pipe(target):
        pipe = change.pipes[target.file]
        count = min(count, PIPE_CAPACITY - len(pipe.data))
        if not count:
            return change.park()
        data = content.read(inode, start, count)
        change.pipes = {**change.pipes, target.file: pipe._replace(data=pipe.data + data)}
    else:
        end = put(change, target, target.offset, content.read(inode, start, count))
        change.set_description(number_out, offset=end)
    if call.offset == OWN_OFFSET:
        change.set_description(number_in, offset=start + count)
    return count


def syncfs_checks(change: Change, call: Syncfs) -> set[int]:
    """EBUSY on a volume in a transaction, anybody's [K14, X2]."""
    volume = description_of(change, call.fd).file[0]
    is_busy = volume in range(len(change.disks)) and change.disks[volume].begun is not None
    return {errno.EBUSY} if is_busy else set()


def sync_range_checks(change: Change, call: SyncFileRange) -> set[int]:
    """It checks its arguments and promises nothing [K14]."""
    errnos = {errno.EINVAL} if call.flags & ~_ALL_FLAGS else set[int]()
    if min(call.offset, call.count) < 0 or call.offset + call.count > FILE_SIZE_MAX:
        errnos.add(errno.EINVAL)
    description = description_of(change, call.fd, errnos)
    return errnos | ({errno.ESPIPE} if is_pipe(description) else set())


def statfs_checks(change: Change, call: StatfsAt) -> set[int]:
    find(change, AT_FDCWD, call.path)
    return set()


def fstatfs_checks(change: Change, call: FstatfsFd) -> set[int]:
    description_of(change, call.fd)
    return set()


def silent_core(change: Change, call: object) -> None:
    """Nothing that a process could see [K14, K15]."""
