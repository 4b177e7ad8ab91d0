"""Explicit transactions of a process on a volume, and what the others see [X1..X6, Y1..Y5]."""

import errno

from watosfs_model.kernel.change import Change
from watosfs_model.kernel.process_calls import AbortAt, BeginAt, CommitAt
from watosfs_model.kernel.state import PIPES
from watosfs_model.kernel.table import description_of
from watosfs_model.state import Volume


def volume_of(change: Change, fd: int) -> int:
    """The volume that a descriptor is on, PIPES for an anonymous pipe. Raises Refused."""
    return description_of(change, fd).file[0]


def begin_checks(change: Change, call: BeginAt) -> set[int]:
    volume = volume_of(change, call.fd)
    if volume == PIPES:
        return {errno.EINVAL}  # [Y1]
    return set() if change.disks[volume].begun is None else {errno.EBUSY}  # [X1]


def begin_core(change: Change, call: BeginAt) -> None:
    volume = volume_of(change, call.fd)
    change.set_disk(volume, begun=change.disks[volume].volume, owner=change.pid)


def end_checks(change: Change, call: CommitAt | AbortAt) -> set[int]:
    """EINVAL when there is none [X1], EBUSY when it is somebody else's [Y3]."""
    volume = volume_of(change, call.fd)
    if volume == PIPES or change.disks[volume].begun is None:
        return {errno.EINVAL}
    return {errno.EBUSY} if change.is_others(volume) else set()


def commit_core(change: Change, call: CommitAt) -> None:
    volume = volume_of(change, call.fd)
    change.set_disk(volume, begun=None, owner=0)  # [X3]
    reclaim(change, volume)


def abort_core(change: Change, call: AbortAt) -> None:
    abort(change, volume_of(change, call.fd))


def abort(change: Change, volume: int) -> None:
    """The volume as it was at begin [X4]; descriptions of what vanishes turn stale, and lose their
    locks and what their FIFO held [X5, Y5].
    """
    change.fold()
    disk = change.disks[volume]
    begun = disk.begun
    assert begun is not None
    back = Volume(begun.inodes, disk.volume.next_number)
    change.set_disk(volume, volume=back, begun=None, owner=0)
    for number, description in change.descriptions.items():
        file = description.file
        if file[0] == volume and file[1] not in begun.inodes and not description.is_stale:
            change.set_description(number, is_stale=True, offset=0, scan=None)
            change.flocks = {n: kind for n, kind in change.flocks.items() if n != number}
            change.ranges = {f: locks for f, locks in change.ranges.items() if f != file}
            change.pipes = {f: pipe for f, pipe in change.pipes.items() if f != file}
    reclaim(change, volume)


def reclaim(change: Change, volume: int) -> None:
    """After a transaction: nameless inodes that nobody uses go [X6]."""
    for number, inode in change.disks[volume].volume.inodes.items():
        if inode.nlink == 0:
            change.reap((volume, number))
