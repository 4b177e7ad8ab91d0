"""Calls on a range of a file: fallocate and copy_file_range [K10, K11]."""

import errno

from watosfs_model import content
from watosfs_model.kernel.access import touch_data
from watosfs_model.kernel.calls import CopyFileRange, Fallocate
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import (
    FALLOC_KEEP_SIZE,
    FALLOC_PUNCH_HOLE,
    FALLOC_ZERO_RANGE,
)
from watosfs_model.kernel.pipes import is_pipe
from watosfs_model.kernel.reading_writing import busy_checks
from watosfs_model.kernel.state import Description
from watosfs_model.kernel.table import can_read, can_write, description_of, number_of
from watosfs_model.open_flags import O_APPEND
from watosfs_model.state import DIRECTORY, FILE, FILE_SIZE_MAX

FALLOCATE_MODES = (
    0,
    FALLOC_KEEP_SIZE,
    FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE,
    FALLOC_ZERO_RANGE,
    FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE,
)
OWN_OFFSET = -1


def fallocate_checks(change: Change, call: Fallocate) -> set[int]:
    errnos = set() if call.mode in FALLOCATE_MODES else {errno.EOPNOTSUPP}
    if call.offset < 0 or call.length <= 0:
        errnos.add(errno.EINVAL)
    elif call.offset + call.length > FILE_SIZE_MAX:
        errnos.add(errno.EFBIG)
    description = description_of(change, call.fd, errnos)
    if not can_write(description):
        errnos.add(errno.EBADF)
    if description.kind == DIRECTORY:
        errnos.add(errno.EISDIR)
    if is_pipe(description):
        return errnos | {errno.ESPIPE}
    return errnos | busy_checks(change, description.file)


def fallocate_core(change: Change, call: Fallocate) -> None:
    """Grow, or zero a range, or nothing but times; set-id bits go [K10, A10]."""
    file = description_of(change, call.fd).file
    inode = change.inode(file)
    end = call.offset + call.length
    blocks = inode.blocks
    if call.mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE):
        blocks = content.zeroed(blocks, call.offset, end)
    size = inode.size if call.mode & FALLOC_KEEP_SIZE else max(inode.size, end)
    touch_data(change, file, size=size, blocks=blocks)


def offsets(change: Change, call: CopyFileRange) -> tuple[int, int]:
    """Where copying begins in both files."""
    source = description_of(change, call.fd_in)
    target = description_of(change, call.fd_out)
    return (
        source.offset if call.offset_in == OWN_OFFSET else call.offset_in,
        target.offset if call.offset_out == OWN_OFFSET else call.offset_out,
    )


def copy_checks(change: Change, call: CopyFileRange) -> set[int]:
    is_negative = call.count < 0 or min(call.offset_in, call.offset_out) < OWN_OFFSET
    errnos = {errno.EINVAL} if is_negative else set[int]()
    source = description_of(change, call.fd_in, errnos)
    target = description_of(change, call.fd_out, errnos)
    if not can_read(source) or not can_write(target) or target.flags & O_APPEND:
        errnos.add(errno.EBADF)
    for description in (source, target):
        if description.kind != FILE:
            errnos.add(errno.EISDIR if description.kind == DIRECTORY else errno.EINVAL)
    if source.file[0] != target.file[0]:
        errnos.add(errno.EXDEV)
    if not is_pipe(target):
        errnos |= busy_checks(change, target.file)
    start_in, start_out = offsets(change, call)
    if max(start_in, start_out) + call.count > FILE_SIZE_MAX:
        errnos.add(errno.EOVERFLOW)
    if not errnos and source.file == target.file:
        count = copied_count(change, source, start_in, call.count)
        if count and abs(start_in - start_out) < count:
            errnos.add(errno.EINVAL)
    return errnos


def copied_count(change: Change, source: Description, start: int, count: int) -> int:
    """Nothing is copied from beyond the end."""
    return max(0, min(count, change.inode(source.file).size - start))


def copy_core(change: Change, call: CopyFileRange) -> int:
    source = description_of(change, call.fd_in)
    target = description_of(change, call.fd_out)
    start_in, start_out = offsets(change, call)
    count = copied_count(change, source, start_in, call.count)
    if not count:
        return 0
    inode = change.inode(target.file)
    blocks = content.zeroed(inode.blocks, start_out, start_out + count)
    found = content.pieces(change.inode(source.file).blocks, start_in, start_in + count)
    for offset, piece in found:
        content.overwrite(blocks, offset - start_in + start_out, piece)
    size = max(inode.size, start_out + count)
    touch_data(change, target.file, size=size, blocks=blocks)
    if call.offset_in == OWN_OFFSET:
        change.set_description(number_of(change, call.fd_in), offset=start_in + count)
    if call.offset_out == OWN_OFFSET:
        change.set_description(number_of(change, call.fd_out), offset=start_out + count)
    return count
