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
    elif call.volume == 0 or is_mounted(change, call.volume):
        errnos.add(errno.EBUSY)  # [M2]
    letter = drive_letter(call.path)
    if letter:
        is_taken = any(disk.drive == letter for disk in change.disks)
        return errnos | ({errno.EBUSY} if is_taken else set())  # [V1]
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
    letter = drive_letter(call.path)
    if letter:
        change.set_disk(call.volume, drive=letter)
    else:
        change.set_disk(call.volume, point=find(change, AT_FDCWD, call.path))


def drive_letter(path: bytes) -> bytes:
    """The letter, upper case, of a path that names a drive and nothing on it; else empty [V1]."""
    return path[:1].upper() if len(path) == 2 and path[1:] == b":" and path[:1].isalpha() else b""


def is_mounted(change: Change, volume: int) -> bool:
    """On a directory or a drive."""
    disk = change.disks[volume]
    return disk.point is not None or bool(disk.drive)


def umount_checks(change: Change, call: Umount) -> set[int]:
    errnos = root_checks(change)
    letter = drive_letter(call.path)
    if letter:
        drives = [v for v, disk in enumerate(change.disks) if disk.drive == letter]
        if not drives:
            return errnos | {errno.EINVAL}  # [V1]
        return errnos | ({errno.EBUSY} if is_in_use(change, drives[0]) else set())
    try:
        file = find(change, AT_FDCWD, call.path)
    except Refused as refused:
        return errnos | refused.errnos
    volume, number = file
    if number != ROOT or change.disks[volume].drive:
        errnos.add(errno.EINVAL)  # [M4, V1]
    elif is_in_use(change, volume):
        errnos.add(errno.EBUSY)
    return errnos


def is_in_use(change: Change, volume: int) -> bool:
    """The root's volume always is; else by a descriptor, a working directory, a transaction
    [M4].
    """
    return (
        not is_mounted(change, volume)
        or change.disks[volume].begun is not None
        or any(d.file[0] == volume for d in change.descriptions.values())
        or any(process.cwd[0] == volume for process in change.processes.values())
    )


def umount_core(change: Change, call: Umount) -> None:
    letter = drive_letter(call.path)
    if letter:
        volume = next(v for v, disk in enumerate(change.disks) if disk.drive == letter)
        change.set_disk(volume, drive=b"")
    else:
        change.set_disk(find(change, AT_FDCWD, call.path)[0], point=None)
