"""mount and umount [M1..M4]."""

import errno

from watosfs_model.kernel.access import effective
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import AT_FDCWD
from watosfs_model.kernel.process_calls import Mount, Umount
from watosfs_model.kernel.walking import find
from watosfs_model.resolution import Refused
from watosfs_model.state import DIRECTORY, ROOT


def root_checks(change: Change) -> set[int]:
    """Only root mounts [M2]."""
    return set() if effective(change).is_root else {errno.EPERM}


def mount_checks(change: Change, call: Mount) -> set[int]:
    errnos = root_checks(change)
    if call.volume not in range(len(change.disks)):
        errnos.add(errno.ENODEV)  # [M2]
    elif call.volume == 0 or change.disks[call.volume].point is not None:
        errnos.add(errno.EBUSY)  # [M2]
    try:
        file = find(change, AT_FDCWD, call.path)
    except Refused as refused:
        return errnos | refused.errnos
    inode = change.inode(file)
    if inode.kind != DIRECTORY:
        errnos.add(errno.ENOTDIR)
    elif inode.nlink == 0:
        errnos.add(errno.ENOENT)  # [A6]
    if file[1] == ROOT or change.disks[file[0]].begun is not None:
        errnos.add(errno.EBUSY)  # [M2]
    return errnos


def mount_core(change: Change, call: Mount) -> None:
    change.set_disk(call.volume, point=find(change, AT_FDCWD, call.path))


def umount_checks(change: Change, call: Umount) -> set[int]:
    errnos = root_checks(change)
    try:
        file = find(change, AT_FDCWD, call.path)
    except Refused as refused:
        return errnos | refused.errnos
    volume, number = file
    if number != ROOT:
        errnos.add(errno.EINVAL)  # [M4]
    elif is_in_use(change, volume):
        errnos.add(errno.EBUSY)
    return errnos


def is_in_use(change: Change, volume: int) -> bool:
    """The root's volume always is; else by a descriptor, a working directory, a transaction
    [M4].
    """
    return (
        change.disks[volume].point is None
        or change.disks[volume].begun is not None
        or any(d.file[0] == volume for d in change.descriptions.values())
        or any(process.cwd[0] == volume for process in change.processes.values())
    )


def umount_core(change: Change, call: Umount) -> None:
    change.set_disk(find(change, AT_FDCWD, call.path)[0], point=None)
