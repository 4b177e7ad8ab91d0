"""Path resolution within one volume: a total function from bytes to a place or an errno.

As Linux resolves: ``..`` against the directories really passed, symlinks followed in the middle
always and at the end as the caller says, at most 40 of them, and a trailing slash demands a
directory.
"""

import errno
import os
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from watosfs.errors import failure
from watosfs.wfs3.format import NAME_MAX, PATH_MAX, ROOT_INODE, SYMLINK_DEPTH_MAX
from watosfs.wfs3.records import TYPE_DIRECTORY, TYPE_SYMLINK


class Follow(Enum):
    """What to do with a symlink in the last place."""

    ALWAYS = "always"
    TRAILING_SLASH = "only before a trailing slash"
    NEVER = "never"


class Place(NamedTuple):
    """Where a path leads. ``number`` is 0 when the last name does not exist (yet) in directory
    ``parent``.

    ``ancestors`` are the inode numbers from the root to ``parent``. ``special`` is the last
    component when it is not a name (``/``, ``.`` or ``..``); then ``name`` is empty and ``number``
    the directory meant. ``path`` is what was asked for, for messages.
    """

    ancestors: list[int]
    name: bytes
    number: int
    kind: int
    trailing_slash: bool
    special: bytes
    path: bytes

    @property
    def parent(self) -> int:
        return self.ancestors[-1]


def resolve(
    path: bytes,
    follow: Follow,
    lookup: Callable[[int, bytes], tuple[int, int] | None],
    readlink: Callable[[int], bytes],
    known: Mapping[tuple[int, bytes], tuple[int, int]] = MappingProxyType({}),
) -> Place:
    """Walk ``path`` from the root. ``lookup(directory, name)`` gives (inode number, kind) or None.
    ``known`` holds some of its answers, never for ``.`` or ``..``.

    Raises ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL (a NUL byte), or what the two callables
    raise.
    """
    if not path:
        raise failure(errno.ENOENT, path)
    if len(path) >= PATH_MAX:
        raise failure(errno.ENAMETOOLONG, path[:64])
    if b"\0" in path:
        raise failure(errno.EINVAL, path, "NUL byte in a path")
    ancestors = [ROOT_INODE]
    work = [part for part in reversed(path.split(b"/")) if part]
    trailing = path.endswith(b"/")
    special = b"/"
    links = 0
    while work:
        part = work.pop()
        found = known.get((ancestors[-1], part))
        if found is None:
            if part == b".":
                special = part
                continue
            if part == b"..":
                special = part
                if len(ancestors) > 1:
                    ancestors.pop()
                continue
            if len(part) > NAME_MAX:
                raise failure(errno.ENAMETOOLONG, path)
            found = lookup(ancestors[-1], part)
            if found is None:
                if work:
                    raise failure(errno.ENOENT, path)
                return Place(ancestors, part, 0, 0, trailing, b"", path)
        number, kind = found
        if kind == TYPE_SYMLINK and (
            work or follow is Follow.ALWAYS or (trailing and follow is Follow.TRAILING_SLASH)
        ):
            links += 1
            if links > SYMLINK_DEPTH_MAX:
                raise failure(errno.ELOOP, path)
            target = readlink(number)
            if not work:
                trailing = trailing or target.endswith(b"/")
            if target.startswith(b"/"):
                ancestors = [ROOT_INODE]
                special = b"/"
            work += [piece for piece in reversed(target.split(b"/")) if piece]
            continue
        if work:
            if kind != TYPE_DIRECTORY:
                raise failure(errno.ENOTDIR, path)
            ancestors.append(number)
            special = b"."
            continue
        if trailing and kind != TYPE_DIRECTORY and follow is not Follow.NEVER:
            raise failure(errno.ENOTDIR, path)
        return Place(ancestors, part, number, kind, trailing, b"", path)
    return Place(ancestors, b"", ancestors[-1], TYPE_DIRECTORY, trailing, special, path)


def as_bytes(path: bytes | str) -> bytes:
    """A path as the volume has it."""
    return path if isinstance(path, bytes) else os.fsencode(path)
