"""How each call gets its arguments."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from watosfs_model.data import Data, Fill, Literal
from watosfs_model.kernel import Call, Kernel, calls, path_calls, process_calls
from watosfs_model.kernel import numbers as n
from watosfs_model.open_flags import (
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)

T = TypeVar("T")

NAMES = (b"a", b"b", b"c", b"d")
#: Equal hashes: side by side in a directory.
COLLIDING = (b"7mohtcOFVz", b"c1E51sSEyx")
ODD_PATHS = (
    b"",
    b"/",
    b".",
    b"..",
    b"a/",
    b"a/.",
    b"d/..",
    b"/../a",
    b"a\0b",
    b"x" * 256,
    b"//d//a",
)
MODES = (0o644, 0o755, 0o700, 0o600, 0o000, 0o777, 0o4755, 0o2755, 0o2745, 0o1777, 0o6777, 0o2775)
OFFSETS = (0, 1, 5, 100, 159, 160, 161, 4095, 4096, 4097, 65535, 65536, 65537, 200_000, 1 << 32)
BAD_NUMBERS = (-1, -2, 1 << 31, (1 << 63) - 1, 1 << 63, -(1 << 63))
COUNTS = (0, 1, 5, 100, 4095, 4096, 4097, 65535, 65536, 65537)
IDS = (0, 1, 2, 3)
KEEP = 0xFFFFFFFF


class Chooser:
    """Draws arguments for one call of a process."""

    def __init__(self, random: Random, kernel: Kernel, pid: int) -> None:
        self.random = random
        self.kernel = kernel
        self.pid = pid
        self.process = kernel.processes[pid]

    def chance(self, share: float) -> bool:
        """True so often."""
        return self.random.random() < share

    def pick(self, values: Sequence[T]) -> T:
        """One of some values."""
        return self.random.choice(values)

    def fd(self) -> int:
        """Mostly a descriptor that is open."""
        table = list(self.process.descriptors)
        if table and self.chance(0.92):
            return self.pick(table)
        return self.pick((0, 1, 2, 5, -1, 63, 64, 1 << 31))

    def fd_of(self, *kinds: str) -> int:
        """Mostly one of these kinds."""
        descriptions = self.kernel.descriptions
        table = [
            fd
            for fd, found in self.process.descriptors.items()
            if descriptions[found.description].kind in kinds
        ]
        return self.pick(table) if table and self.chance(0.9) else self.fd()

    def new_fd(self) -> int:
        """A number for a duplicate."""
        return self.pick((0, 1, 2, 3, 7, self.process.limit - 1, self.process.limit, -1, self.fd()))

    def dirfd(self) -> int:
        """Mostly the working directory."""
        return n.AT_FDCWD if self.chance(0.75) else self.fd_of("directory")

    def path(self) -> bytes:
        """Short paths over few names, sometimes odd ones."""
        if self.chance(0.06):
            return self.pick(ODD_PATHS)
        depth = self.pick((1, 1, 1, 1, 2, 2, 3))
        parts = [self.pick(NAMES) for _ in range(depth)]
        if self.chance(0.08):
            parts[-1] = self.pick(COLLIDING)
        if self.chance(0.08):
            parts.insert(self.random.randrange(depth + 1), self.pick((b"..", b".", b"")))
        path = b"/".join(parts)
        if self.chance(0.5):
            path = b"/" + path
        return path + b"/" if self.chance(0.04) else path

    def mode(self) -> int:
        """Permission bits."""
        return self.pick(MODES)

    def offset(self) -> int:
        """Mostly near a boundary, or near the end of an open file."""
        if self.chance(0.04):
            return self.pick(BAD_NUMBERS)
        ends = [found.offset for found in self.kernel.descriptions.values()]
        base = self.pick(ends) if ends and self.chance(0.3) else self.pick(OFFSETS)
        return max(base + self.pick((0, 0, 0, -1, 1)), 0)

    def count(self) -> int:
        """A count of bytes."""
        return self.pick((-1, 1 << 40)) if self.chance(0.03) else self.pick(COUNTS)

    def data(self) -> Data:
        """Bytes to write."""
        if self.chance(0.5):
            return Literal(self.pick((b"x", b"hello", b"", b"\0\0\0")))
        return Fill(self.random.randrange(4), self.pick(COUNTS))

    def open_flags(self) -> int:
        """Access mode and flags; bits that do not go together too."""
        flags = self.pick((0, O_RDWR, O_RDWR, O_WRONLY)) | self.pick((0, O_CREAT, O_CREAT))
        rare = (O_APPEND, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, n.O_CLOEXEC, n.O_NONBLOCK, 3)
        for flag in rare:
            if self.chance(0.12 if flag != 3 else 0.02):
                flags |= flag
        return flags

    def id(self) -> int:
        """A user or group."""
        return self.pick((KEEP, -1, 1 << 33)) if self.chance(0.15) else self.pick(IDS)

    def flag(self, flag: int) -> int:
        """A flag or none; rarely one that is unknown."""
        return 0x8000 if self.chance(0.02) else self.pick((0, flag))


def openat(c: Chooser) -> Call:
    """Half of them a directory or a plain read, so that something opens."""
    if c.chance(0.15):
        return calls.Openat(c.dirfd(), c.pick((b"/", b".", b"d", b"/d")), 0, 0)
    return calls.Openat(c.dirfd(), c.path(), c.open_flags(), c.mode())


def fcntl(c: Chooser) -> Call:
    """All commands, some unknown."""
    command = c.pick((0, 1, 2, 3, 4, n.F_DUPFD_CLOEXEC, 99))
    argument = c.pick((0, 1, O_APPEND, n.O_NONBLOCK, O_APPEND | n.O_NONBLOCK, 5, c.new_fd()))
    return calls.Fcntl(c.fd(), command, argument)


def lseek(c: Chooser) -> Call:
    """All whences, one beyond."""
    offset = -c.offset() if c.chance(0.2) else c.offset()
    return calls.Lseek(c.fd(), offset, c.pick((0, 0, 1, 2, 3, 4, 5)))


def copy_range(c: Chooser) -> Call:
    """Offsets of the descriptors, or given."""
    into = -1 if c.chance(0.4) else c.offset()
    out = -1 if c.chance(0.4) else c.offset()
    return calls.CopyFileRange(c.fd_of("file"), into, c.fd_of("file"), out, c.count())


def fallocate(c: Chooser) -> Call:
    """All modes, one unknown."""
    return calls.Fallocate(c.fd_of("file"), c.pick((0, 1, 3, 16, 17, 2, 64)), c.offset(), c.count())


def lock_range(c: Chooser) -> Call:
    """Ranges that touch and overlap."""
    start = c.pick((0, 1, 5, 9, 10, 11, 20)) if c.chance(0.9) else c.offset()
    length = c.pick((0, 1, 4, 5, 10, -1, -5)) if c.chance(0.95) else c.offset()
    return process_calls.LockRange(
        c.fd_of("file"), c.pick((5, 6, 6, 7, 7, 8)), c.pick((0, 1, 1, 2, 2, 3)), start, length
    )


def flock(c: Chooser) -> Call:
    """All operations."""
    return process_calls.Flock(c.fd(), c.pick((1, 2, 2, 8, 5, 6, 6, 3, 0)))


def nofile(c: Chooser) -> Call:
    """Low enough to meet EMFILE."""
    return process_calls.Setnofile(c.pick((0, 3, 5, 8, 64, 64, 64, 1024, 1025, -1)))


Maker = Callable[[Chooser], Call]

#: Weight and maker by name.
MAKERS: dict[str, tuple[float, Maker]] = {
    "openat": (8, openat),
    "closefd": (2.5, lambda c: calls.CloseFd(c.fd())),
    "dup": (1.2, lambda c: calls.Dup(c.fd())),
    "dup2": (1.2, lambda c: calls.Dup2(c.fd(), c.new_fd())),
    "dup3": (0.7, lambda c: calls.Dup3(c.fd(), c.new_fd(), c.flag(n.O_CLOEXEC))),
    "fcntl": (1.5, fcntl),
    "lseek": (2, lseek),
    "read": (2.5, lambda c: calls.Read(c.fd(), c.count())),
    "write": (4, lambda c: calls.Write(c.fd(), c.data())),
    "preadfd": (1, lambda c: calls.PreadFd(c.fd_of("file"), c.count(), c.offset())),
    "pwritefd": (1.5, lambda c: calls.PwriteFd(c.fd_of("file"), c.data(), c.offset())),
    "ftruncatefd": (1, lambda c: calls.FtruncateFd(c.fd_of("file"), c.offset())),
    "truncateat": (0.7, lambda c: calls.TruncateAt(c.path(), c.offset())),
    "fallocate": (1, fallocate),
    "copyfilerange": (1, copy_range),
    "fstatfd": (0.7, lambda c: calls.FstatFd(c.fd())),
    "fsyncfd": (0.4, lambda c: calls.FsyncFd(c.fd())),
    "syncall": (0.2, lambda c: calls.SyncAll()),
    "getdents": (1.5, lambda c: calls.Getdents(c.fd_of("directory"), c.pick((1, 1, 2, 9, 0, -1)))),
    "mkdirat": (3, lambda c: path_calls.Mkdirat(c.dirfd(), c.path(), c.mode())),
    "mkfifoat": (1, lambda c: path_calls.Mkfifoat(c.dirfd(), c.path(), c.mode())),
    "unlinkat": (2.5, lambda c: path_calls.Unlinkat(c.dirfd(), c.path(), c.flag(0x200))),
    "renameat": (2, lambda c: path_calls.Renameat(c.dirfd(), c.path(), c.dirfd(), c.path())),
    "linkat": (
        1.2,
        lambda c: path_calls.Linkat(c.dirfd(), c.path(), c.dirfd(), c.path(), c.flag(0x400)),
    ),
    "symlinkat": (
        1,
        lambda c: path_calls.Symlinkat(c.pick((c.path(), b"a", b"..", b"/d")), c.dirfd(), c.path()),
    ),
    "readlinkat": (0.6, lambda c: path_calls.Readlinkat(c.dirfd(), c.path())),
    "fstatat": (1, lambda c: path_calls.Fstatat(c.dirfd(), c.path(), c.flag(0x100))),
    "faccessat": (
        1,
        lambda c: path_calls.Faccessat(
            c.dirfd(), c.path(), c.pick((0, 1, 2, 4, 6, 7, 8)), c.flag(0x200)
        ),
    ),
    "fchmodat": (1.5, lambda c: path_calls.Fchmodat(c.dirfd(), c.path(), c.mode())),
    "fchownat": (
        1.5,
        lambda c: path_calls.Fchownat(c.dirfd(), c.path(), c.id(), c.id(), c.flag(0x100)),
    ),
    "utimensat": (
        0.7,
        lambda c: path_calls.Utimensat(c.dirfd(), c.path(), c.offset(), 7, c.flag(0x100)),
    ),
    "chdir": (1.2, lambda c: process_calls.Chdir(c.path())),
    "fchdir": (0.7, lambda c: process_calls.Fchdir(c.fd_of("directory"))),
    "getcwd": (0.7, lambda c: process_calls.Getcwd()),
    "umask": (0.5, lambda c: process_calls.Umask(c.pick((0, 0o022, 0o077, 0o777, -1)))),
    "setresuid": (0.8, lambda c: process_calls.Setresuid(c.id(), c.id(), c.pick((0, 0, KEEP, 1)))),
    "setresgid": (0.8, lambda c: process_calls.Setresgid(c.id(), c.id(), c.id())),
    "setgroups": (
        0.7,
        lambda c: process_calls.Setgroups(c.pick(((), (1,), (2, 1), (3, 3), (KEEP,), (1,) * 17))),
    ),
    "setnofile": (0.3, nofile),
    "fork": (0.8, lambda c: process_calls.Fork()),
    "exec": (0.4, lambda c: process_calls.Exec()),
    "exit": (0.4, lambda c: process_calls.Exit()),
    "pipe2": (1.2, lambda c: process_calls.Pipe2(c.pick((0, 0, n.O_NONBLOCK, n.O_CLOEXEC, 1)))),
    "flock": (1.5, flock),
    "lockrange": (2.5, lock_range),
    "mount": (0.8, lambda c: process_calls.Mount(c.path(), c.pick((1, 1, 1, 0, 2, -1)))),
    "umount": (0.5, lambda c: process_calls.Umount(c.path())),
    "beginat": (0.6, lambda c: process_calls.BeginAt(c.fd())),
    "commitat": (0.5, lambda c: process_calls.CommitAt(c.fd())),
    "abortat": (0.5, lambda c: process_calls.AbortAt(c.fd())),
}
