"""Path resolution over mounted volumes: from (process, dirfd, path) to a place, or the errnos that
apply [P1..P8, A2, A6, M1]. A total function.
"""

import errno
from collections.abc import Mapping
from typing import NamedTuple

from watosfs_model.kernel.access import EXECUTE, Credentials, denied, effective
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.numbers import AT_FDCWD
from watosfs_model.kernel.state import ROOT_FILE, File
from watosfs_model.kernel.table import description_of
from watosfs_model.observation import identities
from watosfs_model.resolution import ALWAYS, NEVER, Refused, components, is_followed
from watosfs_model.state import (
    DIRECTORY,
    NAME_MAX,
    PATH_MAX,
    ROOT,
    SYMLINK_DEPTH_MAX,
    Inode,
    Volume,
)

_REMEMBERED_MAX = 64
_parents: dict[int, tuple[Volume, Mapping[int, int]]] = {}
_paths: dict[int, tuple[Volume, Mapping[int, bytes]]] = {}


class SlashedFile(Refused):
    """The last place is no directory, but the path, or a link's target, ends with a slash."""


class Place(NamedTuple):
    """Where a path leads: ``directory`` holds (or would hold) ``name``; ``file`` is what the name
    itself leads to, None when it is missing. ``special``: the path ends in ``/``, ``.`` or ``..``,
    and ``file`` is that directory.
    """

    directory: File
    name: bytes
    file: File | None
    slashed: bool
    special: bytes = b""


def resolve(
    change: Change, dirfd: int, path: bytes, follow: str, who: Credentials | None = None
) -> Place:
    """Walk a path; a mount in the last place is not entered. Raises Refused."""
    current = start(change, dirfd, path)
    who = who or effective(change)
    work = components(path if drive_root(change, path) is None else path[2:])
    slashed = path.endswith(b"/")
    special = b"/"
    links = 0
    while work:
        directory = change.seen(current)
        if directory is None:
            raise Refused(errno.ENOENT)  # [Y4]
        name = work.pop()
        errnos = denied(directory, who, EXECUTE)  # [A2]
        if len(name) > NAME_MAX:
            errnos.add(errno.ENAMETOOLONG)  # [P2]
        if errnos:
            raise Refused(*errnos)
        if name in (b".", b".."):
            current, special = (current if name == b"." else above(change, current)), name
            continue
        number = directory.entries.get(name)
        if number is None:
            if work:
                raise Refused(errno.ENOENT)
            return Place(current, name, None, slashed)
        file = (current[0], number)
        inode = change.inode(file)
        if is_followed(inode, follow, slashed=slashed, is_last=not work):
            links += 1
            if links > SYMLINK_DEPTH_MAX:
                raise Refused(errno.ELOOP)  # [P7]
            if not work:
                slashed = slashed or inode.target.endswith(b"/")
            target, drive = inode.target, drive_root(change, inode.target)
            if drive is not None:  # [V2]
                current, special, target = drive, b"/", target[2:]
            elif target.startswith(b"/"):  # [P5]
                current, special = ROOT_FILE, b"/"
            work += components(target)
            continue
        if inode.kind != DIRECTORY and work:
            raise Refused(errno.ENOTDIR)
        if inode.kind != DIRECTORY and slashed and follow != NEVER:
            raise SlashedFile(errno.ENOTDIR)  # [P8]
        if not work:
            return Place(current, name, file, slashed)
        current, special = entered(change, file), b"."
    return Place(current, b"", current, slashed, special)


def start(change: Change, dirfd: int, path: bytes) -> File:
    """Where resolution starts. Raises Refused with everything that is wrong with the arguments."""
    errnos = set()
    if not path:
        errnos.add(errno.ENOENT)  # [P1]
    if len(path) >= PATH_MAX:
        errnos.add(errno.ENAMETOOLONG)  # [P2]
    if b"\0" in path:
        errnos.add(errno.EINVAL)  # [P3]
    drive = drive_root(change, path)
    found = drive or ROOT_FILE
    if drive is None and not path.startswith(b"/"):  # [A11]
        if dirfd == AT_FDCWD:
            found = change.process.cwd
            if change.seen(found) is None:
                errnos.add(errno.ENOENT)  # [Y4]
        else:
            try:
                description = description_of(change, dirfd)
                found = description.file
                if description.kind != DIRECTORY:
                    errnos.add(errno.ENOTDIR)
            except Refused as refused:
                errnos |= refused.errnos
    if errnos:
        raise Refused(*errnos)
    return found


def drive_root(change: Change, path: bytes) -> File | None:
    """The root of the drive that a path begins with, if a volume is on it [V2]."""
    if path[1:2] != b":":
        return None
    for volume, disk in enumerate(change.disks):
        if disk.drive and disk.drive == path[:1].upper():
            return volume, ROOT
    return None


def entered(change: Change, file: File) -> File:
    """The directory that one finds at a place: the root of what is mounted there, if any [M1]."""
    volume = change.mounted_on(file)
    return file if volume is None else (volume, ROOT)


def landed(change: Change, place: Place, file: File) -> File:
    """What a resolved path means: ``.``, ``..`` and ``/`` lead where they led, also when that is
    covered since (Linux); a name leads to what is mounted there.
    """
    return file if place.special else entered(change, file)


def above(change: Change, file: File) -> File:
    """Where `..` goes. From a mounted root: above the directory that it covers [M1]. Raises
    Refused.
    """
    volume, number = file
    if number == ROOT:
        point = change.disks[volume].point
        if point is None:
            return file
        volume, number = point
    parent = parents(change.view(volume)).get(number)
    if parent is None:
        raise Refused(errno.ENOENT)  # [A6]
    return entered(change, (volume, parent))


def parents(volume: Volume) -> Mapping[int, int]:
    """The directory that holds each directory that has a name. Remembered: volumes never change."""
    known = _parents.get(id(volume))
    if known is not None and known[0] is volume:
        return known[1]
    if len(_parents) >= _REMEMBERED_MAX:
        _parents.clear()
    inodes = volume.inodes
    found = {
        number: parent
        for parent, inode in inodes.items()
        for number in inode.entries.values()
        if inodes[number].kind == DIRECTORY
    }
    _parents[id(volume)] = (volume, found)
    return found


def paths_of(volume: Volume) -> Mapping[int, bytes]:
    """The first path of each inode that has a name. Remembered as `parents` are."""
    known = _paths.get(id(volume))
    if known is not None and known[0] is volume:
        return known[1]
    if len(_paths) >= _REMEMBERED_MAX:
        _paths.clear()
    found = identities(volume)[1]
    _paths[id(volume)] = (volume, found)
    return found


def ancestors(change: Change, file: File) -> set[int]:
    """A directory and all above it within its volume, by number."""
    above_of = parents(change.view(file[0]))
    found = set()
    number: int | None = file[1]
    while number is not None:
        found.add(number)
        number = above_of.get(number)
    return found


def find(
    change: Change, dirfd: int, path: bytes, follow: str = ALWAYS, who: Credentials | None = None
) -> File:
    """The file at a path, mounts entered. Raises Refused (ENOENT when there is none)."""
    place = resolve(change, dirfd, path, follow, who)
    if place.file is None:
        raise Refused(errno.ENOENT)
    file = landed(change, place, place.file)
    if change.seen(file) is None:
        raise Refused(errno.ENOENT)  # [Y4]
    return file


def find_inode(change: Change, dirfd: int, path: bytes, follow: str = ALWAYS) -> Inode:
    """The inode at a path. Raises Refused."""
    return change.inode(find(change, dirfd, path, follow))
