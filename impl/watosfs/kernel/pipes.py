"""Pipes and FIFOs: 65,536 bytes, writes of at most PIPE_BUF whole or not at all."""

import errno
from typing import TYPE_CHECKING

from watosfs.errors import failure
from watosfs.kernel.descriptions import Description, Pipe, PipeEnd
from watosfs.kernel.numbers import (
    O_CLOEXEC,
    O_NONBLOCK,
    O_RDONLY,
    O_WRONLY,
    PIPE_BUF,
    PIPE_CAPACITY,
)
from watosfs.kernel.process import Process, WouldBlock

if TYPE_CHECKING:
    from watosfs.kernel.kernel import Kernel


def pipe2(kernel: "Kernel", process: Process, flags: int) -> tuple[int, int]:
    """(read end, write end) of a new pipe."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise failure(errno.EINVAL)
    first = process.lowest_free()
    second = process.lowest_free(first + 1)
    credentials = process.credentials
    pipe = Pipe((credentials.euid, credentials.egid), kernel.clock())
    closes = flags & O_CLOEXEC != 0
    status = flags & O_NONBLOCK
    kernel.install(process, first, PipeEnd(O_RDONLY | status, pipe), closes)
    kernel.install(process, second, PipeEnd(O_WRONLY | status, pipe), closes)
    return first, second


def read(pipe: Pipe, description: Description, count: int) -> bytes:
    """What is there; nothing at the end of the last writer; EAGAIN or parks when a writer may yet
    come with something.
    """
    if not count:
        return b""
    if not pipe.buffer and pipe.writers:
        if description.is_nonblocking:
            raise failure(errno.EAGAIN)
        raise WouldBlock(("pipe", id(pipe)))
    data = bytes(pipe.buffer[:count])
    del pipe.buffer[:count]
    return data


def write(pipe: Pipe, description: Description, process: Process, data: bytes) -> int:
    """Put ``data`` in: up to PIPE_BUF at once, more in parts as room comes (what fits, without
    blocking). EPIPE without readers, or the count of what was in before the last went.
    """
    if not data:
        return 0
    if not pipe.readers:
        if process.progress:
            return process.progress
        raise failure(errno.EPIPE)
    room = PIPE_CAPACITY - len(pipe.buffer)
    rest = data[process.progress :]
    is_atomic = len(data) <= PIPE_BUF
    if len(rest) <= room:
        pipe.buffer += rest
        return len(data)
    part = 0 if is_atomic else room
    pipe.buffer += rest[:part]
    if description.is_nonblocking:
        if not process.progress + part:
            raise failure(errno.EAGAIN)
        return process.progress + part
    process.progress += part
    raise WouldBlock(("pipe", id(pipe)))
