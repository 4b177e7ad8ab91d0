"""Who may do what: permission bits, owners of new inodes, and when set-id bits go [A1..A9]."""

import errno
from typing import NamedTuple

from watosfs_model.kernel.change import Change
from watosfs_model.kernel.state import File
from watosfs_model.state import DIRECTORY, FILE, Inode

READ, WRITE, EXECUTE = 4, 2, 1
SET_UID, SET_GID, STICKY = 0o4000, 0o2000, 0o1000
GROUP_EXECUTE = 0o010


class Credentials(NamedTuple):
    """The ids that decide."""

    uid: int
    gid: int
    groups: tuple[int, ...]

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    def has_group(self, gid: int) -> bool:
        return gid == self.gid or gid in self.groups


def effective(change: Change) -> Credentials:
    """What decides about everything but faccessat."""
    process = change.process
    return Credentials(process.uids[1], process.gids[1], process.groups)


def real(change: Change) -> Credentials:
    """What decides for faccessat without AT_EACCESS [A4]."""
    process = change.process
    return Credentials(process.uids[0], process.gids[0], process.groups)


def permits(inode: Inode, who: Credentials, wanted: int) -> bool:
    """Whether the mode grants all of READ, WRITE, EXECUTE that are wanted. POSIX 4.5; exactly one
    class decides [A1].
    """
    if who.uid == 0:
        return not wanted & EXECUTE or inode.kind == DIRECTORY or bool(inode.mode & 0o111)
    if who.uid == inode.uid:
        bits = inode.mode >> 6
    elif who.has_group(inode.gid):
        bits = inode.mode >> 3
    else:
        bits = inode.mode
    return bits & wanted == wanted


def denied(inode: Inode, who: Credentials, wanted: int) -> set[int]:
    """EACCES unless permitted."""
    return set() if permits(inode, who, wanted) else {errno.EACCES}


def owner_denied(inode: Inode, who: Credentials) -> set[int]:
    """EPERM for anyone but the owner and root (chmod, utimensat) [A9]."""
    return set() if who.uid in (0, inode.uid) else {errno.EPERM}


def sticky_denied(directory: Inode, victim: Inode, who: Credentials) -> set[int]:
    """EPERM: in a sticky directory only the owner of the file or of the directory, and root, takes
    a name away [A7].
    """
    if directory.mode & STICKY and who.uid not in (0, victim.uid, directory.uid):
        return {errno.EPERM}
    return set()


def ownership(change: Change, parent: Inode, kind: str, mode: int) -> dict[str, int]:
    """Mode, uid and gid of a new inode [A5]; ``mode`` is what the call says."""
    who = effective(change)
    gid = who.gid
    bits = mode & (0o1777 if kind == DIRECTORY else 0o7777) & ~change.process.umask
    if parent.mode & SET_GID:
        gid = parent.gid
        if kind == DIRECTORY:
            bits |= SET_GID
        elif mode & GROUP_EXECUTE and not who.is_root and not who.has_group(gid):
            bits &= ~SET_GID
    level = parent.compression if kind in (FILE, DIRECTORY) else 0  # [C2]
    return {"mode": bits, "uid": who.uid, "gid": gid, "compression": level}


def without_set_id(inode: Inode, who: Credentials) -> int:
    """Set-uid goes; set-gid too where group execute is on, and from who is neither root nor of the
    file's group (Linux since 6.2).
    """
    keeps_group = who.is_root or who.has_group(inode.gid)
    goes = SET_GID if inode.mode & GROUP_EXECUTE or not keeps_group else 0
    return inode.mode & ~SET_UID & ~goes


def touch_data(change: Change, file: File, **fields: object) -> None:
    """New content: times, and set-id bits unless root writes [A10, T3]."""
    edit = change.edit(file[0])
    inode = edit[file[1]]
    who = effective(change)
    if inode.kind == FILE and inode.mode & (SET_UID | SET_GID) and not who.is_root:
        edit.touch(file[1], mode=without_set_id(inode, who), **fields)
    else:
        edit.touch(file[1], **fields)
