"""Names: unlinkat, renameat, linkat, readlinkat, and the working directory."""

import errno
import stat

from watosfs.errors import failure
from watosfs.kernel.descriptions import OpenDirectory
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW
from watosfs.kernel.opening import refuse_new
from watosfs.kernel.process import Process
from watosfs.vfs.access import EXECUTE, WRITE, require, require_deletable
from watosfs.vfs.filesystem import Cursor
from watosfs.vfs.nodes import Node
from watosfs.vfs.walk import Follow, Location


def unlinkat(kernel: Kernel, process: Process, dirfd: int, path: bytes, flags: int) -> None:
    """Remove a name: a directory's with AT_REMOVEDIR, anything else's without."""
    if flags & ~AT_REMOVEDIR:
        raise failure(errno.EINVAL, path)
    location = kernel.walk(process, dirfd, path, Follow.NEVER)
    if flags & AT_REMOVEDIR:
        remove_directory(process, location)
        return
    if location.special:
        raise failure(errno.EISDIR, path)
    if not location.number:
        raise failure(errno.ENOENT, path)
    directory, inode = location.parent.attributes(), location.attributes()
    require_deletable(process.credentials, directory, inode)
    if stat.S_ISDIR(inode.mode):
        raise failure(errno.EISDIR, path)
    if location.trailing_slash:
        raise failure(errno.ENOTDIR, path)
    location.filesystem.require_change()
    location.filesystem.unlink(location.as_name())


def remove_directory(process: Process, location: Location) -> None:
    """rmdir."""
    path = location.path
    if location.special:
        refusals = {b"/": errno.EBUSY, b".": errno.EINVAL, b"..": errno.ENOTEMPTY}
        raise failure(refusals[location.special], path)
    inode = location.attributes()
    if location.is_mount_point:
        raise failure(errno.EBUSY, path)
    require_deletable(process.credentials, location.parent.attributes(), inode)
    if location.node is None:
        raise failure(errno.ENOTDIR, path)
    location.filesystem.require_change()
    location.filesystem.rmdir(location.as_name())


def renameat(
    kernel: Kernel, process: Process, old_dirfd: int, old: bytes, new_dirfd: int, new: bytes
) -> None:
    """Move a name, replacing what the new one led to."""
    source = kernel.walk(process, old_dirfd, old, Follow.NEVER)
    target = kernel.walk(process, new_dirfd, new, Follow.NEVER)
    if source.special or target.special or source.is_mount_point or target.is_mount_point:
        raise failure(errno.EBUSY, old)
    if not source.number:
        raise failure(errno.ENOENT, old)
    if source.parent.filesystem is not target.parent.filesystem:
        raise failure(errno.EXDEV, new)
    filesystem = source.filesystem
    inode = source.attributes()
    from_directory, to_directory = source.parent.attributes(), target.parent.attributes()
    if not to_directory.nlink:
        raise failure(errno.ENOENT, new, "the directory was removed")
    filesystem.require_change()
    moves = source.node is not None and source.parent is not target.parent
    if source.number != target.number:
        require_deletable(process.credentials, from_directory, inode)
        if target.number:
            require_deletable(process.credentials, to_directory, target.attributes())
        else:
            require(process.credentials, to_directory, WRITE | EXECUTE)
        if moves:
            require(process.credentials, inode, WRITE)
    filesystem.rename(source.as_name(), target.as_name())
    if moves and source.number != target.number:
        assert source.node is not None
        source.node.parent = target.parent
        filesystem.has_moved_directories |= filesystem.owner is not None


def linkat(
    kernel: Kernel,
    process: Process,
    old_dirfd: int,
    old: bytes,
    new_dirfd: int,
    new: bytes,
    flags: int,
) -> None:
    """A second name for what is no directory."""
    if flags & ~AT_SYMLINK_FOLLOW:
        raise failure(errno.EINVAL, old)
    follow = Follow.ALWAYS if flags & AT_SYMLINK_FOLLOW else Follow.TRAILING_SLASH
    source = kernel.walk(process, old_dirfd, old, follow)
    inode = source.attributes()
    target = kernel.walk(process, new_dirfd, new, Follow.NEVER)
    refuse_new(target)
    directory = target.parent.attributes()
    if not directory.nlink:
        raise failure(errno.ENOENT, new, "the directory was removed")
    if source.filesystem is not target.parent.filesystem:
        raise failure(errno.EXDEV, new)
    require(process.credentials, directory, WRITE | EXECUTE)
    if stat.S_ISDIR(inode.mode):
        raise failure(errno.EPERM, old)
    target.parent.filesystem.require_change()
    target.parent.filesystem.link(source.number, target.as_name())


def readlinkat(kernel: Kernel, process: Process, dirfd: int, path: bytes) -> bytes:
    """A symlink's target; EINVAL for anything else."""
    location = kernel.walk(process, dirfd, path, Follow.TRAILING_SLASH)
    if not stat.S_ISLNK(location.attributes().mode):
        raise failure(errno.EINVAL, path)
    return location.filesystem.readlink(location.number)


def chdir(kernel: Kernel, process: Process, path: bytes) -> None:
    """Change the working directory."""
    location = kernel.walk(process, AT_FDCWD, path)
    inode = location.attributes()
    if location.node is None:
        raise failure(errno.ENOTDIR, path)
    require(process.credentials, inode, EXECUTE)
    process.change_cwd(location.node)


def fchdir(kernel: Kernel, process: Process, number: int) -> None:
    """Change the working directory to a descriptor's."""
    description = process.fresh(number)
    if not isinstance(description, OpenDirectory):
        raise failure(errno.ENOTDIR)
    require(process.credentials, description.attributes(), EXECUTE)
    process.change_cwd(description.node)


def getcwd(kernel: Kernel, process: Process) -> bytes:
    """The absolute path of the working directory (``D:/x`` on a drive); ENOENT when it was
    removed.
    """
    if process.pinned_cwd.is_stale:
        raise failure(errno.ENOENT)
    node, parts = process.cwd, list[bytes]()
    nodes = kernel.nodes
    start = b"/"
    while node is not nodes.root:
        letter = nodes.letter_of(node)
        if letter is not None:
            start = letter + b":/"
            break
        if node in nodes.covered:
            node = nodes.covered[node]
            continue
        parent = node.above()
        name = None if parent is None else name_in(parent, node.number)
        if parent is None or name is None:
            raise failure(errno.ENOENT)
        parts.append(name)
        node = parent
    return start + b"/".join(reversed(parts))


def name_in(parent: Node, number: int) -> bytes | None:
    """The name of an inode in a directory."""
    cursor = Cursor(-1, b"")
    while found := parent.filesystem.entries(parent.number, cursor, 256):
        for cursor, child in found:
            if child == number:
                return cursor.name
    return None
