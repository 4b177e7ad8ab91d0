"""Pipes and FIFOs: what they hold, who is at their ends, when reads and writes wait [Q1..Q7]."""

import errno

from watosfs_model.kernel.calls import Openat
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import PIPE_BUF, PIPE_CAPACITY
from watosfs_model.kernel.process_calls import Pipe2
from watosfs_model.kernel.state import PIPE, PIPES, Description, File, Pipe
from watosfs_model.kernel.table import can_read, can_write, install, lowest_free
from watosfs_model.open_flags import (
    O_ACCMODE,
    O_CLOEXEC,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
)
from watosfs_model.state import FIFO


def is_pipe(description: Description) -> bool:
    """A pipe's end or a FIFO's."""
    return description.kind in (PIPE, FIFO)


def has_reader(change: Change, file: File) -> bool:
    return any(d.file == file and can_read(d) for d in change.descriptions.values())


def has_writer(change: Change, file: File) -> bool:
    return any(d.file == file and can_write(d) for d in change.descriptions.values())


def is_answered(change: Change, file: File, access: int) -> bool:
    """Whether an open of a FIFO need not wait: the other end is open, or waits itself [Q1]."""
    if access == O_RDWR:
        return True
    other = O_RDONLY if access == O_WRONLY else O_WRONLY
    for pid, process in change.processes.items():
        parked = process.parked
        if pid != change.pid and parked is not None and parked.fifo == file:
            assert isinstance(parked.call, Openat)
            if parked.call.flags & O_ACCMODE == other:
                return True
    return has_writer(change, file) if access == O_RDONLY else has_reader(change, file)


def pipe2_checks(change: Change, call: Pipe2) -> set[int]:
    errnos = {errno.EINVAL} if call.flags & ~(O_CLOEXEC | O_NONBLOCK) else set[int]()
    second = lowest_free(change, lowest_free(change) + 1)
    if second >= change.process.limit:
        errnos.add(errno.EMFILE)  # [K2]
    return errnos


def pipe2_core(change: Change, call: Pipe2) -> tuple[int, int]:
    """Two descriptors of a new pipe: the read end has the lower number [Q3]."""
    process = change.process
    file = (PIPES, change.next_pipe)
    change.next_pipe += 1
    pipe = Pipe(b"", process.uids[1], process.gids[1], change.now_ns)
    change.pipes = {**change.pipes, file: pipe}
    flags = call.flags & O_NONBLOCK
    is_closed_on_exec = bool(call.flags & O_CLOEXEC)
    ends = []
    for access in (O_RDONLY, O_WRONLY):
        number = change.new_description(Description(PIPE, file, access | flags))
        fd = lowest_free(change)
        ends.append(install(change, fd, number, is_closed_on_exec=is_closed_on_exec))
    return ends[0], ends[1]


def must_wait(change: Change, description: Description) -> bool:
    return not description.flags & O_NONBLOCK


def read_checks(change: Change, description: Description, count: int) -> set[int]:
    """EAGAIN: nothing there, a writer, and no wish to wait [Q5]."""
    file = description.file
    is_empty = count > 0 and not change.pipes[file].data and has_writer(change, file)
    return {errno.EAGAIN} if is_empty and not must_wait(change, description) else set()


def read(change: Change, description: Description, count: int) -> object:
    """What there is, at most ``count`` bytes; without writers none is the end [Q5]."""
    file = description.file
    pipe = change.pipes[file]
    if count > 0 and not pipe.data and has_writer(change, file):
        return change.park()
    change.pipes = {**change.pipes, file: pipe._replace(data=pipe.data[count:])}
    return pipe.data[:count]


def fitting(change: Change, file: File, count: int, done: int) -> int:
    """How much of a write goes in now: up to PIPE_BUF all or nothing [Q4]."""
    room = PIPE_CAPACITY - len(change.pipes[file].data)
    rest = count - done
    if rest <= room:
        return rest
    return room if count > PIPE_BUF else 0


def write_checks(change: Change, description: Description, count: int) -> set[int]:
    """EPIPE without readers [Q3]; EAGAIN when nothing fits and nobody wants to wait [Q4]."""
    file = description.file
    if count == 0:
        return set()
    if not has_reader(change, file):
        return {errno.EPIPE}
    is_full = fitting(change, file, count, change.done) == 0
    return {errno.EAGAIN} if is_full and not must_wait(change, description) else set()


def write(change: Change, description: Description, data: bytes) -> object:
    """Put in what fits, and wait with the rest; without waiting the count is what fitted [Q4,
    Q7].
    """
    file = description.file
    pipe = change.pipes[file]
    fits = fitting(change, file, len(data), change.done)
    done = change.done + fits
    content = pipe.data + data[change.done : done]
    change.pipes = {**change.pipes, file: pipe._replace(data=content)}
    if done < len(data) and must_wait(change, description):
        return change.park(done=done)
    return done
