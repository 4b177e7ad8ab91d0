"""Descriptor tables and processes: dup, fcntl, ids, fork, exec, exit."""

import errno

from watosfs.errors import failure
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    DESCRIPTORS_MAX,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    GROUPS_MAX,
    ID_UNCHANGED,
    O_APPEND,
    O_CLOEXEC,
    O_NONBLOCK,
    PROCESSES_MAX,
)
from watosfs.kernel.process import Descriptor, Process


def close(kernel: Kernel, process: Process, number: int) -> None:
    """Close a descriptor."""
    process.description(number)
    kernel.remove(process, number)


def dup(kernel: Kernel, process: Process, number: int) -> int:
    """The lowest free number for the same description."""
    description = process.description(number)
    return kernel.install(process, process.lowest_free(), description, False)


def dup2(kernel: Kernel, process: Process, old: int, new: int) -> int:
    """Let ``new`` lead to the same description; onto itself nothing happens."""
    process.description(old)
    if old == new:
        return new
    return replace(kernel, process, old, new, False)


def dup3(kernel: Kernel, process: Process, old: int, new: int, flags: int) -> int:
    """dup2 with O_CLOEXEC; EINVAL onto itself."""
    if old == new or flags & ~O_CLOEXEC:
        raise failure(errno.EINVAL)
    return replace(kernel, process, old, new, flags != 0)


def replace(kernel: Kernel, process: Process, old: int, new: int, closes: bool) -> int:
    """Close ``new`` if it is open, and let it lead where ``old`` does."""
    description = process.description(old)
    if not 0 <= new < process.limit:
        raise failure(errno.EBADF)
    description.references += 1
    if new in process.descriptors:
        kernel.remove(process, new)
    description.references -= 1
    return kernel.install(process, new, description, closes)


def fcntl(kernel: Kernel, process: Process, number: int, command: int, argument: int) -> int:
    """F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL."""
    description = process.description(number)
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if not 0 <= argument < process.limit:
            raise failure(errno.EINVAL)
        new = process.lowest_free(argument)
        return kernel.install(process, new, description, command == F_DUPFD_CLOEXEC)
    if command == F_GETFD:
        return FD_CLOEXEC if process.descriptors[number].closes_on_exec else 0
    if command == F_SETFD:
        process.descriptors[number] = Descriptor(description, argument & FD_CLOEXEC != 0)
        return 0
    if command == F_GETFL:
        return description.flags
    if command == F_SETFL:
        settable = O_APPEND | O_NONBLOCK
        description.flags = description.flags & ~settable | argument & settable
        return 0
    raise failure(errno.EINVAL)


def umask(kernel: Kernel, process: Process, mask: int) -> int:
    """Set the mask; the old one."""
    old, process.umask = process.umask, mask & 0o777
    return old


def chosen_ids(known: tuple[int, int, int], wanted: tuple[int, int, int], free: bool) -> list[int]:
    """Real, effective, saved: each stays, or becomes one of the three (any, for root)."""
    for value in wanted:
        if not 0 <= value <= ID_UNCHANGED:
            raise failure(errno.EINVAL)
        if not free and value != ID_UNCHANGED and value not in known:
            raise failure(errno.EPERM)
    return [old if new == ID_UNCHANGED else new for old, new in zip(known, wanted, strict=True)]


def setresuid(kernel: Kernel, process: Process, ruid: int, euid: int, suid: int) -> None:
    """Set the user ids."""
    c = process.credentials
    ids = chosen_ids((c.ruid, c.euid, c.suid), (ruid, euid, suid), c.is_root)
    process.credentials = c._replace(ruid=ids[0], euid=ids[1], suid=ids[2])


def setresgid(kernel: Kernel, process: Process, rgid: int, egid: int, sgid: int) -> None:
    """Set the group ids."""
    c = process.credentials
    ids = chosen_ids((c.rgid, c.egid, c.sgid), (rgid, egid, sgid), c.is_root)
    process.credentials = c._replace(rgid=ids[0], egid=ids[1], sgid=ids[2])


def setgroups(kernel: Kernel, process: Process, groups: tuple[int, ...]) -> None:
    """Set the supplementary groups; root only."""
    if not process.credentials.is_root:
        raise failure(errno.EPERM)
    if len(groups) > GROUPS_MAX or not all(0 <= gid < ID_UNCHANGED for gid in groups):
        raise failure(errno.EINVAL)
    process.credentials = process.credentials._replace(groups=tuple(sorted(groups)))


def setnofile(kernel: Kernel, process: Process, limit: int) -> None:
    """New descriptors stay below this number."""
    if not 0 <= limit <= DESCRIPTORS_MAX:
        raise failure(errno.EINVAL)
    process.limit = limit


def fork(kernel: Kernel, process: Process) -> int:
    """A child with the same descriptions, credentials and directory; its number."""
    if len(kernel.processes) >= PROCESSES_MAX:
        raise failure(errno.EAGAIN)
    child = kernel.add_process(process.cwd, process)
    child.credentials, child.umask, child.limit = (
        process.credentials,
        process.umask,
        process.limit,
    )
    for number, (description, closes) in process.descriptors.items():
        kernel.install(child, number, description, closes)
    return child.pid


def execve(kernel: Kernel, process: Process) -> None:
    """Close what closes on exec."""
    for number, descriptor in list(process.descriptors.items()):
        if descriptor.closes_on_exec:
            kernel.remove(process, number)


def spawn(kernel: Kernel, process: Process) -> int:
    """fork, and exec in the child; its number."""
    pid = fork(kernel, process)
    execve(kernel, kernel.processes[pid])
    return pid


def exit_process(kernel: Kernel, process: Process) -> None:
    """Leave nothing behind: descriptors, locks, transactions."""
    for number in list(process.descriptors):
        kernel.remove(process, number)
    for volume in kernel.volumes:
        if volume.owner == process.pid:
            kernel.end_transaction(volume, commits=False)
    process.pinned_cwd.close()
    del kernel.processes[process.pid]
