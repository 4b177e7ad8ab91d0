"""Data from one descriptor to another: copy_file_range, sendfile."""

import errno

from watosfs.errors import failure
from watosfs.kernel.data import READ_BYTES_MAX, write_at
from watosfs.kernel.descriptions import OpenDirectory, OpenFifo, OpenFile, PipeEnd
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import FILE_SIZE_MAX, O_APPEND, PIPE_CAPACITY
from watosfs.kernel.process import Process, WouldBlock
from watosfs.vfs.access import mode_after_write

#: Copied at once.
COPY_BYTES = 1 << 20


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


def sendfile(
    kernel: Kernel, process: Process, number_out: int, number_in: int, offset: int, count: int
) -> int:
    """Send from a file (at its own offset when ``offset`` is -1) to another file, or to a pipe as
    far as there is room; the count.
    """
    source, target = process.fresh(number_in), process.fresh(number_out)
    source.require_readable()
    target.require_writable()
    if not isinstance(source, OpenFile) or count < 0 or offset < -1:
        raise failure(errno.EINVAL)
    if target.flags & O_APPEND or source.identity == target.identity:
        raise failure(errno.EINVAL)
    if isinstance(target, OpenFile):
        target.filesystem.require_change()
    elif isinstance(target, PipeEnd | OpenFifo) and count and not target.pipe.readers:
        raise failure(errno.EPIPE)
    start = source.offset if offset == -1 else offset
    length = max(min(count, READ_BYTES_MAX, source.attributes().size - start), 0)
    if length and isinstance(target, PipeEnd | OpenFifo):
        sent = send_to_pipe(source, start, target, length)
    elif length:
        assert isinstance(target, OpenFile)
        sent = send_to_file(process, source, start, target, length)
    else:
        sent = 0
    if offset == -1:
        source.offset += sent
    return sent


def send_to_pipe(source: OpenFile, start: int, target: PipeEnd | OpenFifo, length: int) -> int:
    """As much as fits; EAGAIN, or parks, when nothing does."""
    pipe = target.pipe
    room = PIPE_CAPACITY - len(pipe.buffer)
    if not room:
        if target.is_nonblocking:
            raise failure(errno.EAGAIN)
        raise WouldBlock(("pipe", id(pipe)))
    data = source.filesystem.read(source.number, start, min(length, room))
    pipe.buffer += data
    return len(data)


def send_to_file(
    process: Process, source: OpenFile, start: int, target: OpenFile, length: int
) -> int:
    """Piece by piece; what is written before an error is the count."""
    if target.offset + length > FILE_SIZE_MAX:
        raise failure(errno.EFBIG)
    sent = 0
    while sent < length:
        piece = min(length - sent, COPY_BYTES)
        data = source.filesystem.read(source.number, start + sent, piece)
        try:
            target.offset = write_at(process, target, data, target.offset)
        except OSError:
            if not sent:
                raise
            break
        sent += len(data)
    return sent
