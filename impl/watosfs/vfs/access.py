"""Who may do what: permission bits, ownership, sticky directories, set-id bits.

Root is user 0 and passes everything but the execution of what nobody may execute.
"""

import errno
import stat
from typing import NamedTuple, Protocol

from watosfs.errors import failure

READ, WRITE, EXECUTE = 4, 2, 1

_GROUP_EXECUTE = stat.S_IXGRP
_SET_GID_COUNTS = stat.S_ISGID | _GROUP_EXECUTE


class Owned(Protocol):
    """What of an inode decides: ``mode`` with its type bits, ``uid``, ``gid``."""

    mode: int
    uid: int
    gid: int


class Credentials(NamedTuple):
    """User and group ids: real, effective, saved; supplementary groups."""

    ruid: int = 0
    euid: int = 0
    suid: int = 0
    rgid: int = 0
    egid: int = 0
    sgid: int = 0
    groups: tuple[int, ...] = ()

    @property
    def is_root(self) -> bool:
        """Whether the effective user passes permission checks."""
        return self.euid == 0

    def real(self) -> "Credentials":
        """The same with the real ids in effect, as access(2) asks."""
        return self._replace(euid=self.ruid, egid=self.rgid)

    def is_in_group(self, gid: int) -> bool:
        """Effective or supplementary."""
        return gid == self.egid or gid in self.groups


def permits(credentials: Credentials, inode: Owned, wanted: int) -> bool:
    """Whether exactly one class (owner, else group, else other) has all wanted bits."""
    mode = inode.mode
    if credentials.euid == 0:
        return not wanted & EXECUTE or stat.S_ISDIR(mode) or mode & 0o111 != 0
    if credentials.euid == inode.uid:
        mode >>= 6
    elif credentials.is_in_group(inode.gid):
        mode >>= 3
    return mode & wanted == wanted


def require(credentials: Credentials, inode: Owned, wanted: int) -> None:
    """Raise EACCES unless permitted."""
    if not permits(credentials, inode, wanted):
        raise failure(errno.EACCES)


def require_owner(credentials: Credentials, inode: Owned) -> None:
    """Raise EPERM for anyone but the owner and root."""
    if not (credentials.is_root or credentials.euid == inode.uid):
        raise failure(errno.EPERM)


def require_attribute_owner(credentials: Credentials, inode: Owned) -> None:
    """Extended attributes of a sticky directory are its owner's. Raises EPERM (Linux)."""
    if stat.S_ISDIR(inode.mode) and inode.mode & stat.S_ISVTX:
        require_owner(credentials, inode)


def require_deletable(credentials: Credentials, directory: Owned, inode: Owned) -> None:
    """EACCES without write and search permission; EPERM where a sticky directory forbids."""
    require(credentials, directory, WRITE | EXECUTE)
    is_owner = credentials.euid in (inode.uid, directory.uid)
    if directory.mode & stat.S_ISVTX and not (is_owner or credentials.is_root):
        raise failure(errno.EPERM)


def mode_without_ids(credentials: Credentials, inode: Owned) -> int:
    """The mode without set-uid, and without set-gid unless that is a mere lock mark on a file of
    one of the process's groups.
    """
    mode = inode.mode & ~stat.S_ISUID
    is_foreign = not (credentials.is_root or credentials.is_in_group(inode.gid))
    return mode & ~stat.S_ISGID if mode & _GROUP_EXECUTE or is_foreign else mode


def mode_after_write(credentials: Credentials, inode: Owned) -> int:
    """The mode of a file whose data somebody changed."""
    return inode.mode if credentials.is_root else mode_without_ids(credentials, inode)


def mode_of_new(credentials: Credentials, directory: Owned, mode: int) -> int:
    """A new directory inherits set-gid; a new file cannot be given to a group that the process is
    not in.
    """
    if stat.S_ISDIR(mode):
        return mode & ~(stat.S_ISUID | stat.S_ISGID) | directory.mode & stat.S_ISGID
    is_foreign = not (credentials.is_root or credentials.is_in_group(directory.gid))
    if directory.mode & stat.S_ISGID and mode & _SET_GID_COUNTS == _SET_GID_COUNTS and is_foreign:
        return mode & ~stat.S_ISGID
    return mode


def owner_of_new(credentials: Credentials, directory: Owned) -> tuple[int, int]:
    """User and group of a new inode: the group is the directory's where that has set-gid."""
    inherits = directory.mode & stat.S_ISGID
    return credentials.euid, directory.gid if inherits else credentials.egid
