"""Operations: one frozen record per system call, named after it.

They are the one vocabulary that generator, model, targets and traces share. Field order is the
order of the arguments in the text form (`trace.py`). Paths are bytes as they are given to the
call, not normalised. An operation holds no result.
"""

from dataclasses import dataclass

from watosfs_model.data import Data


class Operation:
    """Base of all operations; `name()` is the word that starts its line in a trace."""

    __slots__ = ()

    @classmethod
    def name(cls) -> str:
        return cls.__name__.lower()


@dataclass(frozen=True, slots=True)
class Mkdir(Operation):
    path: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Rmdir(Operation):
    path: bytes


@dataclass(frozen=True, slots=True)
class Open(Operation):
    """`flags` have the values of `open_flags`; `mode` is used only when a file is created."""

    path: bytes
    flags: int
    mode: int


@dataclass(frozen=True, slots=True)
class Close(Operation):
    fd: int


@dataclass(frozen=True, slots=True)
class Pread(Operation):
    fd: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True)
class Pwrite(Operation):
    fd: int
    data: Data
    offset: int


@dataclass(frozen=True, slots=True)
class Truncate(Operation):
    path: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Ftruncate(Operation):
    fd: int
    size: int


@dataclass(frozen=True, slots=True)
class Unlink(Operation):
    path: bytes


@dataclass(frozen=True, slots=True)
class Rename(Operation):
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Link(Operation):
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Symlink(Operation):
    target: bytes
    path: bytes


@dataclass(frozen=True, slots=True)
class Readlink(Operation):
    path: bytes


@dataclass(frozen=True, slots=True)
class Readdir(Operation):
    path: bytes


@dataclass(frozen=True, slots=True)
class Stat(Operation):
    path: bytes


@dataclass(frozen=True, slots=True)
class Lstat(Operation):
    path: bytes


@dataclass(frozen=True, slots=True)
class Fstat(Operation):
    fd: int


@dataclass(frozen=True, slots=True)
class Statfs(Operation):
    pass


@dataclass(frozen=True, slots=True)
class Chmod(Operation):
    path: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Compress(Operation):
    """Compress what is written from now on: `level` 1 to 19, 0 not at all. Follows a symlink."""

    path: bytes
    level: int


@dataclass(frozen=True, slots=True)
class Chown(Operation):
    """0xFFFFFFFF leaves the owner or the group as it is."""

    path: bytes
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Utimens(Operation):
    path: bytes
    atime_ns: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Setxattr(Operation):
    """`flags`: 0, XATTR_CREATE 1, XATTR_REPLACE 2. Follows a symlink in the last place."""

    path: bytes
    key: bytes
    value: Data
    flags: int


@dataclass(frozen=True, slots=True)
class Getxattr(Operation):
    """The value, bytes."""

    path: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Listxattr(Operation):
    """A frozenset of the keys."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Removexattr(Operation):
    path: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Fsync(Operation):
    fd: int


@dataclass(frozen=True, slots=True)
class Fdatasync(Operation):
    fd: int


@dataclass(frozen=True, slots=True)
class Sync(Operation):
    pass


@dataclass(frozen=True, slots=True)
class Begin(Operation):
    """Open the volume's explicit transaction."""


@dataclass(frozen=True, slots=True)
class Commit(Operation):
    pass


@dataclass(frozen=True, slots=True)
class Abort(Operation):
    pass


@dataclass(frozen=True, slots=True)
class Snapshot(Operation):
    """Keep the volume as it is now, under a name."""

    label: bytes


@dataclass(frozen=True, slots=True)
class Dropsnapshot(Operation):
    """Delete a snapshot."""

    label: bytes


@dataclass(frozen=True, slots=True)
class Rollback(Operation):
    """The volume becomes as its newest snapshot, which has this name, shows it."""

    label: bytes


@dataclass(frozen=True, slots=True)
class Remount(Operation):
    """Close every descriptor, unmount cleanly and mount again."""


@dataclass(frozen=True, slots=True)
class Crash(Operation):
    """A trace directive, not a call: cut the power here."""


OPERATION_TYPES: tuple[type[Operation], ...] = (
    Mkdir, Rmdir, Open, Close, Pread, Pwrite, Truncate, Ftruncate, Unlink, Rename, Link, Symlink,
    Readlink, Readdir, Stat, Lstat, Fstat, Statfs, Chmod, Compress, Chown, Utimens,
    Setxattr, Getxattr, Listxattr, Removexattr, Fsync, Fdatasync, Sync,
    Begin, Commit, Abort, Snapshot, Dropsnapshot, Rollback, Remount, Crash,
)  # fmt: skip
