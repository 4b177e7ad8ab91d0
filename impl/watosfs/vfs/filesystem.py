"""What the VFS asks of a file system: operations by inode number, below any path.

The VFS resolves paths, checks permissions and crosses mounts; a file system looks up one name,
changes one directory, reads and writes one inode. Failures are ``OSError`` with an errno.
"""

from typing import NamedTuple, Protocol


class Attributes(Protocol):
    """One inode; ``mode`` has the type bits, times are ns since 1970."""

    mode: int
    uid: int
    gid: int
    nlink: int
    size: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int


class SpaceUse(NamedTuple):
    """What statfs tells, in blocks of ``block_size`` bytes."""

    block_size: int
    total: int
    free: int
    available: int
    inodes_used: int
    name_max: int


class Name(NamedTuple):
    """A name in a directory of one file system; ``number`` is 0 when there is none (yet).

    ``ancestors`` are inode numbers from the file system's root to the directory.
    """

    ancestors: list[int]
    name: bytes
    number: int
    mode: int
    path: bytes
    trailing_slash: bool


class Cursor(NamedTuple):
    """A position in a directory that stays good while names come and go."""

    key: int
    name: bytes


class Traffic:
    """Bytes of file data that one call moved on a volume, and whether it touched it at all."""

    __slots__ = ("is_touched", "read", "written")

    def __init__(self) -> None:
        self.is_touched = False
        self.read = 0
        self.written = 0


class Pin(Protocol):
    """Keeps an inode alive while it is open, and knows when an abort has taken it."""

    is_stale: bool
    number: int

    def close(self) -> None:
        """Let go."""


class Filesystem(Protocol):
    """One volume. ``actor`` is the process that is being served: the owner of the open
    transaction sees the working state, everybody else what was last committed.
    """

    #: What listings call it.
    kind: bytes
    actor: int
    traffic: Traffic
    owner: int | None
    root: int
    #: Set while a transaction is open that moved directories: parents depend on the actor.
    has_moved_directories: bool

    def is_visible(self, number: int) -> bool: ...
    def attributes(self, number: int) -> Attributes: ...
    def lookup(self, parent: int, name: bytes) -> int: ...
    def readlink(self, number: int) -> bytes: ...
    def parent_of(self, number: int) -> int: ...
    def entries(self, number: int, after: Cursor, count: int) -> list[tuple[Cursor, int]]: ...

    def require_change(self) -> None: ...
    def create(self, name: Name, mode: int, owner: tuple[int, int]) -> int: ...
    def symlink(self, target: bytes, name: Name, owner: tuple[int, int]) -> None: ...
    def link(self, number: int, name: Name) -> None: ...
    def unlink(self, name: Name) -> None: ...
    def rmdir(self, name: Name) -> None: ...
    def rename(self, old: Name, new: Name) -> None: ...
    def set_mode(self, number: int, mode: int) -> None: ...
    def set_owner(self, number: int, uid: int, gid: int, mode: int) -> None: ...
    def set_times(self, number: int, atime_ns: int, mtime_ns: int) -> None: ...

    def get_attribute(self, number: int, key: bytes) -> bytes: ...
    def attribute_keys(self, number: int) -> list[bytes]: ...
    def set_attribute(self, number: int, key: bytes, value: bytes, flags: int) -> None: ...
    def remove_attribute(self, number: int, key: bytes) -> None: ...
    def space(self) -> SpaceUse: ...

    def open(self, number: int) -> Pin: ...
    def read(self, number: int, offset: int, count: int) -> bytes: ...
    def write(self, number: int, offset: int, data: bytes, mode: int) -> None: ...
    def truncate(self, number: int, size: int, mode: int) -> None: ...
    def zero(self, number: int, offset: int, end: int) -> None: ...
    def seek_data(self, number: int, offset: int) -> int | None: ...
    def seek_hole(self, number: int, offset: int) -> int: ...

    def sync(self) -> None: ...
    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...
