"""Attributes: stat, access, chmod, chown, utimens."""

import errno
import stat
from typing import TypeAlias

from watosfs.errors import failure
from watosfs.kernel.data import kind_of
from watosfs.kernel.descriptions import InodeDescription, PipeEnd
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_EACCESS, AT_SYMLINK_NOFOLLOW, ID_UNCHANGED
from watosfs.kernel.process import Process
from watosfs.vfs.access import (
    EXECUTE,
    READ,
    WRITE,
    Credentials,
    mode_without_ids,
    require,
    require_owner,
)
from watosfs.vfs.filesystem import Attributes
from watosfs.vfs.walk import Follow, Location

#: kind, permission bits, uid, gid, nlink, size, atime, mtime, ctime (ns).
Status: TypeAlias = tuple[str, int, int, int, int, int, int, int, int]


def status_of(inode: Attributes) -> Status:
    """What stat tells of an inode."""
    return (
        kind_of(inode.mode), inode.mode & 0o7777, inode.uid, inode.gid, inode.nlink, inode.size,
        inode.atime_ns, inode.mtime_ns, inode.ctime_ns,
    )  # fmt: skip


def follow_of(flags: int, path: bytes) -> Follow:
    """How AT_SYMLINK_NOFOLLOW is meant. Raises EINVAL for other flags."""
    if flags & ~AT_SYMLINK_NOFOLLOW:
        raise failure(errno.EINVAL, path)
    return Follow.TRAILING_SLASH if flags else Follow.ALWAYS


def fstat(kernel: Kernel, process: Process, number: int) -> Status:
    """What a descriptor leads to."""
    description = process.fresh(number)
    if isinstance(description, PipeEnd):
        pipe = description.pipe
        now = pipe.made_ns
        return ("fifo", 0o600, *pipe.owner, 1, 0, now, now, now)
    assert isinstance(description, InodeDescription)
    return status_of(description.attributes())


def fstatat(kernel: Kernel, process: Process, dirfd: int, path: bytes, flags: int) -> Status:
    """What a path leads to."""
    location = kernel.walk(process, dirfd, path, follow_of(flags, path))
    return status_of(location.attributes())


def faccessat(
    kernel: Kernel, process: Process, dirfd: int, path: bytes, mode: int, flags: int
) -> None:
    """Whether the real (AT_EACCESS: effective) user may; EACCES when not."""
    if flags & ~AT_EACCESS or not 0 <= mode <= READ | WRITE | EXECUTE:
        raise failure(errno.EINVAL, path)
    credentials = process.credentials
    if not flags & AT_EACCESS:
        credentials = credentials.real()
    location = kernel.walk(process, dirfd, path, Follow.ALWAYS, credentials)
    inode = location.attributes()
    if mode:
        require(credentials, inode, mode)


def changed(process: Process, location: Location) -> Attributes:
    """The inode at a location, which the process is about to change."""
    inode = location.attributes()
    location.filesystem.require_change()
    return inode


def fchmodat(kernel: Kernel, process: Process, dirfd: int, path: bytes, mode: int) -> None:
    """Set the permission bits; set-gid only for a member of the file's group or root."""
    location = kernel.walk(process, dirfd, path)
    inode = changed(process, location)
    credentials = process.credentials
    require_owner(credentials, inode)
    if not credentials.is_root and not credentials.is_in_group(inode.gid):
        mode &= ~stat.S_ISGID
    location.filesystem.set_mode(location.number, mode & 0o7777)


def fchownat(
    kernel: Kernel, process: Process, dirfd: int, path: bytes, uid: int, gid: int, flags: int
) -> None:
    """Set owner and group; of what is no directory set-id bits go."""
    location = kernel.walk(process, dirfd, path, follow_of(flags, path))
    inode = changed(process, location)
    if not (0 <= uid <= ID_UNCHANGED and 0 <= gid <= ID_UNCHANGED):
        raise failure(errno.EINVAL, path)
    is_directory = stat.S_ISDIR(inode.mode)
    mode = inode.mode if is_directory else mode_without_ids(process.credentials, inode)
    changes_nothing = uid == gid == ID_UNCHANGED and mode == inode.mode
    uid = inode.uid if uid == ID_UNCHANGED else uid
    gid = inode.gid if gid == ID_UNCHANGED else gid
    if not changes_nothing:
        require_right_to_give(process.credentials, inode, uid, gid)
    location.filesystem.set_owner(location.number, uid, gid, mode)


def require_right_to_give(credentials: Credentials, inode: Attributes, uid: int, gid: int) -> None:
    """The owner may only give a file to one of their own groups. Raises EPERM."""
    if credentials.is_root:
        return
    keeps_group = gid == inode.gid or credentials.is_in_group(gid)
    if credentials.euid != inode.uid or uid != inode.uid or not keeps_group:
        raise failure(errno.EPERM)


def utimensat(
    kernel: Kernel,
    process: Process,
    dirfd: int,
    path: bytes,
    atime_ns: int,
    mtime_ns: int,
    flags: int,
) -> None:
    """Set access and modification time, ns since 1970."""
    for value in (atime_ns, mtime_ns):
        if not 0 <= value < 1 << 64:
            raise failure(errno.EINVAL, path)
    location = kernel.walk(process, dirfd, path, follow_of(flags, path))
    inode = changed(process, location)
    require_owner(process.credentials, inode)
    location.filesystem.set_times(location.number, atime_ns, mtime_ns)
