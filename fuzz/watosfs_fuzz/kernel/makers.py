"""How each call gets its arguments."""

from collections.abc import Callable

from watosfs_fuzz.kernel.chooser import COUNTS, KEEP, Chooser
from watosfs_model.kernel import Call, attribute_calls, calls, path_calls, process_calls
from watosfs_model.kernel import numbers as n
from watosfs_model.open_flags import O_APPEND


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


def mount_point(c: Chooser) -> bytes:
    """A directory or a drive."""
    return c.drive() if c.chance(0.4) else c.path()


def setxattr(c: Chooser) -> Call:
    """By path or descriptor."""
    flags = c.pick((0, 0, 0, 1, 2, 3, 4))
    if c.chance(0.4):
        return attribute_calls.Fsetxattr(c.fd(), c.key(), c.value(), flags)
    at_flags = c.flag(n.AT_SYMLINK_NOFOLLOW)
    return attribute_calls.SetxattrAt(c.dirfd(), c.path(), at_flags, c.key(), c.value(), flags)


def getxattr(c: Chooser) -> Call:
    """By path or descriptor."""
    if c.chance(0.4):
        return attribute_calls.Fgetxattr(c.fd(), c.key(), c.room())
    at_flags = c.flag(n.AT_SYMLINK_NOFOLLOW)
    return attribute_calls.GetxattrAt(c.dirfd(), c.path(), at_flags, c.key(), c.room())


def listxattr(c: Chooser) -> Call:
    """By path or descriptor."""
    if c.chance(0.4):
        return attribute_calls.Flistxattr(c.fd(), c.room())
    at_flags = c.flag(n.AT_SYMLINK_NOFOLLOW)
    return attribute_calls.ListxattrAt(c.dirfd(), c.path(), at_flags, c.room())


def removexattr(c: Chooser) -> Call:
    """By path or descriptor."""
    if c.chance(0.4):
        return attribute_calls.Fremovexattr(c.fd(), c.key())
    at_flags = c.flag(n.AT_SYMLINK_NOFOLLOW)
    return attribute_calls.RemovexattrAt(c.dirfd(), c.path(), at_flags, c.key())


def sendfile(c: Chooser) -> Call:
    """Into files and pipes."""
    offset = -1 if c.chance(0.5) else c.offset()
    into = c.fd_of("file", "pipe", "fifo")
    return attribute_calls.Sendfile(into, c.fd_of("file"), offset, c.pick((*COUNTS, -1)))


def sync_range(c: Chooser) -> Call:
    """Flags known and unknown."""
    flags = c.pick((0, 1, 2, 7, 8))
    return attribute_calls.SyncFileRange(c.fd(), c.offset(), c.offset(), flags)


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
    "mount": (1, lambda c: process_calls.Mount(mount_point(c), c.pick((1, 1, 1, 0, 2, -1)))),
    "umount": (0.6, lambda c: process_calls.Umount(mount_point(c))),
    "beginat": (0.6, lambda c: process_calls.BeginAt(c.fd())),
    "commitat": (0.5, lambda c: process_calls.CommitAt(c.fd())),
    "abortat": (0.5, lambda c: process_calls.AbortAt(c.fd())),
    "setxattr": (2, setxattr),
    "getxattr": (0.8, getxattr),
    "listxattr": (0.5, listxattr),
    "removexattr": (1, removexattr),
    "sendfile": (1.2, sendfile),
    "syncfs": (0.4, lambda c: attribute_calls.Syncfs(c.fd())),
    "syncfilerange": (0.4, sync_range),
    "statfsat": (0.4, lambda c: attribute_calls.StatfsAt(c.path())),
    "fstatfsfd": (0.4, lambda c: attribute_calls.FstatfsFd(c.fd())),
    "spawn": (0.4, lambda c: attribute_calls.Spawn()),
}
