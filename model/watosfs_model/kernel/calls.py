"""Calls on descriptors: one frozen record per system call, named after it.

Field order is the order of the arguments in the text form. `dirfd` is a directory's descriptor or
AT_FDCWD. Paths are bytes as given. A call holds no result; values are documented here because
model and implementation must give equal ones. Unless said otherwise a call returns None.

Records of these types are operations too, so that traces print and parse them.
"""

from dataclasses import dataclass

from watosfs_model.data import Data
from watosfs_model.operations import Operation


class Call(Operation):
    """Base of all calls of processes."""

    __slots__ = ()


# -- descriptors


@dataclass(frozen=True, slots=True)
class Openat(Call):
    """The new descriptor's number. May park: a FIFO opened at one end waits for the other."""

    dirfd: int
    path: bytes
    flags: int
    mode: int


@dataclass(frozen=True, slots=True)
class CloseFd(Call):
    fd: int


@dataclass(frozen=True, slots=True)
class Dup(Call):
    """The new number."""

    fd: int


@dataclass(frozen=True, slots=True)
class Dup2(Call):
    """`new`."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Dup3(Call):
    """`new`; flags: O_CLOEXEC or 0; EINVAL when old equals new."""

    old: int
    new: int
    flags: int


@dataclass(frozen=True, slots=True)
class Fcntl(Call):
    """F_DUPFD, F_DUPFD_CLOEXEC: a number; F_GETFD, F_GETFL: the flags; F_SETFD, F_SETFL: 0.

    F_GETFL gives access mode, O_APPEND and O_NONBLOCK (no creation flags, no O_CLOEXEC,
    O_DIRECTORY, O_NOFOLLOW). F_SETFL changes O_APPEND and O_NONBLOCK only and ignores the rest.
    """

    fd: int
    command: int
    argument: int


@dataclass(frozen=True, slots=True)
class Lseek(Call):
    """The new offset. whence: SEEK_SET 0, CUR 1, END 2, DATA 3, HOLE 4."""

    fd: int
    offset: int
    whence: int


@dataclass(frozen=True, slots=True)
class Read(Call):
    """The bytes. May park (pipe)."""

    fd: int
    count: int


@dataclass(frozen=True, slots=True)
class Write(Call):
    """The count written: all, or on a pipe what fits. May park (pipe)."""

    fd: int
    data: Data


@dataclass(frozen=True, slots=True)
class PreadFd(Call):
    """The bytes."""

    fd: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True)
class PwriteFd(Call):
    """The count written."""

    fd: int
    data: Data
    offset: int


@dataclass(frozen=True, slots=True)
class FtruncateFd(Call):
    fd: int
    size: int


@dataclass(frozen=True, slots=True)
class TruncateAt(Call):
    """truncate(2): the path is taken from the working directory."""

    path: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Fallocate(Call):
    """mode: 0 (grow), KEEP_SIZE 1, PUNCH_HOLE|KEEP_SIZE 3, ZERO_RANGE 16, ZERO_RANGE|KEEP_SIZE 17;
    anything else EOPNOTSUPP.
    """

    fd: int
    mode: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class CopyFileRange(Call):
    """The count copied. An offset of -1 means the descriptor's own offset, which then moves."""

    fd_in: int
    offset_in: int
    fd_out: int
    offset_out: int
    count: int


@dataclass(frozen=True, slots=True)
class FstatFd(Call):
    """(kind, mode, uid, gid, nlink, size, atime_ns, mtime_ns, ctime_ns).

    kind: "file", "directory", "symlink", "fifo" (also of a pipe; its other fields are 0o600, the
    creator's effective owner, 1, 0 and the time of its creation three times).
    """

    fd: int


@dataclass(frozen=True, slots=True)
class FsyncFd(Call):
    """fsync; EINVAL on a pipe or FIFO."""

    fd: int


@dataclass(frozen=True, slots=True)
class SyncAll(Call):
    """sync: every volume; one with an open transaction is left out (nobody can be told)."""


@dataclass(frozen=True, slots=True)
class Getdents(Call):
    """At most `count` (name, kind) pairs in the implementation's order, empty at the end; EINVAL
    when count < 1.

    A name there during the whole scan comes exactly once; one that came or went meanwhile at most
    once. lseek(fd, 0, SEEK_SET) begins again; any other lseek on a directory is EINVAL.
    """

    fd: int
    count: int
