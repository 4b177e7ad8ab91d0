"""open and what makes nodes: openat, mkfifoat, mkdirat, symlinkat."""

import errno
import stat

from watosfs.errors import failure
from watosfs.kernel.descriptions import Description, OpenDirectory, OpenFifo, OpenFile, Pipe
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_STATUS,
    O_TRUNC,
    O_WRONLY,
)
from watosfs.kernel.process import Process, WouldBlock
from watosfs.vfs.access import (
    EXECUTE,
    READ,
    WRITE,
    mode_after_write,
    mode_of_new,
    owner_of_new,
    require,
)
from watosfs.vfs.walk import Follow, Location


def openat(kernel: Kernel, process: Process, dirfd: int, path: bytes, flags: int, mode: int) -> int:
    """The lowest free descriptor for what the path leads to; parks at one end of a FIFO."""
    if flags & O_ACCMODE == O_ACCMODE or (flags & O_CREAT and flags & O_DIRECTORY):
        raise failure(errno.EINVAL, path)
    number = process.lowest_free()
    exclusive = flags & O_CREAT and flags & O_EXCL
    unfollowed = flags & O_NOFOLLOW or exclusive
    follow = Follow.TRAILING_SLASH if unfollowed else Follow.ALWAYS
    location = kernel.walk(process, dirfd, path, follow)
    if flags & O_CREAT:
        if exclusive and location.number:
            raise failure(errno.EEXIST, path)
        if location.special or location.trailing_slash or stat.S_ISDIR(location.mode):
            raise failure(errno.EISDIR, path)
    if location.number:
        description = open_existing(kernel, process, location, flags)
    elif flags & O_CREAT:
        created = create(process, location, stat.S_IFREG | mode & 0o7777)
        pin = location.filesystem.open(created)
        description = OpenFile(flags & O_STATUS, location.filesystem, pin)
    else:
        raise failure(errno.ENOENT, path)
    return kernel.install(process, number, description, flags & O_CLOEXEC != 0)


def open_existing(kernel: Kernel, process: Process, location: Location, flags: int) -> Description:
    """A description of what exists, its rules and permissions checked."""
    access, mode, path = flags & O_ACCMODE, location.mode, location.path
    if stat.S_ISLNK(mode):
        raise failure(errno.ENOTDIR if flags & O_DIRECTORY else errno.ELOOP, path)
    is_directory = stat.S_ISDIR(mode)
    if is_directory and (access != O_RDONLY or flags & O_TRUNC):
        raise failure(errno.EISDIR, path)
    if flags & O_DIRECTORY and not is_directory:
        raise failure(errno.ENOTDIR, path)
    wanted = (READ if access != O_WRONLY else 0) | (WRITE if access != O_RDONLY else 0)
    if flags & O_TRUNC:
        wanted |= WRITE
    inode = location.attributes()
    require(process.credentials, inode, wanted)
    filesystem, number = location.filesystem, location.number
    status = flags & O_STATUS
    if location.node is not None:
        return OpenDirectory(status, location.node, filesystem.open(number))
    if stat.S_ISFIFO(mode):
        pipe = kernel.fifo((id(filesystem), number))
        wait_for_other_end(kernel, (id(filesystem), number), pipe, flags)
        return OpenFifo(status, filesystem, filesystem.open(number), pipe)
    if not stat.S_ISREG(mode):
        raise failure(errno.ENXIO, path)
    if flags & O_TRUNC:
        filesystem.require_change()
        filesystem.truncate(number, 0, mode_after_write(process.credentials, inode))
    return OpenFile(status, filesystem, filesystem.open(number))


def wait_for_other_end(kernel: Kernel, identity: tuple[int, int], pipe: Pipe, flags: int) -> None:
    """A FIFO's end waits for the other, which may be waiting too; a nonblocking writer: ENXIO."""
    access = flags & O_ACCMODE
    if access == O_RDWR:
        return
    opposite = O_WRONLY if access == O_RDONLY else O_RDONLY
    is_there = pipe.writers if access == O_RDONLY else pipe.readers
    waiting = (("fifo", identity, opposite),)
    if is_there or any(process.waits_for == waiting for process in kernel.processes.values()):
        return
    if flags & O_NONBLOCK:
        if access == O_WRONLY:
            raise failure(errno.ENXIO)
        return
    raise WouldBlock(("fifo", identity, access))


def create(process: Process, location: Location, mode: int) -> int:
    """A new inode at a name that is free, as this process may make it; its number."""
    filesystem, directory = location.filesystem, location.parent.attributes()
    if not directory.nlink:
        raise failure(errno.ENOENT, location.path, "the directory was removed")
    require(process.credentials, directory, WRITE | EXECUTE)
    filesystem.require_change()
    owner = owner_of_new(process.credentials, directory)
    mode = mode_of_new(process.credentials, directory, mode & ~process.umask)
    return filesystem.create(location.as_name(), mode, owner)


def refuse_new(location: Location) -> None:
    """EEXIST for what exists, ENOENT for a trailing slash on a name that is no directory's."""
    if location.number:
        raise failure(errno.EEXIST, location.path)
    if location.trailing_slash:
        raise failure(errno.ENOENT, location.path)


def mkdirat(kernel: Kernel, process: Process, dirfd: int, path: bytes, mode: int) -> None:
    """A new directory; of the mode only 01777 counts."""
    location = kernel.walk(process, dirfd, path, Follow.NEVER)
    if location.number:
        raise failure(errno.EEXIST, path)
    create(process, location, stat.S_IFDIR | mode & 0o1777)


def mkfifoat(kernel: Kernel, process: Process, dirfd: int, path: bytes, mode: int) -> None:
    """A new FIFO."""
    location = kernel.walk(process, dirfd, path, Follow.NEVER)
    refuse_new(location)
    create(process, location, stat.S_IFIFO | mode & 0o7777)


def symlinkat(kernel: Kernel, process: Process, target: bytes, dirfd: int, path: bytes) -> None:
    """A new symlink."""
    location = kernel.walk(process, dirfd, path, Follow.NEVER)
    refuse_new(location)
    directory = location.parent.attributes()
    if not directory.nlink:
        raise failure(errno.ENOENT, path, "the directory was removed")
    require(process.credentials, directory, WRITE | EXECUTE)
    location.filesystem.require_change()
    owner = owner_of_new(process.credentials, directory)
    location.filesystem.symlink(target, location.as_name(), owner)
