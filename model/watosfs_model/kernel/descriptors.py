"""close, dup, dup2, dup3, fcntl and lseek [K1..K4, K7, K8]."""

import errno

from watosfs_model import content
from watosfs_model.kernel.calls import CloseFd, Dup, Dup2, Dup3, Fcntl, Lseek
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.listing import new_scan
from watosfs_model.kernel.numbers import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
)
from watosfs_model.kernel.pipes import is_pipe
from watosfs_model.kernel.table import (
    close,
    description_of,
    full_checks,
    install,
    lowest_free,
    number_of,
)
from watosfs_model.open_flags import O_APPEND, O_CLOEXEC, O_NONBLOCK
from watosfs_model.state import BLOCK_BYTES, DIRECTORY, FILE_SIZE_MAX, Difference, Inode


def open_checks(change: Change, fd: int) -> set[int]:
    """EBADF for a number that is not open; a stale description will do [D5, X5]."""
    return set() if fd in change.process.descriptors else {errno.EBADF}


def close_checks(change: Change, call: CloseFd) -> set[int]:
    return open_checks(change, call.fd)


def close_core(change: Change, call: CloseFd) -> None:
    close(change, call.fd)


def dup_checks(change: Change, call: Dup) -> set[int]:
    return open_checks(change, call.fd) | full_checks(change)


def dup_core(change: Change, call: Dup) -> int:
    """The lowest free number, sharing everything but close-on-exec [K1, K2]."""
    return install(change, lowest_free(change), number_of(change, call.fd))


def is_beyond(change: Change, fd: int) -> bool:
    """Not a number that a descriptor may have [K2]."""
    return not 0 <= fd < change.process.limit


def dup2_checks(change: Change, call: Dup2) -> set[int]:
    errnos = open_checks(change, call.old)
    if is_beyond(change, call.new) and call.old != call.new:
        errnos.add(errno.EBADF)  # [K3]
    return errnos


def dup2_core(change: Change, call: Dup2) -> int:
    """Onto itself it does nothing; otherwise what was there is closed first, silently [K3]."""
    if call.old != call.new:
        replaced(change, call.old, call.new, is_closed_on_exec=False)
    return call.new


def replaced(change: Change, old: int, new: int, *, is_closed_on_exec: bool) -> None:
    """Let ``new`` lead where ``old`` leads."""
    number = number_of(change, old)
    if new in change.process.descriptors:
        close(change, new)
    install(change, new, number, is_closed_on_exec=is_closed_on_exec)


def dup3_checks(change: Change, call: Dup3) -> set[int]:
    errnos = open_checks(change, call.old)
    if is_beyond(change, call.new):
        errnos.add(errno.EBADF)
    if call.old == call.new or call.flags & ~O_CLOEXEC:
        errnos.add(errno.EINVAL)  # [K3]
    return errnos


def dup3_core(change: Change, call: Dup3) -> int:
    replaced(change, call.old, call.new, is_closed_on_exec=bool(call.flags & O_CLOEXEC))
    return call.new


def fcntl_checks(change: Change, call: Fcntl) -> set[int]:
    errnos = open_checks(change, call.fd)
    if call.command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if is_beyond(change, call.argument):
            errnos.add(errno.EINVAL)  # [K4]
        else:
            errnos |= full_checks(change, call.argument)
    elif call.command not in (F_GETFD, F_SETFD, F_GETFL, F_SETFL):
        errnos.add(errno.EINVAL)  # [K4]
    return errnos


def fcntl_core(change: Change, call: Fcntl) -> int:
    """POSIX fcntl [K4]: F_SETFD is the descriptor's, F_SETFL the description's."""
    number = number_of(change, call.fd)
    description = change.descriptions[number]
    if call.command in (F_DUPFD, F_DUPFD_CLOEXEC):
        fd = lowest_free(change, call.argument)
        on_exec = call.command == F_DUPFD_CLOEXEC
        return install(change, fd, number, is_closed_on_exec=on_exec)
    if call.command == F_GETFD:
        return FD_CLOEXEC if change.process.descriptors[call.fd].is_closed_on_exec else 0
    if call.command == F_GETFL:
        return description.flags
    if call.command == F_SETFD:
        on_exec = bool(call.argument & FD_CLOEXEC)
        install(change, call.fd, number, is_closed_on_exec=on_exec)
        return 0
    changed = O_APPEND | O_NONBLOCK
    flags = description.flags & ~changed | call.argument & changed
    change.set_description(number, flags=flags)
    return 0


def lseek_checks(change: Change, call: Lseek) -> set[int]:
    errnos = set() if SEEK_SET <= call.whence <= SEEK_HOLE else {errno.EINVAL}
    description = description_of(change, call.fd, errnos)
    if is_pipe(description):
        return errnos | {errno.ESPIPE}
    if description.kind == DIRECTORY:
        is_rewind = call.offset == 0 and call.whence == SEEK_SET
        return set() if is_rewind else {errno.EINVAL}  # [K9]
    if errnos:
        return errnos
    inode = change.inode(description.file)
    if call.whence in (SEEK_DATA, SEEK_HOLE):
        return set() if 0 <= call.offset < inode.size else {errno.ENXIO}  # [K8]
    base = {SEEK_SET: 0, SEEK_CUR: description.offset, SEEK_END: inode.size}[call.whence]
    if base + call.offset < 0:
        return {errno.EINVAL}
    if base + call.offset > FILE_SIZE_MAX:
        return {errno.EINVAL, errno.EOVERFLOW}  # [K7]
    return set()


def lseek_allowed(change: Change, call: Lseek) -> set[int]:
    """ENXIO besides success: no data follows, as far as anybody can tell [K8]."""
    inode = change.inode(description_of(change, call.fd).file)
    if call.whence != SEEK_DATA:
        return set()
    data = content.first_nonzero(inode.blocks, call.offset, inode.size)
    return {errno.ENXIO} if data is None else set()


def lseek_core(change: Change, call: Lseek) -> int:
    number = number_of(change, call.fd)
    description = change.descriptions[number]
    if description.kind == DIRECTORY:
        change.set_description(number, scan=new_scan(change, description.file))  # [K9]
        return 0
    inode = change.inode(description.file)
    if call.whence in (SEEK_DATA, SEEK_HOLE):
        offset = sought(change, call, inode)
    else:
        base = {SEEK_SET: 0, SEEK_CUR: description.offset, SEEK_END: inode.size}[call.whence]
        offset = base + call.offset
    change.set_description(number, offset=offset)
    return offset


def sought(change: Change, call: Lseek, inode: Inode) -> int:
    """Where data or a hole is: by blocks, or what was observed if that is true [K8]."""
    blocks, start, size = inode.blocks, call.offset, inode.size
    if change.observed is None:
        if call.whence == SEEK_DATA:
            later = [index * BLOCK_BYTES for index in blocks if (index + 1) * BLOCK_BYTES > start]
            return max(start, min(later, default=0))
        index = start // BLOCK_BYTES
        while index in blocks:
            index += 1
        return min(size, max(start, index * BLOCK_BYTES))
    value = change.observed.value
    if not isinstance(value, int) or not start <= value <= size:
        raise Difference(f"lseek gives {value!r} for {start} in a file of {size} bytes")
    if call.whence == SEEK_DATA:
        skipped = content.first_nonzero(blocks, start, value)
        if value == size or skipped is not None:
            raise Difference(f"SEEK_DATA from {start} gives {value}, data is at {skipped}")
    elif value < size and content.first_nonzero(blocks, value, value + 1) is not None:
        raise Difference(f"SEEK_HOLE from {start} gives {value}, where there is data")
    return value
