"""Attributes: fstat, fstatat, faccessat, fchmodat, fchownat, utimensat [A4, A9, A10, T5]."""

import errno

from watosfs_model.kernel.access import (
    SET_GID,
    SET_UID,
    Credentials,
    denied,
    effective,
    owner_denied,
    real,
    without_set_id,
)
from watosfs_model.kernel.calls import FstatFd
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.names import flag_checks
from watosfs_model.kernel.numbers import AT_EACCESS, AT_SYMLINK_NOFOLLOW
from watosfs_model.kernel.path_calls import Faccessat, Fchmodat, Fchownat, Fstatat, Utimensat
from watosfs_model.kernel.reading_writing import busy_checks
from watosfs_model.kernel.state import PIPES, File
from watosfs_model.kernel.table import description_of
from watosfs_model.kernel.walking import find
from watosfs_model.observation import Entry, fields_of
from watosfs_model.resolution import ALWAYS, SLASHED, Refused
from watosfs_model.state import DIRECTORY, FIFO, OWNER_UNCHANGED, Inode

STAT_FIELDS = 9


def named(change: Change, dirfd: int, path: bytes, flags: int) -> File:
    """The file at a path; AT_SYMLINK_NOFOLLOW stays at a last symlink. Raises Refused."""
    return find(change, dirfd, path, SLASHED if flags & AT_SYMLINK_NOFOLLOW else ALWAYS)


def refusals(change: Change, call: Fstatat | Fchownat | Utimensat) -> frozenset[int]:
    """Why the path leads nowhere; the empty set when it leads somewhere."""
    try:
        named(change, call.dirfd, call.path, call.flags)
    except Refused as refused:
        return refused.errnos
    return frozenset()


def fstat_checks(change: Change, call: FstatFd) -> set[int]:
    description_of(change, call.fd)
    return set()


def fstat_core(change: Change, call: FstatFd) -> Entry:
    """Of an anonymous pipe: 0600, its creator's, made when it was made [Q3]."""
    file = description_of(change, call.fd).file
    if file[0] != PIPES:
        return fields_of(change.inode(file))[:STAT_FIELDS]
    pipe = change.pipes[file]
    return (FIFO, 0o600, pipe.uid, pipe.gid, 1, 0, *(pipe.created_ns,) * 3)


def fstatat_checks(change: Change, call: Fstatat) -> set[int]:
    return flag_checks(call.flags, AT_SYMLINK_NOFOLLOW) | refusals(change, call)


def fstatat_core(change: Change, call: Fstatat) -> Entry:
    file = named(change, call.dirfd, call.path, call.flags)
    return fields_of(change.inode(file))[:STAT_FIELDS]


def faccessat_checks(change: Change, call: Faccessat) -> set[int]:
    """With the real ids, on the way too; root by its real id may search everything [A4]."""
    errnos = flag_checks(call.flags, AT_EACCESS) | flag_checks(call.mode, 7)
    who = effective(change) if call.flags & AT_EACCESS else real(change)
    try:
        inode = change.inode(find(change, call.dirfd, call.path, ALWAYS, who))
    except Refused as refused:
        return errnos | refused.errnos
    return errnos | denied(inode, who, call.mode & 7)


def faccessat_core(change: Change, call: Faccessat) -> None:
    """It only answers."""


def fchmodat_checks(change: Change, call: Fchmodat) -> set[int]:
    file = find(change, call.dirfd, call.path)
    return owner_denied(change.inode(file), effective(change)) | busy_checks(change, file)


def fchmodat_core(change: Change, call: Fchmodat) -> None:
    """POSIX chmod: set-gid is for members of the file's group and root [A9]."""
    file = find(change, call.dirfd, call.path)
    inode, who = change.inode(file), effective(change)
    mode = call.mode & 0o7777
    if not who.is_root and not who.has_group(inode.gid):
        mode &= ~SET_GID
    change.edit(file[0]).update(file[1], mode=mode, ctime_ns=change.now_ns)


def fchownat_checks(change: Change, call: Fchownat) -> set[int]:
    errnos = flag_checks(call.flags, AT_SYMLINK_NOFOLLOW)
    if not (0 <= call.uid <= OWNER_UNCHANGED and 0 <= call.gid <= OWNER_UNCHANGED):
        errnos.add(errno.EINVAL)  # [K12]
    try:
        file = named(change, call.dirfd, call.path, call.flags)
    except Refused as refused:
        return errnos | refused.errnos
    errnos |= busy_checks(change, file)
    if not may_chown(change.inode(file), effective(change), call):
        errnos.add(errno.EPERM)
    return errnos


def may_chown(inode: Inode, who: Credentials, call: Fchownat) -> bool:
    """Root all; the owner only the group, to one of its own; others nothing that changes
    anything [A9].
    """
    if who.is_root:
        return True
    keeps_uid, keeps_gid = call.uid == OWNER_UNCHANGED, call.gid == OWNER_UNCHANGED
    if who.uid == inode.uid:
        uid_is_own = keeps_uid or call.uid == inode.uid
        return uid_is_own and (keeps_gid or call.gid == inode.gid or who.has_group(call.gid))
    return keeps_uid and keeps_gid and owned_mode(inode, who) == inode.mode


def owned_mode(inode: Inode, who: Credentials) -> int:
    """The mode after a chown: set-id bits of anything but a directory go, for root too [A10]."""
    if inode.kind == DIRECTORY or not inode.mode & (SET_UID | SET_GID):
        return inode.mode
    return without_set_id(inode, who)


def fchownat_core(change: Change, call: Fchownat) -> None:
    file = named(change, call.dirfd, call.path, call.flags)
    inode = change.inode(file)
    change.edit(file[0]).update(
        file[1],
        uid=inode.uid if call.uid == OWNER_UNCHANGED else call.uid,
        gid=inode.gid if call.gid == OWNER_UNCHANGED else call.gid,
        mode=owned_mode(inode, effective(change)),
        ctime_ns=change.now_ns,
    )


def utimensat_checks(change: Change, call: Utimensat) -> set[int]:
    errnos = flag_checks(call.flags, AT_SYMLINK_NOFOLLOW)
    if not (0 <= call.atime_ns < 1 << 64 and 0 <= call.mtime_ns < 1 << 64):
        errnos.add(errno.EINVAL)  # [T5]
    try:
        file = named(change, call.dirfd, call.path, call.flags)
    except Refused as refused:
        return errnos | refused.errnos
    errnos |= owner_denied(change.inode(file), effective(change))  # [A9]
    return errnos | busy_checks(change, file)


def utimensat_core(change: Change, call: Utimensat) -> None:
    volume, number = named(change, call.dirfd, call.path, call.flags)
    change.edit(volume).update(
        number, atime_ns=call.atime_ns, mtime_ns=call.mtime_ns, ctime_ns=change.now_ns
    )
