"""Mounts and explicit transactions."""

import errno

from watosfs.errors import failure
from watosfs.kernel.descriptions import InodeDescription
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_FDCWD, MOUNTS_MAX, PIPE_BUF
from watosfs.kernel.process import Process
from watosfs.vfs.filesystem import Filesystem, SpaceUse


def mount(kernel: Kernel, process: Process, path: bytes, volume: int) -> None:
    """Cover a directory with a volume, or (a path like ``D:``) let a drive be it."""
    if not process.credentials.is_root:
        raise failure(errno.EPERM, path)
    letter = drive_letter(path)
    if letter is not None:
        if letter in kernel.nodes.drives:
            raise failure(errno.EBUSY, path, "the drive is in use")
        kernel.nodes.mount_drive(letter, mountable(kernel, path, volume))
        return
    location = kernel.walk(process, AT_FDCWD, path)
    location.attributes()
    node = location.node
    if node is None:
        raise failure(errno.ENOTDIR, path)
    if not node.attributes().nlink:
        raise failure(errno.ENOENT, path, "the directory was removed")
    if node.parent is None or node.filesystem.owner is not None:
        raise failure(errno.EBUSY, path)
    filesystem = mountable(kernel, path, volume)
    if len(kernel.nodes.covered) + 1 >= MOUNTS_MAX:
        raise failure(errno.EMFILE, path)
    kernel.nodes.mount(node, filesystem)


def drive_letter(path: bytes) -> bytes | None:
    """The letter, upper case, of a path that names a drive and nothing on it."""
    is_drive = len(path) == 2 and path.endswith(b":") and path[:1].isalpha()
    return path[:1].upper() if is_drive else None


def mountable(kernel: Kernel, path: bytes, volume: int) -> Filesystem:
    """A volume by number. ENODEV for none, EBUSY for one that is mounted."""
    if not 0 <= volume < len(kernel.volumes):
        raise failure(errno.ENODEV, path)
    filesystem = kernel.volumes[volume]
    if kernel.nodes.is_mounted(filesystem):
        raise failure(errno.EBUSY, path, "the volume is mounted")
    return filesystem


def umount(kernel: Kernel, process: Process, path: bytes) -> None:
    """Uncover what a volume covers, or free a drive; EBUSY while anything of it is in use."""
    if not process.credentials.is_root:
        raise failure(errno.EPERM, path)
    letter = drive_letter(path)
    if letter is not None:
        drive = kernel.nodes.drives.get(letter)
        if drive is None:
            raise failure(errno.EINVAL, path)
        if is_in_use(kernel, drive.filesystem):
            raise failure(errno.EBUSY, path)
        drive.filesystem.sync()
        kernel.nodes.unmount_drive(letter)
        return
    location = kernel.walk(process, AT_FDCWD, path)
    location.attributes()
    node = location.node
    if node is kernel.nodes.root:
        raise failure(errno.EBUSY, path)
    if node is None or node not in kernel.nodes.covered:
        raise failure(errno.EINVAL, path)
    if is_in_use(kernel, node.filesystem):
        raise failure(errno.EBUSY, path)
    node.filesystem.sync()
    kernel.nodes.unmount(node)


def is_in_use(kernel: Kernel, filesystem: Filesystem) -> bool:
    """Whether a descriptor, working directory, mount or transaction is on the volume."""
    if filesystem.owner is not None:
        return True
    if any(point.filesystem is filesystem for point in kernel.nodes.mounted):
        return True
    for process in kernel.processes.values():
        if process.cwd.filesystem is filesystem:
            return True
        for description, _ in process.descriptors.values():
            if isinstance(description, InodeDescription) and description.filesystem is filesystem:
                return True
    return False


def volume_of(process: Process, number: int) -> Filesystem:
    """The volume that a descriptor is on; EINVAL for a pipe."""
    description = process.fresh(number)
    if not isinstance(description, InodeDescription):
        raise failure(errno.EINVAL)
    return description.filesystem


def begin(kernel: Kernel, process: Process, number: int) -> None:
    """Open the explicit transaction of a descriptor's volume."""
    filesystem = volume_of(process, number)
    if filesystem.owner is not None:
        raise failure(errno.EBUSY)
    filesystem.begin()


def require_own_transaction(process: Process, filesystem: Filesystem) -> None:
    """EINVAL without one, EBUSY for another process's."""
    if filesystem.owner is None:
        raise failure(errno.EINVAL)
    if filesystem.owner != process.pid:
        raise failure(errno.EBUSY)


def commit(kernel: Kernel, process: Process, number: int) -> None:
    """Make the process's transaction durable."""
    filesystem = volume_of(process, number)
    require_own_transaction(process, filesystem)
    kernel.end_transaction(filesystem, commits=True)


def abort(kernel: Kernel, process: Process, number: int) -> None:
    """Undo the process's transaction."""
    filesystem = volume_of(process, number)
    require_own_transaction(process, filesystem)
    kernel.end_transaction(filesystem, commits=False)


def statfs(kernel: Kernel, process: Process, path: bytes) -> SpaceUse:
    """Space of the volume that a path leads to."""
    location = kernel.walk(process, AT_FDCWD, path)
    location.attributes()
    return location.filesystem.space()


def fstatfs(kernel: Kernel, process: Process, number: int) -> SpaceUse:
    """Space of a descriptor's volume; a pipe has none."""
    description = process.fresh(number)
    if isinstance(description, InodeDescription):
        return description.filesystem.space()
    return SpaceUse(PIPE_BUF, 0, 0, 0, 0, 0)


def drives(kernel: Kernel) -> list[tuple[bytes, Filesystem]]:
    """(letter, volume) of every drive in use, by letter."""
    return [(letter, root.filesystem) for letter, root in sorted(kernel.nodes.drives.items())]
