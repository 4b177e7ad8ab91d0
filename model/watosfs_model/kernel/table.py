"""The descriptor table of a process: looking up, adding, closing [K1, K2, L3]."""

import errno
from collections.abc import Collection

from watosfs_model.kernel.change import Change
from watosfs_model.kernel.state import PIPES, Description, Descriptor
from watosfs_model.open_flags import O_ACCMODE, O_RDONLY, O_WRONLY
from watosfs_model.resolution import Refused


def number_of(change: Change, fd: int) -> int:
    """The number of the description behind a descriptor. Raises Refused(EBADF) [D5]."""
    found = change.process.descriptors.get(fd)
    if found is None:
        raise Refused(errno.EBADF)
    return found.description


def description_of(change: Change, fd: int, errnos: Collection[int] = ()) -> Description:
    """The description behind a descriptor, for everything that touches the file. Raises Refused:
    EBADF [D5], ESTALE when the process cannot see the file (any longer) [X5, Y4]; ``errnos``, what
    is wrong with the other arguments, is permitted as well then.
    """
    descriptor = change.process.descriptors.get(fd)
    if descriptor is None:
        raise Refused(errno.EBADF, *errnos)
    description = change.descriptions[descriptor.description]
    file = description.file
    if description.is_stale or (file[0] != PIPES and change.seen(file) is None):
        raise Refused(errno.ESTALE, *errnos)
    return description


def can_read(description: Description) -> bool:
    """Whether it was opened for reading."""
    return description.flags & O_ACCMODE != O_WRONLY


def can_write(description: Description) -> bool:
    """Whether it was opened for writing."""
    return description.flags & O_ACCMODE != O_RDONLY


def lowest_free(change: Change, start: int = 0) -> int:
    """The lowest number from ``start`` on that is not in use [K2]."""
    while start in change.process.descriptors:
        start += 1
    return start


def full_checks(change: Change, start: int = 0) -> set[int]:
    """EMFILE when no number below the limit is free [K2]."""
    is_full = lowest_free(change, start) >= change.process.limit
    return {errno.EMFILE} if is_full else set()


def install(change: Change, fd: int, description: int, *, is_closed_on_exec: bool = False) -> int:
    """Let a number lead to a description; gives the number."""
    descriptor = Descriptor(description, is_closed_on_exec)
    change.set_process(descriptors={**change.process.descriptors, fd: descriptor})
    return fd


def close(change: Change, fd: int) -> None:
    """Take a descriptor away. The process loses its record locks on the file [L3]; a description
    goes with its last descriptor, and with it its flock, pipe end and nameless file [K1].
    """
    descriptors = dict(change.process.descriptors)
    number = descriptors.pop(fd).description
    change.set_process(descriptors=descriptors)
    description = change.descriptions[number]
    file = description.file
    if file in change.ranges:
        kept = tuple(lock for lock in change.ranges[file] if lock.pid != change.pid)
        change.ranges = {**change.ranges, file: kept}
        if not kept:
            change.ranges = {f: locks for f, locks in change.ranges.items() if locks}
    is_shared = any(
        descriptor.description == number
        for process in change.everybody().values()
        for descriptor in process.descriptors.values()
    )
    if is_shared:
        return
    change.descriptions = {n: d for n, d in change.descriptions.items() if n != number}
    if number in change.flocks:
        change.flocks = {n: kind for n, kind in change.flocks.items() if n != number}
    if file in change.pipes and all(d.file != file for d in change.descriptions.values()):
        change.pipes = {f: pipe for f, pipe in change.pipes.items() if f != file}  # [Q2]
    if not description.is_stale:
        change.reap(file)
