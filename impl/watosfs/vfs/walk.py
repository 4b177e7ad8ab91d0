"""Path resolution over mounts, with permissions: a total function from bytes to a place or errno.

As Linux resolves: every directory passed must be searchable, ``..`` follows the directories really
passed, symlinks in the middle are followed, at most 40 of them, a trailing slash demands a
directory.
"""

import errno
import stat
from enum import Enum

from watosfs.errors import failure
from watosfs.vfs.access import EXECUTE, Credentials, require
from watosfs.vfs.filesystem import Attributes, Filesystem, Name
from watosfs.vfs.nodes import Node, NodeTable

NAME_MAX = 255
PATH_MAX = 4096
SYMLINK_DEPTH_MAX = 40


class Follow(Enum):
    """What to do with a symlink in the last place."""

    ALWAYS = "always"
    TRAILING_SLASH = "only before a trailing slash"
    NEVER = "never"


class Location:
    """Where a path leads. ``number`` is 0 when the last name does not exist (yet) in ``parent``.

    ``node`` is the directory found, mounts crossed; ``is_mount_point``: crossing was needed.
    ``special``: the last component was ``/``, ``.`` or ``..``; then ``name`` is empty.
    """

    __slots__ = (
        "is_mount_point", "name", "node", "number", "parent", "path", "special", "trailing_slash",
    )  # fmt: skip

    def __init__(self, parent: Node, path: bytes, trailing_slash: bool) -> None:
        self.parent = parent
        self.path = path
        self.trailing_slash = trailing_slash
        self.name = b""
        self.number = 0
        self.node: Node | None = None
        self.is_mount_point = False
        self.special = b""

    @property
    def filesystem(self) -> Filesystem:
        """The file system of what was found, or of the directory for a name that is missing."""
        return (self.node or self.parent).filesystem

    def attributes(self) -> Attributes:
        """The inode found; ENOENT when there is none."""
        if not self.number:
            raise failure(errno.ENOENT, self.path)
        return self.filesystem.attributes(self.number)

    @property
    def mode(self) -> int:
        """Mode of what was found, 0 for nothing."""
        return self.filesystem.attributes(self.number).mode if self.number else 0

    def as_name(self) -> Name:
        """The name for the file system. For the root, ``.`` and ``..`` it is empty."""
        return Name(
            self.parent.ancestors(), self.name, self.number, self.mode, self.path,
            self.trailing_slash,
        )  # fmt: skip


def walk(
    nodes: NodeTable, credentials: Credentials, start: Node, path: bytes, follow: Follow
) -> Location:
    """Resolve ``path`` from ``start`` (or the root when it is absolute, or a drive's).

    Raises ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES, EINVAL (a NUL byte).
    """
    if not path:
        raise failure(errno.ENOENT, path)
    if len(path) >= PATH_MAX:
        raise failure(errno.ENAMETOOLONG, path[:64])
    if b"\0" in path:
        raise failure(errno.EINVAL, path, "NUL byte in a path")
    root, parts = parse(nodes, path)
    node = root or start
    work = parts
    trailing = path.endswith(b"/")
    special = b"/" if root else b"."
    links = 0
    while work:
        require(credentials, node.attributes(), EXECUTE)
        part = work.pop()
        if part in (b".", b".."):
            special = part
            if part == b"..":
                if not node.attributes().nlink:
                    raise failure(errno.ENOENT, path, "the directory was removed")
                node = above(nodes, node)
            continue
        if len(part) > NAME_MAX:
            raise failure(errno.ENAMETOOLONG, path)
        filesystem = node.filesystem
        number = filesystem.lookup(node.number, part)
        location = Location(node, path, trailing)
        location.name, location.number = part, number
        if not number:
            if work:
                raise failure(errno.ENOENT, path)
            return location
        mode = filesystem.attributes(number).mode
        if stat.S_ISLNK(mode) and (
            work or follow is Follow.ALWAYS or (trailing and follow is Follow.TRAILING_SLASH)
        ):
            links += 1
            if links > SYMLINK_DEPTH_MAX:
                raise failure(errno.ELOOP, path)
            target = filesystem.readlink(number)
            if not work:
                trailing = trailing or target.endswith(b"/")
            root, parts = parse(nodes, target)
            if root:
                node, special = root, b"/"
            work += parts
            continue
        if stat.S_ISDIR(mode):
            enter(nodes, location)
            if not work:
                return location
            assert location.node is not None
            node, special = location.node, b"."
            continue
        if work or (trailing and follow is not Follow.NEVER):
            raise failure(errno.ENOTDIR, path)
        return location
    location = Location(node, path, trailing)
    location.node, location.number, location.special = node, node.number, special
    location.is_mount_point = node in nodes.covered
    return location


def parse(nodes: NodeTable, path: bytes) -> tuple[Node | None, list[bytes]]:
    """The root that an absolute path or one on a drive begins at (None for a relative one), and the
    components, last first.
    """
    root = nodes.root if path.startswith(b"/") else nodes.drive(path)
    rest = path[2:] if root and not path.startswith(b"/") else path
    return root, [part for part in reversed(rest.split(b"/")) if part]


def enter(nodes: NodeTable, location: Location) -> None:
    """The location is a directory: its node, or the root of what is mounted on it."""
    node = nodes.child(location.parent, location.number)
    while node in nodes.mounted:
        node = nodes.mounted[node]
        location.is_mount_point = True
    location.node, location.number = node, node.number


def above(nodes: NodeTable, node: Node) -> Node:
    """``..``, and what is mounted on it."""
    node = nodes.above(node)
    while node in nodes.mounted:
        node = nodes.mounted[node]
    return node
