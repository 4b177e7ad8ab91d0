"""Which function of Linux stands for which call. What is not here is not compared."""

import ctypes
import os
from collections.abc import Callable
from typing import Any

from watosfs_fuzz.linux import attributes as a
from watosfs_fuzz.linux import calls as linux
from watosfs_fuzz.linux.calls import LONG, refuse_flags, system_call
from watosfs_model.kernel import attribute_calls as x
from watosfs_model.kernel import calls as c
from watosfs_model.kernel import numbers as n
from watosfs_model.kernel import path_calls as p
from watosfs_model.kernel import process_calls as q
from watosfs_model.kernel.calls import Call

#: More than struct statfs has.
_STATFS_BYTES = 256


def no_value(name: str, *arguments: object) -> None:
    """A system call whose 0 says nothing."""
    system_call(name, *arguments)


def fchmodat(call: p.Fchmodat) -> None:
    """Permission bits only."""
    os.chmod(call.path, call.mode & 0o7777, dir_fd=call.dirfd)


def fallocate(call: c.Fallocate) -> None:
    """As 64-bit numbers."""
    no_value("fallocate", call.fd, call.mode, LONG(call.offset), LONG(call.length))


def sync_file_range(call: x.SyncFileRange) -> None:
    """As 64-bit numbers."""
    no_value("sync_file_range", call.fd, LONG(call.offset), LONG(call.count), call.flags)


def statvfs(subject: int | bytes) -> None:
    """The figures are not compared."""
    room = ctypes.create_string_buffer(_STATFS_BYTES)
    no_value("fstatfs" if isinstance(subject, int) else "statfs", subject, room)


def unlinkat(call: p.Unlinkat) -> None:
    """libc passes the flags on."""
    no_value("unlinkat", call.dirfd, call.path, call.flags)


def linkat(call: p.Linkat) -> None:
    """AT_SYMLINK_FOLLOW only: AT_EMPTY_PATH is not in the vocabulary."""
    refuse_flags(call.flags, n.AT_SYMLINK_FOLLOW)
    no_value("linkat", call.old_dirfd, call.old, call.new_dirfd, call.new, call.flags)


def fchownat(call: p.Fchownat) -> None:
    """Likewise."""
    refuse_flags(call.flags, n.AT_SYMLINK_NOFOLLOW)
    linux.fchownat(call)


PERFORM: dict[type[Call], Callable[[Any], object]] = {
    c.Openat: lambda o: system_call("openat", o.dirfd, o.path, o.flags, o.mode),
    c.CloseFd: lambda o: no_value("close", o.fd),
    c.Dup: lambda o: system_call("dup", o.fd),
    c.Dup2: lambda o: system_call("dup2", o.old, o.new),
    c.Dup3: lambda o: system_call("dup3", o.old, o.new, o.flags),
    c.Fcntl: linux.fcntl_call,
    c.Lseek: lambda o: system_call("lseek", o.fd, LONG(o.offset), o.whence),
    c.Read: lambda o: os.read(o.fd, o.count),
    c.Write: lambda o: os.write(o.fd, o.data.bytes()),
    c.PreadFd: lambda o: os.pread(o.fd, o.count, o.offset),
    c.PwriteFd: lambda o: os.pwrite(o.fd, o.data.bytes(), o.offset),
    c.FtruncateFd: lambda o: os.ftruncate(o.fd, o.size),
    c.TruncateAt: lambda o: os.truncate(o.path, o.size),
    c.Fallocate: fallocate,
    c.CopyFileRange: linux.copy_file_range,
    c.FstatFd: lambda o: linux.status(os.fstat(o.fd)),
    c.FsyncFd: lambda o: no_value("fsync", o.fd),
    c.Getdents: lambda o: linux.getdents(o.fd, o.count),
    p.Mkdirat: lambda o: no_value("mkdirat", o.dirfd, o.path, o.mode),
    p.Mkfifoat: lambda o: no_value("mkfifoat", o.dirfd, o.path, o.mode),
    p.Unlinkat: unlinkat,
    p.Renameat: lambda o: no_value("renameat", o.old_dirfd, o.old, o.new_dirfd, o.new),
    p.Linkat: linkat,
    p.Symlinkat: lambda o: no_value("symlinkat", o.target, o.dirfd, o.path),
    p.Readlinkat: lambda o: os.readlink(o.path, dir_fd=o.dirfd),
    p.Fstatat: linux.fstatat,
    p.Faccessat: linux.faccessat,
    p.Fchmodat: fchmodat,
    p.Fchownat: fchownat,
    p.Utimensat: linux.utimensat,
    q.Chdir: lambda o: os.chdir(o.path),
    q.Fchdir: lambda o: no_value("fchdir", o.fd),
    q.Getcwd: lambda o: os.getcwdb(),
    q.Umask: lambda o: os.umask(o.mask & 0o777),
    q.Setresuid: lambda o: linux.ids("setresuid", o),
    q.Setresgid: lambda o: linux.ids("setresgid", o),
    q.Setgroups: lambda o: os.setgroups(o.groups),
    q.Setnofile: linux.setnofile,
    q.Exec: linux.close_on_exec,
    q.Pipe2: linux.pipe2,
    q.Flock: lambda o: no_value("flock", o.fd, o.operation),
    q.LockRange: linux.lock_range,
    x.SetxattrAt: a.set_attribute,
    x.GetxattrAt: a.get_attribute,
    x.ListxattrAt: a.list_attributes,
    x.RemovexattrAt: a.remove_attribute,
    x.Fsetxattr: a.set_attribute,
    x.Fgetxattr: a.get_attribute,
    x.Flistxattr: a.list_attributes,
    x.Fremovexattr: a.remove_attribute,
    x.Sendfile: linux.sendfile,
    x.Syncfs: lambda o: no_value("syncfs", o.fd),
    x.SyncFileRange: sync_file_range,
    x.StatfsAt: lambda o: statvfs(o.path),
    x.FstatfsFd: lambda o: statvfs(o.fd),
}
