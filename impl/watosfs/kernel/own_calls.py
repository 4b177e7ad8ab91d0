"""System calls in numbers that the published kernel left free, from 150 on (``docs/ABI.md``)."""

import errno

from watosfs.errors import failure
from watosfs.kernel import (
    attributes,
    data,
    descriptors,
    durability,
    layouts,
    locking,
    mounting,
    names,
    opening,
    pipes,
    sizes,
    transfers,
)
from watosfs.kernel.handlers import handler, put_link, simple
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import F_GETLK, GROUPS_MAX
from watosfs.kernel.process import Process
from watosfs.kernel.registers import TRANSFER_MAX, Registers

DIRENT_MAX = layouts.DIRENT_HEAD.size + 256

simple(150, mounting.begin, "f")
simple(151, mounting.commit, "f")
simple(152, mounting.abort, "f")
simple(160, opening.openat, "fsuu")
simple(161, descriptors.dup, "f")
simple(162, descriptors.dup2, "ff")
simple(163, descriptors.dup3, "ffu")
simple(164, descriptors.fcntl, "ffi")
simple(165, data.lseek, "fif")
simple(172, sizes.ftruncate, "fi")
simple(173, sizes.truncate, "si")
simple(174, sizes.fallocate, "fuii")
simple(175, transfers.copy_file_range, "fifii")
simple(178, durability.fsync, "f")
simple(179, durability.fsync, "f")
simple(180, durability.sync, "")
simple(184, opening.mkdirat, "fsu")
simple(185, opening.mkfifoat, "fsu")
simple(186, names.unlinkat, "fsu")
simple(187, names.renameat, "fsfs")
simple(188, names.linkat, "fsfsu")
simple(189, opening.symlinkat, "sfs")
simple(191, attributes.faccessat, "fsuu")
simple(192, attributes.fchmodat, "fsu")
simple(193, attributes.fchownat, "fsuuu")
simple(194, attributes.utimensat, "fsiiu")
simple(195, names.fchdir, "f")
simple(196, descriptors.umask, "u")
simple(197, descriptors.setresuid, "uuu")
simple(198, descriptors.setresgid, "uuu")
simple(200, descriptors.setnofile, "i")
simple(201, descriptors.fork, "")
simple(202, descriptors.execve, "")
simple(203, descriptors.exit_process, "")
simple(205, locking.flock, "fu")
simple(206, mounting.mount, "si")
simple(207, mounting.umount, "s")
simple(209, transfers.sendfile, "ffii")
simple(210, durability.syncfs, "f")
simple(211, durability.sync_file_range, "fiiu")


@handler(166)
def pread(kernel: Kernel, process: Process, r: Registers) -> int:
    """pread(fd, buffer, count, offset)."""
    count = min(r.unsigned(2), TRANSFER_MAX)
    address = r.room(1, count)
    found = data.pread(kernel, process, r.fd(0), count, r.signed(3))
    r.memory.write(address, found)
    return len(found)


@handler(167)
def pwrite(kernel: Kernel, process: Process, r: Registers) -> int:
    """pwrite(fd, buffer, count, offset)."""
    return data.pwrite(kernel, process, r.fd(0), r.data(1), r.signed(3))


def scatter(r: Registers, vectors: list[tuple[int, int]], found: bytes) -> int:
    """Bytes into the buffers of an array, which was checked."""
    at = 0
    for base, length in vectors:
        r.memory.write(base, found[at : at + length])
        at += length
    return len(found)


def checked_vectors(r: Registers) -> tuple[list[tuple[int, int]], int]:
    """The array of a reading call, every buffer checked for writing; and their whole length."""
    vectors = r.vectors(1)
    for base, length in vectors:
        r.memory.require(base, length, writable=True)
    return vectors, sum(length for _, length in vectors)


def gathered(r: Registers) -> bytes:
    """The bytes of a writing call's array."""
    return b"".join(r.memory.read(base, length) for base, length in r.vectors(1))


@handler(168)
def readv(kernel: Kernel, process: Process, r: Registers) -> int:
    """readv(fd, array, count)."""
    vectors, count = checked_vectors(r)
    return scatter(r, vectors, data.read(kernel, process, r.fd(0), count))


@handler(169)
def writev(kernel: Kernel, process: Process, r: Registers) -> int:
    """writev(fd, array, count): one write."""
    return data.write(kernel, process, r.fd(0), gathered(r))


@handler(170)
def preadv(kernel: Kernel, process: Process, r: Registers) -> int:
    """preadv(fd, array, count, offset)."""
    vectors, count = checked_vectors(r)
    return scatter(r, vectors, data.pread(kernel, process, r.fd(0), count, r.signed(3)))


@handler(171)
def pwritev(kernel: Kernel, process: Process, r: Registers) -> int:
    """pwritev(fd, array, count, offset): one write."""
    return data.pwrite(kernel, process, r.fd(0), gathered(r), r.signed(3))


@handler(176)
def fstat(kernel: Kernel, process: Process, r: Registers) -> int:
    """fstat(fd, stat)."""
    address = r.room(1, layouts.STAT.size)
    status = attributes.fstat(kernel, process, r.fd(0))
    r.memory.write(address, layouts.pack_stat(status))
    return 0


@handler(177)
def fstatat(kernel: Kernel, process: Process, r: Registers) -> int:
    """fstatat(dirfd, path, stat, flags)."""
    path, address = r.string(1), r.room(2, layouts.STAT.size)
    status = attributes.fstatat(kernel, process, r.fd(0), path, r.unsigned32(3))
    r.memory.write(address, layouts.pack_stat(status))
    return 0


@handler(183)
def getdents(kernel: Kernel, process: Process, r: Registers) -> int:
    """getdents(fd, buffer, room): as many whole entries as are sure to fit; EINVAL for no room."""
    room = min(r.unsigned(2), TRANSFER_MAX)
    address = r.room(1, room)
    found = data.getdents(kernel, process, r.fd(0), room // DIRENT_MAX)
    packed = layouts.pack_entries(found)
    r.memory.write(address, packed)
    return len(packed)


@handler(190)
def readlinkat(kernel: Kernel, process: Process, r: Registers) -> int:
    """readlinkat(dirfd, path, buffer, room): what fits."""
    return put_link(r, 2, names.readlinkat(kernel, process, r.fd(0), r.string(1)))


@handler(199)
def setgroups(kernel: Kernel, process: Process, r: Registers) -> int:
    """setgroups(count, array of u32)."""
    count = r.unsigned(0)
    if count > GROUPS_MAX:
        raise failure(errno.EINVAL)
    raw = r.memory.read(r.unsigned(1), 4 * count)
    groups = tuple(int.from_bytes(raw[at : at + 4], "little") for at in range(0, 4 * count, 4))
    descriptors.setgroups(kernel, process, groups)
    return 0


@handler(204)
def pipe2(kernel: Kernel, process: Process, r: Registers) -> int:
    """pipe2(two i32, flags)."""
    address = r.room(0, layouts.PAIR.size)
    r.memory.write(address, layouts.PAIR.pack(*pipes.pipe2(kernel, process, r.unsigned32(1))))
    return 0


@handler(208)
def lock(kernel: Kernel, process: Process, r: Registers) -> int:
    """Record locks: lock(fd, command, flock); F_GETLK fills the structure."""
    command = r.fd(1)
    raw = r.memory.read(r.unsigned(2), layouts.FLOCK.size)
    if command == F_GETLK:
        r.room(2, layouts.FLOCK.size)
    kind, start, length, _ = layouts.FLOCK.unpack(raw)
    found = locking.lock_range(kernel, process, r.fd(0), command, kind, start, length)
    if command == F_GETLK:
        told = layouts.FLOCK.pack(*found) if found else layouts.FLOCK.pack(2, start, length, 0)
        r.memory.write(r.unsigned(2), told)
    return 0


@handler(212)
def fstatfs(kernel: Kernel, process: Process, r: Registers) -> int:
    """fstatfs(fd, six u64)."""
    address = r.room(1, layouts.STATFS.size)
    r.memory.write(address, layouts.STATFS.pack(*mounting.fstatfs(kernel, process, r.fd(0))))
    return 0
