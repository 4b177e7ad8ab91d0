"""Names: mkdir, rmdir, unlink, link, symlink, rename, readlink, readdir [N1..N12]."""

import errno

from watosfs_model import operations as ops
from watosfs_model.change import Change
from watosfs_model.resolution import ALWAYS, NEVER, SLASHED, Place, Refused, find, resolve
from watosfs_model.state import DIRECTORY, LINK_MAX, PATH_MAX, SYMLINK, System, Volume


def mkdir_checks(system: System, op: ops.Mkdir) -> set[int]:
    place = resolve(system.volume, op.path, NEVER)
    if place.number:
        return {errno.EEXIST}  # [N1]
    return full_parent(system.volume, place)


def mkdir_core(change: Change, op: ops.Mkdir) -> None:
    place = resolve(change.before.volume, op.path, NEVER)
    level = change[place.parent].compression  # [C2]
    number = change.new(DIRECTORY, op.mode, 2, compression=level)
    change.enter(place.parent, place.name, number)
    change.add_links(place.parent, 1)  # [N2]


def full_parent(volume: Volume, place: Place) -> set[int]:
    """EMLINK when a directory has as many subdirectories as it can [N2]."""
    return {errno.EMLINK} if volume.inodes[place.parent].nlink >= LINK_MAX else set()


def rmdir_checks(system: System, op: ops.Rmdir) -> set[int]:
    place = resolve(system.volume, op.path, NEVER)
    if place.special:  # [N3]
        return {{b"/": errno.EBUSY, b".": errno.EINVAL, b"..": errno.ENOTEMPTY}[place.special]}
    if not place.number:
        return {errno.ENOENT}
    inode = system.volume.inodes[place.number]
    if inode.kind != DIRECTORY:
        return {errno.ENOTDIR}
    return {errno.ENOTEMPTY} if inode.entries else set()


def rmdir_core(change: Change, op: ops.Rmdir) -> None:
    place = resolve(change.before.volume, op.path, NEVER)
    change.leave(place.parent, place.name)
    change.add_links(place.parent, -1)
    change.unname(place.number, links=2)


def unlink_checks(system: System, op: ops.Unlink) -> set[int]:
    place = resolve(system.volume, op.path, NEVER)
    if place.special:
        return {errno.EISDIR}  # [N4]
    if not place.number:
        return {errno.ENOENT}
    if system.volume.inodes[place.number].kind == DIRECTORY:
        return {errno.EISDIR}  # [N4]
    return {errno.ENOTDIR} if place.slashed else set()


def unlink_core(change: Change, op: ops.Unlink) -> None:
    place = resolve(change.before.volume, op.path, NEVER)
    change.leave(place.parent, place.name)
    change.unname(place.number)


def new_name_checks(place: Place) -> set[int]:
    """Why a non-directory cannot be entered here [N5]."""
    if place.number:
        return {errno.EEXIST}
    return {errno.ENOENT} if place.slashed else set()


def link_checks(system: System, op: ops.Link) -> set[int]:
    volume = system.volume
    source = volume.inodes[find(volume, op.old, SLASHED)]  # [N6]
    errnos = new_name_checks(resolve(volume, op.new, NEVER))
    if source.kind == DIRECTORY:
        errnos.add(errno.EPERM)
    if source.nlink >= LINK_MAX:
        errnos.add(errno.EMLINK)
    return errnos


def link_core(change: Change, op: ops.Link) -> None:
    volume = change.before.volume
    number, place = find(volume, op.old, SLASHED), resolve(volume, op.new, NEVER)
    change.enter(place.parent, place.name, number)
    change.update(number, nlink=change[number].nlink + 1, ctime_ns=change.now_ns)


def symlink_checks(system: System, op: ops.Symlink) -> set[int]:
    errnos = set()
    if not op.target:
        errnos.add(errno.ENOENT)  # [N7]
    if len(op.target) >= PATH_MAX:
        errnos.add(errno.ENAMETOOLONG)
    if b"\0" in op.target:
        errnos.add(errno.EINVAL)
    try:
        return errnos | new_name_checks(resolve(system.volume, op.path, NEVER))
    except Refused as refused:
        return errnos | refused.errnos


def symlink_core(change: Change, op: ops.Symlink) -> None:
    place = resolve(change.before.volume, op.path, NEVER)
    number = change.new(SYMLINK, 0o777, 1, target=op.target, size=len(op.target))
    change.enter(place.parent, place.name, number)


def readlink_checks(system: System, op: ops.Readlink) -> set[int]:
    inode = system.volume.inodes[find(system.volume, op.path, SLASHED)]
    return set() if inode.kind == SYMLINK else {errno.EINVAL}  # [N8]


def readlink_core(change: Change, op: ops.Readlink) -> bytes:
    return change[find(change.before.volume, op.path, SLASHED)].target


def readdir_checks(system: System, op: ops.Readdir) -> set[int]:
    inode = system.volume.inodes[find(system.volume, op.path, ALWAYS)]
    return set() if inode.kind == DIRECTORY else {errno.ENOTDIR}


def readdir_core(change: Change, op: ops.Readdir) -> frozenset[tuple[bytes, str]]:
    """Names and kinds, in no order, without ``.`` and ``..`` [N12]."""
    entries = change[find(change.before.volume, op.path, ALWAYS)].entries
    return frozenset((name, change[number].kind) for name, number in entries.items())


def rename_checks(system: System, op: ops.Rename) -> set[int]:
    volume = system.volume
    source, target = resolve(volume, op.old, NEVER), resolve(volume, op.new, NEVER)
    if source.special or target.special:
        return {errno.EBUSY}  # [N10]
    if not source.number:
        return {errno.ENOENT}
    is_directory = volume.inodes[source.number].kind == DIRECTORY
    if not is_directory and (source.slashed or target.slashed):
        return {errno.ENOTDIR}
    if source.number in target.ancestors:
        return {errno.EINVAL}  # [N10]
    if target.number and target.number in source.ancestors:
        return {errno.ENOTEMPTY}
    if source.number == target.number:
        return set()
    if target.number:
        return replace_checks(volume, is_directory, target)
    if is_directory and source.parent != target.parent:
        return full_parent(volume, target)
    return set()


def replace_checks(volume: Volume, is_directory: bool, target: Place) -> set[int]:
    """Why a rename cannot replace what the new name leads to [N10]."""
    replaced = volume.inodes[target.number]
    if is_directory:
        if replaced.kind != DIRECTORY:
            return {errno.ENOTDIR}
        return {errno.ENOTEMPTY} if replaced.entries else set()
    return {errno.EISDIR} if replaced.kind == DIRECTORY else set()


def rename_core(change: Change, op: ops.Rename) -> None:
    volume = change.before.volume
    source, target = resolve(volume, op.old, NEVER), resolve(volume, op.new, NEVER)
    if source.number == target.number:
        return  # [N11]
    is_directory = volume.inodes[source.number].kind == DIRECTORY
    change.leave(source.parent, source.name)
    change.enter(target.parent, target.name, source.number)
    change.update(source.number, ctime_ns=change.now_ns)
    if target.number:
        change.unname(target.number, links=2 if is_directory else 1)
    if is_directory:
        change.add_links(source.parent, -1)
        if not target.number:
            change.add_links(target.parent, 1)
