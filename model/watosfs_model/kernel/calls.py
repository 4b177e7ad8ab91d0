"""Calls of processes: one frozen record per system call, named after it.

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


# -- the process


@dataclass(frozen=True, slots=True)
class Chdir(Call):
    path: bytes


@dataclass(frozen=True, slots=True)
class Fchdir(Call):
    fd: int


@dataclass(frozen=True, slots=True)
class Getcwd(Call):
    """The absolute path; ENOENT when the directory was removed."""


@dataclass(frozen=True, slots=True)
class Umask(Call):
    """The old mask."""

    mask: int


@dataclass(frozen=True, slots=True)
class Setresuid(Call):
    """real, effective, saved; 0xFFFFFFFF leaves one."""

    ruid: int
    euid: int
    suid: int


@dataclass(frozen=True, slots=True)
class Setresgid(Call):
    rgid: int
    egid: int
    sgid: int


@dataclass(frozen=True, slots=True)
class Setgroups(Call):
    """The supplementary groups, written `[1,2]` in a trace; effective uid 0 only (EPERM); at most
    16 (EINVAL).
    """

    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Setnofile(Call):
    """setrlimit(RLIMIT_NOFILE): descriptor numbers stay below this (0 to 1024, EINVAL)."""

    limit: int


@dataclass(frozen=True, slots=True)
class Fork(Call):
    """The child's number: the lowest that no process ever had. At most 16 processes (EAGAIN)."""


@dataclass(frozen=True, slots=True)
class Exec(Call):
    """What execve does to descriptors: the close-on-exec ones go. (No image is loaded.)"""


@dataclass(frozen=True, slots=True)
class Exit(Call):
    """The process is gone, with its descriptors, locks and transactions."""


# -- pipes and locks


@dataclass(frozen=True, slots=True)
class Pipe2(Call):
    """(read end, write end). flags: of O_CLOEXEC, O_NONBLOCK."""

    flags: int


@dataclass(frozen=True, slots=True)
class Flock(Call):
    """operation: LOCK_SH 1, LOCK_EX 2, LOCK_UN 8, with LOCK_NB 4. May park."""

    fd: int
    operation: int


@dataclass(frozen=True, slots=True)
class LockRange(Call):
    """fcntl record locks; whence SEEK_SET. command: F_GETLK 5, F_SETLK 6, F_SETLKW 7 (may park);
    kind: F_RDLCK 0, F_WRLCK 1, F_UNLCK 2; length 0: to the end of all files; a negative one: the
    range before start.

    F_GETLK: None, or (kind, start, length, pid) of the first lock (by start, then pid) in the way.
    """

    fd: int
    command: int
    kind: int
    start: int
    length: int


# -- volumes


@dataclass(frozen=True, slots=True)
class Mount(Call):
    """Volume number `volume` (0 is the root's) at a directory; effective uid 0 (EPERM)."""

    path: bytes
    volume: int


@dataclass(frozen=True, slots=True)
class Umount(Call):
    """By mount point; EBUSY in use, EINVAL when nothing is mounted there."""

    path: bytes


@dataclass(frozen=True, slots=True)
class BeginAt(Call):
    """Open the explicit transaction of the volume that `fd` (any descriptor on it) is on."""

    fd: int


@dataclass(frozen=True, slots=True)
class CommitAt(Call):
    fd: int


@dataclass(frozen=True, slots=True)
class AbortAt(Call):
    fd: int


# -- directives to a parked process


@dataclass(frozen=True, slots=True)
class Resume(Call):
    """Not a call: try the parked call of this process again; it may park again."""


@dataclass(frozen=True, slots=True)
class Interrupt(Call):
    """Not a call: a signal ends the parked call: EINTR, or the count of what a write did."""
