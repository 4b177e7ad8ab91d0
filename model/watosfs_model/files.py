"""Files by path and by descriptor: open, close, read, write, truncate, attributes [D1..D6,
F1..F9], compression [C1..C3].
"""

import errno

from watosfs_model import content
from watosfs_model import operations as ops
from watosfs_model.change import Change
from watosfs_model.open_flags import (
    O_ACCMODE,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
)
from watosfs_model.resolution import ALWAYS, SLASHED, Place, Refused, find, refusals, resolve
from watosfs_model.state import (
    COMPRESSION_LEVEL_MAX,
    DIRECTORY,
    FILE,
    FILE_SIZE_MAX,
    FIRST_DESCRIPTOR,
    OWNER_UNCHANGED,
    SYMLINK,
    OpenFile,
    System,
)


def opened_place(system: System, op: ops.Open) -> Place:
    """Where an open leads: O_NOFOLLOW and O_CREAT|O_EXCL leave a last symlink alone [D3]."""
    exclusive = op.flags & O_CREAT and op.flags & O_EXCL
    unfollowed = op.flags & O_NOFOLLOW or exclusive
    return resolve(system.volume, op.path, SLASHED if unfollowed else ALWAYS)


def lowest_free(system: System) -> int:
    """The lowest descriptor that is not in use [D1]."""
    number = FIRST_DESCRIPTOR
    while number in system.descriptors:
        number += 1
    return number


def open_checks(system: System, op: ops.Open) -> set[int]:
    flags, access = op.flags, op.flags & O_ACCMODE
    if access == O_ACCMODE or (flags & O_CREAT and flags & O_DIRECTORY):
        return {errno.EINVAL}  # [D2]
    place = opened_place(system, op)
    kind = system.volume.inodes[place.number].kind if place.number else ""
    errnos = set()
    if flags & O_CREAT:
        if flags & O_EXCL and place.number:
            errnos.add(errno.EEXIST)
        elif place.special or place.slashed or kind == DIRECTORY:
            errnos.add(errno.EISDIR)  # [D3]
    elif not place.number:
        errnos.add(errno.ENOENT)
    if not errnos:
        if kind == SYMLINK:
            errnos.add(errno.ENOTDIR if flags & O_DIRECTORY else errno.ELOOP)
        elif kind == DIRECTORY and (access != O_RDONLY or flags & O_TRUNC):
            errnos.add(errno.EISDIR)  # [D4]
        elif kind == FILE and flags & O_DIRECTORY:
            errnos.add(errno.ENOTDIR)
    if lowest_free(system) >= system.descriptors_max:
        errnos.add(errno.EMFILE)  # [D1]
    return errnos


def open_core(change: Change, op: ops.Open) -> int:
    system = change.before
    place = opened_place(system, op)
    number = place.number
    if not number:
        level = change[place.parent].compression  # [C2]
        number = change.new(FILE, op.mode, 1, compression=level)
        change.enter(place.parent, place.name, number)
    elif op.flags & O_TRUNC:
        change.touch(number, size=0, blocks={})  # [D4]
    descriptor = lowest_free(system)
    change.descriptors = {**system.descriptors, descriptor: OpenFile(number, op.flags)}
    return descriptor


def close_checks(system: System, op: ops.Close) -> set[int]:
    return set() if op.fd in system.descriptors else {errno.EBADF}


def close_core(change: Change, op: ops.Close) -> None:
    closed = change.descriptors[op.fd]
    change.descriptors = {n: f for n, f in change.descriptors.items() if n != op.fd}
    if not closed.is_stale:
        change.reap(closed.number)  # [N9]


def descriptor_checks(system: System, descriptor: int) -> set[int]:
    """EBADF for a number that is not open [D5], ESTALE for a file that an abort took [X5]."""
    found = system.descriptors.get(descriptor)
    if found is None:
        return {errno.EBADF}
    return {errno.ESTALE} if found.is_stale else set()


def pread_checks(system: System, op: ops.Pread) -> set[int]:
    errnos = descriptor_checks(system, op.fd)
    if errnos:
        return errnos
    found = system.descriptors[op.fd]
    if found.flags & O_ACCMODE == O_WRONLY:
        errnos.add(errno.EBADF)  # [D5]
    if op.count < 0 or op.offset < 0:
        errnos.add(errno.EINVAL)  # [F1]
    if system.volume.inodes[found.number].kind == DIRECTORY:
        errnos.add(errno.EISDIR)
    return errnos


def pread_core(change: Change, op: ops.Pread) -> bytes:
    return content.read(change[change.descriptors[op.fd].number], op.offset, op.count)


def write_offset(system: System, op: ops.Pwrite) -> int:
    """Where a write goes: with O_APPEND the end, whatever the offset says [F2]."""
    found = system.descriptors[op.fd]
    if found.flags & O_APPEND:
        return system.volume.inodes[found.number].size
    return op.offset


def pwrite_checks(system: System, op: ops.Pwrite) -> set[int]:
    errnos = descriptor_checks(system, op.fd)
    if errnos:
        return errnos
    if system.descriptors[op.fd].flags & O_ACCMODE == O_RDONLY:
        errnos.add(errno.EBADF)  # [D5]
    if op.offset < 0:
        errnos.add(errno.EINVAL)  # [F1]
    if not errnos and write_offset(system, op) + len(op.data) > FILE_SIZE_MAX:
        errnos.add(errno.EFBIG)  # [F1]
    return errnos


def pwrite_core(change: Change, op: ops.Pwrite) -> int:
    """All of it or nothing; nothing at all changes nothing [F3]."""
    data = op.data.bytes()
    if data:
        number = change.descriptors[op.fd].number
        inode = change[number]
        offset = write_offset(change.before, op)
        size = max(inode.size, offset + len(data))
        change.touch(number, size=size, blocks=content.written(inode.blocks, offset, data))
    return len(data)


def truncate_checks(system: System, op: ops.Truncate) -> set[int]:
    errnos = {errno.EINVAL} if op.size < 0 else set[int]()
    try:
        inode = system.volume.inodes[find(system.volume, op.path)]
    except Refused as refused:
        return errnos | refused.errnos
    if inode.kind == DIRECTORY:
        errnos.add(errno.EISDIR)
    if op.size > FILE_SIZE_MAX:
        errnos.add(errno.EFBIG)
    return errnos


def truncate_core(change: Change, op: ops.Truncate) -> None:
    set_size(change, find(change.before.volume, op.path), op.size)


def set_size(change: Change, number: int, size: int) -> None:
    """Cut, or grow with zeros; mtime and ctime are now even when the size stays [F6, T3]."""
    change.touch(number, size=size, blocks=content.cut(change[number].blocks, size))


def ftruncate_checks(system: System, op: ops.Ftruncate) -> set[int]:
    errnos = descriptor_checks(system, op.fd)
    if errnos:
        return errnos
    found = system.descriptors[op.fd]
    is_file = system.volume.inodes[found.number].kind == FILE
    if op.size < 0 or found.flags & O_ACCMODE == O_RDONLY or not is_file:
        return {errno.EINVAL}  # [F7]
    return {errno.EFBIG} if op.size > FILE_SIZE_MAX else set()


def ftruncate_core(change: Change, op: ops.Ftruncate) -> None:
    set_size(change, change.descriptors[op.fd].number, op.size)


def path_checks(
    system: System, op: ops.Chmod | ops.Chown | ops.Stat | ops.Listxattr
) -> frozenset[int]:
    return refusals(system.volume, op.path, ALWAYS)  # [F8]


def lstat_checks(system: System, op: ops.Lstat) -> frozenset[int]:
    return refusals(system.volume, op.path, SLASHED)


def chmod_core(change: Change, op: ops.Chmod) -> None:
    number = find(change.before.volume, op.path)
    change.update(number, mode=op.mode & 0o7777, ctime_ns=change.now_ns)


def compress_checks(system: System, op: ops.Compress) -> frozenset[int]:
    """[C1]"""
    refused = refusals(system.volume, op.path, ALWAYS)
    if refused:
        return refused
    kind = system.volume.inodes[find(system.volume, op.path)].kind
    is_allowed = 0 <= op.level <= COMPRESSION_LEVEL_MAX and kind in (FILE, DIRECTORY)
    return frozenset() if is_allowed else frozenset({errno.EINVAL})


def compress_core(change: Change, op: ops.Compress) -> None:
    number = find(change.before.volume, op.path)
    change.update(number, compression=op.level, ctime_ns=change.now_ns)  # [C1] [C3]


def chown_core(change: Change, op: ops.Chown) -> None:
    number = find(change.before.volume, op.path)
    inode = change[number]
    uid = inode.uid if op.uid == OWNER_UNCHANGED else op.uid
    gid = inode.gid if op.gid == OWNER_UNCHANGED else op.gid
    change.update(number, uid=uid, gid=gid, ctime_ns=change.now_ns)  # [F9]


def utimens_checks(system: System, op: ops.Utimens) -> frozenset[int]:
    errnos = refusals(system.volume, op.path, ALWAYS)
    if not (0 <= op.atime_ns < 1 << 64 and 0 <= op.mtime_ns < 1 << 64):
        return errnos | {errno.EINVAL}  # [T5]
    return errnos


def utimens_core(change: Change, op: ops.Utimens) -> None:
    number = find(change.before.volume, op.path)
    change.update(number, atime_ns=op.atime_ns, mtime_ns=op.mtime_ns, ctime_ns=change.now_ns)
