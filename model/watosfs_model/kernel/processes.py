"""Processes: working directory, ids, limits, fork, exec, exit [R1..R5, A11]."""

import errno
from dataclasses import replace

from watosfs_model.kernel import transactions
from watosfs_model.kernel.access import EXECUTE, denied, effective
from watosfs_model.kernel.attribute_calls import Spawn
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import AT_FDCWD, GROUPS_MAX, PROCESSES_MAX
from watosfs_model.kernel.process_calls import (
    Chdir,
    Exec,
    Exit,
    Fchdir,
    Fork,
    Getcwd,
    Setgroups,
    Setnofile,
    Setresgid,
    Setresuid,
    Umask,
)
from watosfs_model.kernel.state import DESCRIPTORS_MAX, PIPES, File
from watosfs_model.kernel.table import close, description_of
from watosfs_model.kernel.walking import find, paths_of
from watosfs_model.resolution import ALWAYS
from watosfs_model.state import DIRECTORY, OWNER_UNCHANGED

NOWHERE: File = (PIPES, 0)
Ids = tuple[int, int, int]


def chdir_checks(change: Change, call: Chdir) -> set[int]:
    return directory_checks(change, find(change, AT_FDCWD, call.path, ALWAYS))


def directory_checks(change: Change, file: File) -> set[int]:
    """A working directory must be one that may be searched [A11]."""
    inode = change.inode(file)
    errnos = denied(inode, effective(change), EXECUTE)
    if inode.kind != DIRECTORY:
        errnos.add(errno.ENOTDIR)
    return errnos


def chdir_core(change: Change, call: Chdir) -> None:
    move(change, find(change, AT_FDCWD, call.path, ALWAYS))


def move(change: Change, file: File) -> None:
    """Work elsewhere; a removed directory that nobody uses any more goes [N9]."""
    left = change.process.cwd
    change.set_process(cwd=file)
    change.reap(left)


def fchdir_checks(change: Change, call: Fchdir) -> set[int]:
    description = description_of(change, call.fd)
    if description.kind != DIRECTORY:
        return {errno.ENOTDIR}
    return directory_checks(change, description.file)


def fchdir_core(change: Change, call: Fchdir) -> None:
    move(change, description_of(change, call.fd).file)


def cwd_path(change: Change) -> bytes | None:
    """The working directory's path through the mounts, None when it was removed."""
    volume, number = change.process.cwd
    path = paths_of(change.view(volume)).get(number)
    disk = change.disks[volume]
    point = disk.point
    if path is not None and disk.drive:
        return disk.drive + b":" + path  # [V3]
    if path is None or point is None:
        return path
    above = paths_of(change.view(point[0])).get(point[1])
    if above is None:
        return None
    return above if path == b"/" else above + path


def getcwd_checks(change: Change, call: Getcwd) -> set[int]:
    """POSIX getcwd; ENOENT when the directory was removed [A6]."""
    return {errno.ENOENT} if cwd_path(change) is None else set()


def getcwd_core(change: Change, call: Getcwd) -> bytes | None:
    return cwd_path(change)


def umask_core(change: Change, call: Umask) -> int:
    """Permission bits only [R4]."""
    old = change.process.umask
    change.set_process(umask=call.mask & 0o777)
    return old


def ids_checks(change: Change, wanted: Ids, now: Ids) -> set[int]:
    """Root sets any; others only to one that they have [R3]."""
    errnos = set()
    for number in wanted:
        if not 0 <= number <= OWNER_UNCHANGED:
            errnos.add(errno.EINVAL)  # [K12]
        elif number not in (*now, OWNER_UNCHANGED) and not effective(change).is_root:
            errnos.add(errno.EPERM)
    return errnos


def merged(wanted: Ids, now: Ids) -> Ids:
    """The ids after setting: 0xFFFFFFFF leaves one."""
    real, effective, saved = (
        old if new == OWNER_UNCHANGED else new for new, old in zip(wanted, now, strict=True)
    )
    return real, effective, saved


def setresuid_checks(change: Change, call: Setresuid) -> set[int]:
    return ids_checks(change, (call.ruid, call.euid, call.suid), change.process.uids)


def setresuid_core(change: Change, call: Setresuid) -> None:
    change.set_process(uids=merged((call.ruid, call.euid, call.suid), change.process.uids))


def setresgid_checks(change: Change, call: Setresgid) -> set[int]:
    return ids_checks(change, (call.rgid, call.egid, call.sgid), change.process.gids)


def setresgid_core(change: Change, call: Setresgid) -> None:
    change.set_process(gids=merged((call.rgid, call.egid, call.sgid), change.process.gids))


def setgroups_checks(change: Change, call: Setgroups) -> set[int]:
    errnos = set() if effective(change).is_root else {errno.EPERM}
    is_valid = all(0 <= group < OWNER_UNCHANGED for group in call.groups)
    if len(call.groups) > GROUPS_MAX or not is_valid:
        errnos.add(errno.EINVAL)  # [R3]
    return errnos


def setgroups_core(change: Change, call: Setgroups) -> None:
    change.set_process(groups=tuple(sorted(call.groups)))


def setnofile_checks(change: Change, call: Setnofile) -> set[int]:
    return set() if 0 <= call.limit <= DESCRIPTORS_MAX else {errno.EINVAL}


def setnofile_core(change: Change, call: Setnofile) -> None:
    """What is open beyond a lower limit stays open [K2]."""
    change.set_process(limit=call.limit)


def fork_checks(change: Change, call: Fork | Spawn) -> set[int]:
    return {errno.EAGAIN} if len(change.processes) >= PROCESSES_MAX else set()


def fork_core(change: Change, call: Fork) -> int:
    """The child shares every description; record locks and transactions stay with the parent
    [R2].
    """
    child = change.next_process
    change.next_process += 1
    change.processes = {**change.processes, child: change.process}
    return child


def spawn_core(change: Change, call: Spawn) -> int:
    """fork, and what exec does, in the child [R2]."""
    child = change.next_process
    change.next_process += 1
    kept = {
        fd: descriptor
        for fd, descriptor in change.process.descriptors.items()
        if not descriptor.is_closed_on_exec
    }
    process = replace(change.process, descriptors=kept)
    change.processes = {**change.processes, child: process}
    return child


def exec_core(change: Change, call: Exec) -> None:
    """Descriptors that are close-on-exec are closed as close does [R2]."""
    for fd, descriptor in change.process.descriptors.items():
        if descriptor.is_closed_on_exec:
            close(change, fd)


def exit_core(change: Change, call: Exit) -> None:
    """Its transactions are aborted; descriptors, locks and the process itself go [R5]."""
    for volume, disk in enumerate(change.disks):
        if disk.begun is not None and disk.owner == change.pid:
            transactions.abort(change, volume)
    for fd in change.process.descriptors:
        close(change, fd)
    move(change, NOWHERE)
    change.processes = {n: p for n, p in change.processes.items() if n != change.pid}
