"""Calls that work on paths; see `calls` for how a record is to be read."""

from dataclasses import dataclass

from watosfs_model.kernel.calls import Call


@dataclass(frozen=True, slots=True)
class Mkdirat(Call):
    dirfd: int
    path: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Mkfifoat(Call):
    dirfd: int
    path: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Unlinkat(Call):
    """flags: 0 or AT_REMOVEDIR."""

    dirfd: int
    path: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class Renameat(Call):
    old_dirfd: int
    old: bytes
    new_dirfd: int
    new: bytes


@dataclass(frozen=True, slots=True)
class Linkat(Call):
    """flags: 0 or AT_SYMLINK_FOLLOW."""

    old_dirfd: int
    old: bytes
    new_dirfd: int
    new: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class Symlinkat(Call):
    target: bytes
    dirfd: int
    path: bytes


@dataclass(frozen=True, slots=True)
class Readlinkat(Call):
    """The target."""

    dirfd: int
    path: bytes


@dataclass(frozen=True, slots=True)
class Fstatat(Call):
    """As FstatFd. flags: 0 or AT_SYMLINK_NOFOLLOW."""

    dirfd: int
    path: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class Faccessat(Call):
    """mode: F_OK 0, or of R_OK 4, W_OK 2, X_OK 1. With the real ids; AT_EACCESS in flags: the
    effective ones.
    """

    dirfd: int
    path: bytes
    mode: int
    flags: int


@dataclass(frozen=True, slots=True)
class Fchmodat(Call):
    dirfd: int
    path: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Fchownat(Call):
    """0xFFFFFFFF leaves owner or group. flags: 0 or AT_SYMLINK_NOFOLLOW."""

    dirfd: int
    path: bytes
    uid: int
    gid: int
    flags: int


@dataclass(frozen=True, slots=True)
class Utimensat(Call):
    """flags: 0 or AT_SYMLINK_NOFOLLOW. Explicit times only: for owner or root (EPERM)."""

    dirfd: int
    path: bytes
    atime_ns: int
    mtime_ns: int
    flags: int
