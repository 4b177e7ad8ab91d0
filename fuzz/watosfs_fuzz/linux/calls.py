"""One call of the vocabulary as the system call of Linux that it stands for.

Values have the form that the model gives them (``watosfs_model.kernel``); times are left out.
"""

import ctypes
import errno
import fcntl
import os
import resource
import stat
import struct
from typing import Any, TypeAlias

from watosfs_model.kernel import attribute_calls as x
from watosfs_model.kernel import calls as c
from watosfs_model.kernel import numbers as n
from watosfs_model.kernel import path_calls as p
from watosfs_model.kernel import process_calls as q

LIBC = ctypes.CDLL(None, use_errno=True)
LONG = ctypes.c_long
#: Descriptors of the script stay below; what the harness needs lies above.
DESCRIPTORS_OF_SCRIPT = 512
_GETDENTS64, _FACCESSAT2 = 217, 439
_DIRENT = struct.Struct("<QqHB")
_DIRENT_ALIGNMENT, _DIRENT_BYTES_MAX = 8, 280
#: Functions whose result is wider than an int.
_WIDE = frozenset(
    {"lseek", "copy_file_range", "sendfile", "syscall", "getxattr", "lgetxattr", "fgetxattr"}
    | {"listxattr", "llistxattr", "flistxattr"}
)
_FLOCK = struct.Struct("hhqqi4x")
_STATUS_FLAGS = os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK
_KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
}  # fmt: skip
_DIRENT_KINDS = {8: "file", 4: "directory", 10: "symlink", 1: "fifo"}

Status: TypeAlias = tuple[str, int, int, int, int, int]


def system_call(name: str, *arguments: object) -> int:
    """A function of libc that gives -1 and errno. Raises ``OSError``."""
    function = getattr(LIBC, name)
    function.restype = LONG if name in _WIDE else ctypes.c_int
    found: int = function(*arguments)
    if found < 0:
        raise OSError(ctypes.get_errno(), name)
    return found


def status(found: os.stat_result) -> Status:
    """Kind, mode, owners, links and size (0 of a directory or FIFO)."""
    kind = _KINDS[stat.S_IFMT(found.st_mode)]
    size = found.st_size if kind in ("file", "symlink") else 0
    return kind, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_nlink, size


def refuse_flags(flags: int, known: int) -> None:
    """What libc or Python would not pass on."""
    if flags & ~known:
        raise OSError(errno.EINVAL, "flags")


def getdents(fd: int, count: int) -> tuple[tuple[bytes, str], ...]:
    """At most ``count`` entries from where the directory stands, one at a time: reading more and
    seeking back is not what a program does, and tmpfs begins again when that entry has gone.
    """
    if count < 1:
        raise OSError(errno.EINVAL, "count")
    found: list[tuple[bytes, str]] = []
    while len(found) < count:
        record = next_record(fd)
        if not record:
            break
        name = record[_DIRENT.size :].split(b"\0")[0]
        if name not in (b".", b".."):
            found.append((name, _DIRENT_KINDS[_DIRENT.unpack_from(record)[3]]))
    return tuple(found)


def next_record(fd: int) -> bytes:
    """One record of getdents64, empty at the end: the smallest buffer that holds one."""
    for size in range(_DIRENT_ALIGNMENT * 3, _DIRENT_BYTES_MAX + 1, _DIRENT_ALIGNMENT):
        room = ctypes.create_string_buffer(size)
        try:
            length = system_call("syscall", LONG(_GETDENTS64), fd, room, LONG(size))
        except OSError as error:
            if error.errno != errno.EINVAL or size == _DIRENT_BYTES_MAX:
                raise
            continue
        return room.raw[:length]
    raise AssertionError("a name beyond 255 bytes")


def fcntl_call(call: c.Fcntl) -> int:
    """F_GETFL tells only what the model knows of."""
    found = system_call("fcntl", call.fd, call.command, LONG(call.argument))
    return found & _STATUS_FLAGS if call.command == n.F_GETFL else found


def copy_file_range(call: c.CopyFileRange) -> int:
    """An offset of -1 is a null pointer."""
    into, out = ctypes.c_int64(call.offset_in), ctypes.c_int64(call.offset_out)
    return system_call(
        "copy_file_range",
        call.fd_in,
        None if call.offset_in == -1 else ctypes.byref(into),
        call.fd_out,
        None if call.offset_out == -1 else ctypes.byref(out),
        LONG(call.count),
        0,
    )


def sendfile(call: x.Sendfile) -> int:
    """An offset of -1 is a null pointer."""
    offset = ctypes.c_int64(call.offset)
    pointer = None if call.offset == -1 else ctypes.byref(offset)
    return system_call("sendfile", call.fd_out, call.fd_in, pointer, LONG(call.count))


def lock_range(call: q.LockRange) -> object:
    """F_GETLK gives None, or what is in the way; the process is a number of Linux."""
    wanted = _FLOCK.pack(call.kind, os.SEEK_SET, call.start, call.length, 0)
    room = ctypes.create_string_buffer(wanted, _FLOCK.size)
    system_call("fcntl", call.fd, call.command, room)
    if call.command != n.F_GETLK:
        return None
    kind, _, start, length, pid = _FLOCK.unpack(room.raw)
    return None if kind == n.F_UNLCK else (kind, start, length, pid)


def faccessat(call: p.Faccessat) -> None:
    """libc emulates the flags; the system call does not."""
    refuse_flags(call.flags, n.AT_EACCESS)
    system_call("syscall", LONG(_FACCESSAT2), call.dirfd, call.path, call.mode, call.flags)


def fstatat(call: p.Fstatat) -> Status:
    """stat or lstat."""
    refuse_flags(call.flags, n.AT_SYMLINK_NOFOLLOW)
    found = os.stat(call.path, dir_fd=call.dirfd, follow_symlinks=not call.flags)
    return status(found)


def utimensat(call: p.Utimensat) -> None:
    """Times in ns."""
    refuse_flags(call.flags, n.AT_SYMLINK_NOFOLLOW)
    times = (call.atime_ns, call.mtime_ns)
    os.utime(call.path, ns=times, dir_fd=call.dirfd, follow_symlinks=not call.flags)


def close_on_exec(call: q.Exec) -> None:
    """What execve does to descriptors (no image is loaded)."""
    for fd in range(DESCRIPTORS_OF_SCRIPT):
        try:
            if fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
                os.close(fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise


def pipe2(call: q.Pipe2) -> tuple[int, int]:
    """(read end, write end)."""
    pair = (ctypes.c_int * 2)()
    system_call("pipe2", pair, call.flags)
    return pair[0], pair[1]


def ids(name: str, call: Any) -> None:
    """setresuid, setresgid."""
    values = [getattr(call, field) for field in call.__dataclass_fields__]
    if not all(0 <= value <= 0xFFFFFFFF for value in values):
        raise OSError(errno.EINVAL, name)
    system_call(name, *map(ctypes.c_uint, values))


def fchownat(call: p.Fchownat) -> None:
    """Owner and group as 32 bits."""
    if not (0 <= call.uid <= 0xFFFFFFFF and 0 <= call.gid <= 0xFFFFFFFF):
        raise OSError(errno.EINVAL, "owner")
    owners = ctypes.c_uint(call.uid), ctypes.c_uint(call.gid)
    system_call("fchownat", call.dirfd, call.path, *owners, call.flags)


def setnofile(call: q.Setnofile) -> None:
    """The soft limit; the harness has descriptors above it, which stay open."""
    if not 0 <= call.limit <= 1024:
        raise OSError(errno.EINVAL, "limit")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (call.limit, hard))
