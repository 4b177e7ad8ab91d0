"""Calls on the process itself, on pipes, locks, mounts and transactions.

See `calls` for how a record is to be read.
"""

from dataclasses import dataclass

from watosfs_model.kernel.calls import Call


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
