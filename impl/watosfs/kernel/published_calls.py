"""System calls with published numbers, and the published registers (``docs/ABI.md``)."""

import errno

from watosfs.errors import failure
from watosfs.kernel import attributes, data, descriptors, layouts, mounting, names, opening
from watosfs.kernel.handlers import at_cwd, handler, put_link, simple
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import (
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_NOFOLLOW,
    O_CREAT,
    O_DIRECTORY,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from watosfs.kernel.process import Process
from watosfs.kernel.registers import TRANSFER_MAX, Registers

OLD_OPEN_FLAGS = {0: O_RDONLY, 1: O_WRONLY | O_CREAT | O_TRUNC}
#: The published readdir takes a buffer of this size for granted.
LISTING_BYTES = 4096
LETTERS = {"directory": b"D", "file": b"F", "symlink": b"L", "fifo": b"P"}

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
simple(79, mounting.umount, "t")
simple(80, descriptors.execve, "")
simple(81, descriptors.spawn, "")
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


@handler(71)
def readdir(kernel: Kernel, process: Process, r: Registers) -> int:
    """readdir(path or null, length, 4096 bytes): a line `T NAME SIZE` for each name; ERANGE when
    they do not fit.
    """
    path = r.text(0) if r.unsigned(0) else b"."
    address = r.room(2, LISTING_BYTES)
    lines = b"".join(listing(kernel, process, path))
    if len(lines) > LISTING_BYTES:
        raise failure(errno.ERANGE, path)
    r.memory.write(address, lines)
    return len(lines)


def listing(kernel: Kernel, process: Process, path: bytes) -> list[bytes]:
    """The lines of readdir; the scan stops when they cannot fit."""
    fd = opening.openat(kernel, process, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
    assert isinstance(fd, int)
    lines: list[bytes] = []
    try:
        while sum(map(len, lines)) <= LISTING_BYTES:
            found = data.getdents(kernel, process, fd, 64)
            if not found:
                break
            for name, kind in found:
                status = attributes.fstatat(kernel, process, fd, name, AT_SYMLINK_NOFOLLOW)
                lines.append(b"%b %b %d\n" % (LETTERS[kind], name, status[5]))
    finally:
        kernel.remove(process, fd)
    return lines


@handler(78)
def mount(kernel: Kernel, process: Process, r: Registers) -> int:
    """mount(volume number in decimal, length, path or drive with NUL)."""
    name, path = r.text(0), r.string(2)
    if not name.isdigit() or len(name) > 9:
        raise failure(errno.ENODEV, name)
    mounting.mount(kernel, process, path, int(name))
    return 0


@handler(85)
def listdrives(kernel: Kernel, process: Process, r: Registers) -> int:
    """listdrives(buffer, length): a line `NAME:PATH:FS` for each drive, with a `*` after that of
    the working directory; ERANGE when they do not fit.
    """
    lines = b"".join(
        b"%b:/:%b%b\n"
        % (letter, filesystem.kind, b"*" if process.cwd.filesystem is filesystem else b"")
        for letter, filesystem in mounting.drives(kernel)
    )
    if len(lines) > r.unsigned(1):
        raise failure(errno.ERANGE)
    r.memory.write(r.room(0, len(lines)), lines)
    return len(lines)


@handler(89)
def statfs(kernel: Kernel, process: Process, r: Registers) -> int:
    """statfs(path, length, six u64)."""
    path, address = r.text(0), r.room(2, layouts.STATFS.size)
    r.memory.write(address, layouts.STATFS.pack(*mounting.statfs(kernel, process, path)))
    return 0
