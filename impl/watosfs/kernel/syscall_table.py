# Size: a table with its few small handlers; one row for each number.
"""What each system-call number does: published ones first, ours from 150 on (``docs/ABI.md``)."""

import errno
from collections.abc import Callable

from watosfs.errors import failure
from watosfs.kernel import (
    attributes,
    data,
    descriptors,
    layouts,
    locking,
    mounting,
    names,
    opening,
    pipes,
    sizes,
)
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    AT_FDCWD,
    AT_REMOVEDIR,
    F_GETLK,
    GROUPS_MAX,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from watosfs.kernel.process import Process
from watosfs.kernel.registers import TRANSFER_MAX, Registers

Handler = Callable[[Kernel, Process, Registers], int]

HANDLERS: dict[int, Handler] = {}

OLD_OPEN_FLAGS = {0: O_RDONLY, 1: O_WRONLY | O_CREAT | O_TRUNC}
DIRENT_MAX = layouts.DIRENT_HEAD.size + 256


def handler(number: int) -> Callable[[Handler], Handler]:
    """Register the handler of a number."""

    def register(function: Handler) -> Handler:
        assert number not in HANDLERS, f"system call {number} twice"
        HANDLERS[number] = function
        return function

    return register


def simple(number: int, function: Callable[..., object], shape: str) -> None:
    """A call that maps registers to arguments one by one and gives a number or nothing.

    ``shape`` has a letter for each register: f descriptor, s string, t text with its length in the
    next register, u unsigned 32 bits, i signed 64 bits, d data with its length in the next.
    """

    def handle(kernel: Kernel, process: Process, r: Registers) -> int:
        arguments: list[object] = []
        index = 0
        for letter in shape:
            arguments.append(READERS[letter](r, index))
            index += 2 if letter in "td" else 1
        result = function(kernel, process, *arguments)
        return result if isinstance(result, int) else 0

    # What statistics call it.
    is_named = function.__name__ != "<lambda>"
    handle.__name__ = function.__name__ if is_named else f"call_{number}"
    HANDLERS[number] = handle


READERS: dict[str, Callable[[Registers, int], object]] = {
    "f": Registers.fd,
    "s": Registers.string,
    "t": Registers.text,
    "u": Registers.unsigned32,
    "i": Registers.signed,
    "d": Registers.data,
}


def at_cwd(function: Callable[..., object], *rest: object) -> Callable[..., object]:
    """The plain form of an *at call: from the working directory."""
    return lambda kernel, process, path, *more: function(
        kernel, process, AT_FDCWD, path, *more, *rest
    )


# -- published numbers

simple(1, data.write, "fd")
simple(4, descriptors.close, "f")
simple(72, lambda k, p, path: opening.mkdirat(k, p, AT_FDCWD, path, 0o755), "t")
simple(73, at_cwd(names.unlinkat, 0), "t")
simple(74, at_cwd(names.unlinkat, AT_REMOVEDIR), "t")
simple(75, lambda k, p, old, new: names.renameat(k, p, AT_FDCWD, old, AT_FDCWD, new), "tt")
simple(77, names.chdir, "t")
simple(88, at_cwd(opening.mkfifoat), "tu")
simple(140, at_cwd(attributes.fchmodat), "tu")
simple(141, at_cwd(attributes.fchownat, 0), "tuu")
simple(142, at_cwd(attributes.faccessat, 0), "tu")
simple(121, lambda k, p, uid: descriptors.setresuid(k, p, uid, uid, uid), "u")
simple(122, lambda k, p: p.credentials.ruid, "")
simple(123, lambda k, p: p.credentials.rgid, "")
simple(124, lambda k, p, gid: descriptors.setresgid(k, p, gid, gid, gid), "u")
simple(126, lambda k, p: p.credentials.euid, "")
simple(127, lambda k, p: p.credentials.egid, "")


@handler(2)
def read(kernel: Kernel, process: Process, r: Registers) -> int:
    """read(fd, buffer, count)."""
    count = min(r.unsigned(2), TRANSFER_MAX)
    address = r.room(1, count)
    found = data.read(kernel, process, r.fd(0), count)
    r.memory.write(address, found)
    return len(found)


@handler(3)
def open_published(kernel: Kernel, process: Process, r: Registers) -> int:
    """open(path, length, mode): 0 reads, 1 writes (creates, empties), anything else both."""
    flags = OLD_OPEN_FLAGS.get(r.unsigned(2), O_RDWR)
    return opening.openat(kernel, process, AT_FDCWD, r.text(0), flags, 0o644)


@handler(70)
def stat_published(kernel: Kernel, process: Process, r: Registers) -> int:
    """stat(path, length, two u64): type (1 is a directory) and size."""
    path, address = r.text(0), r.room(2, layouts.OLD_STAT.size)
    status = attributes.fstatat(kernel, process, AT_FDCWD, path, 0)
    r.memory.write(address, layouts.OLD_STAT.pack(status[0] == "directory", status[5]))
    return 0


@handler(76)
def getcwd(kernel: Kernel, process: Process, r: Registers) -> int:
    """getcwd(buffer, length): the bytes of the path; ERANGE when it does not fit."""
    path = names.getcwd(kernel, process)
    if len(path) > r.unsigned(1):
        raise failure(errno.ERANGE)
    r.memory.write(r.room(0, len(path)), path)
    return len(path)


@handler(86)
def symlink(kernel: Kernel, process: Process, r: Registers) -> int:
    """symlink(target, path, target length << 32 | path length)."""
    lengths = r.unsigned(2)
    target, path = r.text(0, lengths >> 32), r.text(1, lengths & 0xFFFFFFFF)
    opening.symlinkat(kernel, process, target, AT_FDCWD, path)
    return 0


@handler(87)
def readlink(kernel: Kernel, process: Process, r: Registers) -> int:
    """readlink(path, length, buffer, room): what fits."""
    return put_link(r, 2, names.readlinkat(kernel, process, AT_FDCWD, r.text(0)))


def put_link(r: Registers, index: int, target: bytes) -> int:
    """A symlink's target, cut to the room; EINVAL for none."""
    room = r.unsigned(index + 1)
    if not room:
        raise failure(errno.EINVAL)
    r.memory.write(r.room(index, min(len(target), room)), target[:room])
    return min(len(target), room)


# -- ours

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
simple(175, sizes.copy_file_range, "fifii")
simple(178, data.fsync, "f")
simple(179, data.fsync, "f")
simple(180, data.sync, "")
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
