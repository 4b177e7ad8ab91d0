"""Calls on extended attributes; on file systems as a whole; and between descriptors.

See `calls` for how a record is to be read, and `docs/DESIGN.md` section 8.5 for the rules.
"""

from dataclasses import dataclass

from watosfs_model.data import Data
from watosfs_model.kernel.calls import Call

# -- extended attributes; at_flags: of AT_SYMLINK_NOFOLLOW


@dataclass(frozen=True, slots=True)
class SetxattrAt(Call):
    """flags: 0, XATTR_CREATE 1, XATTR_REPLACE 2."""

    dirfd: int
    path: bytes
    at_flags: int
    key: bytes
    value: Data
    flags: int


@dataclass(frozen=True, slots=True)
class GetxattrAt(Call):
    """The value, bytes; with size 0 its length; ERANGE when it is longer than size."""

    dirfd: int
    path: bytes
    at_flags: int
    key: bytes
    size: int


@dataclass(frozen=True, slots=True)
class ListxattrAt(Call):
    """A frozenset of the keys; with size 0 their length, each with a NUL; ERANGE when that is
    longer than size.
    """

    dirfd: int
    path: bytes
    at_flags: int
    size: int


@dataclass(frozen=True, slots=True)
class RemovexattrAt(Call):
    dirfd: int
    path: bytes
    at_flags: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Fsetxattr(Call):
    fd: int
    key: bytes
    value: Data
    flags: int


@dataclass(frozen=True, slots=True)
class Fgetxattr(Call):
    """As GetxattrAt."""

    fd: int
    key: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Flistxattr(Call):
    """As ListxattrAt."""

    fd: int
    size: int


@dataclass(frozen=True, slots=True)
class Fremovexattr(Call):
    fd: int
    key: bytes


# -- between descriptors, and to the disk


@dataclass(frozen=True, slots=True)
class Sendfile(Call):
    """The count. offset -1: at the input's own offset, which moves. May park (a full pipe)."""

    fd_out: int
    fd_in: int
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Syncfs(Call):
    fd: int


@dataclass(frozen=True, slots=True)
class SyncFileRange(Call):
    """flags: of 1, 2, 4 (wait before, write, wait after)."""

    fd: int
    offset: int
    count: int
    flags: int


# -- file systems, and processes


@dataclass(frozen=True, slots=True)
class StatfsAt(Call):
    """None: the figures are an implementation's own."""

    path: bytes


@dataclass(frozen=True, slots=True)
class FstatfsFd(Call):
    """None, likewise."""

    fd: int


@dataclass(frozen=True, slots=True)
class Spawn(Call):
    """The child's number: fork, with the close-on-exec descriptors closed in the child."""
