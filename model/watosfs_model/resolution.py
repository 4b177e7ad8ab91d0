"""Path resolution: from (volume, path) to a place or the errnos that apply [P1..P8], always."""

import errno
from typing import NamedTuple

from watosfs_model.state import (
    DIRECTORY,
    NAME_MAX,
    PATH_MAX,
    ROOT,
    SYMLINK,
    SYMLINK_DEPTH_MAX,
    Inode,
    Volume,
)

#: What becomes of a symlink in the last place [P6].
ALWAYS, SLASHED, NEVER = "always", "before a trailing slash", "never"


class Refused(Exception):
    """Resolution fails with one of these errnos. Never leaves this package."""

    def __init__(self, *errnos: int) -> None:
        super().__init__(*errnos)
        self.errnos = frozenset(errnos)


class Place(NamedTuple):
    """Where a path leads: ``number`` 0 for a missing name; ``special`` is ``/``, ``.`` or
    ``..``.
    """

    ancestors: tuple[int, ...]
    name: bytes
    number: int
    slashed: bool
    special: bytes

    @property
    def parent(self) -> int:
        return self.ancestors[-1]


def resolve(volume: Volume, path: bytes, follow: str) -> Place:
    """Walk a path from the root. Raises Refused."""
    if not path:
        raise Refused(errno.ENOENT)  # [P1]
    if len(path) >= PATH_MAX:
        raise Refused(errno.ENAMETOOLONG)  # [P2]
    if b"\0" in path:
        raise Refused(errno.EINVAL)  # [P3]
    ancestors: tuple[int, ...] = (ROOT,)
    work = components(path)
    slashed = path.endswith(b"/")
    special = b"/"
    links = 0
    while work:
        name = work.pop()
        if name in (b".", b".."):  # [P4]
            special = name
            if name == b".." and len(ancestors) > 1:
                ancestors = ancestors[:-1]
            continue
        if len(name) > NAME_MAX:
            raise Refused(errno.ENAMETOOLONG)  # [P2]
        number = volume.inodes[ancestors[-1]].entries.get(name, 0)
        if not number:
            if work:
                raise Refused(errno.ENOENT)
            return Place(ancestors, name, 0, slashed, b"")
        inode = volume.inodes[number]
        if is_followed(inode, follow, slashed=slashed, is_last=not work):
            links += 1
            if links > SYMLINK_DEPTH_MAX:
                raise Refused(errno.ELOOP)  # [P7]
            if not work:
                slashed = slashed or inode.target.endswith(b"/")
            if inode.target.startswith(b"/"):  # [P5]
                ancestors, special = (ROOT,), b"/"
            work += components(inode.target)
            continue
        if work:
            if inode.kind != DIRECTORY:
                raise Refused(errno.ENOTDIR)
            ancestors, special = (*ancestors, number), b"."
            continue
        if slashed and inode.kind != DIRECTORY and follow != NEVER:
            raise Refused(errno.ENOTDIR)  # [P8]
        return Place(ancestors, name, number, slashed, b"")
    return Place(ancestors, b"", ancestors[-1], slashed, special)


def components(path: bytes) -> list[bytes]:
    """The components of a path, last first; empty ones (repeated slashes) left out [P4]."""
    return [part for part in reversed(path.split(b"/")) if part]


def is_followed(inode: Inode, follow: str, *, slashed: bool, is_last: bool) -> bool:
    """Whether resolution goes on through this inode [P5, P6]."""
    if inode.kind != SYMLINK:
        return False
    return not is_last or follow == ALWAYS or (follow == SLASHED and slashed)


def find(volume: Volume, path: bytes, follow: str = ALWAYS) -> int:
    """The number of the inode at a path. Raises Refused (ENOENT when there is none)."""
    number = resolve(volume, path, follow).number
    if not number:
        raise Refused(errno.ENOENT)
    return number


def refusals(volume: Volume, path: bytes, follow: str) -> frozenset[int]:
    """Why a path leads to no inode: the errnos, or the empty set when it does."""
    try:
        find(volume, path, follow)
    except Refused as refused:
        return refused.errnos
    return frozenset()
