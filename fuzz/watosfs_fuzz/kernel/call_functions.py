"""Which function of ``watosfs.kernel`` stands behind each call of the model's vocabulary."""

from collections.abc import Callable
from types import ModuleType

from watosfs.kernel import (
    attributes,
    data,
    descriptors,
    durability,
    locking,
    mounting,
    names,
    opening,
    pipes,
    sizes,
    transfers,
    xattrs,
)
from watosfs_model.kernel import attribute_calls, calls, path_calls, process_calls
from watosfs_model.kernel.calls import Call

#: Module and name of the function (looked up when called, so that canaries reach
#: it); arguments are the record's fields, data expanded.
FUNCTIONS: dict[type[Call], tuple[ModuleType, str]] = {
    calls.Openat: (opening, "openat"),
    calls.CloseFd: (descriptors, "close"),
    calls.Dup: (descriptors, "dup"),
    calls.Dup2: (descriptors, "dup2"),
    calls.Dup3: (descriptors, "dup3"),
    calls.Fcntl: (descriptors, "fcntl"),
    calls.Lseek: (data, "lseek"),
    calls.Read: (data, "read"),
    calls.Write: (data, "write"),
    calls.PreadFd: (data, "pread"),
    calls.PwriteFd: (data, "pwrite"),
    calls.FtruncateFd: (sizes, "ftruncate"),
    calls.TruncateAt: (sizes, "truncate"),
    calls.Fallocate: (sizes, "fallocate"),
    calls.CopyFileRange: (transfers, "copy_file_range"),
    calls.FstatFd: (attributes, "fstat"),
    calls.FsyncFd: (durability, "fsync"),
    calls.SyncAll: (durability, "sync"),
    calls.Getdents: (data, "getdents"),
    path_calls.Mkdirat: (opening, "mkdirat"),
    path_calls.Mkfifoat: (opening, "mkfifoat"),
    path_calls.Symlinkat: (opening, "symlinkat"),
    path_calls.Unlinkat: (names, "unlinkat"),
    path_calls.Renameat: (names, "renameat"),
    path_calls.Linkat: (names, "linkat"),
    path_calls.Readlinkat: (names, "readlinkat"),
    path_calls.Fstatat: (attributes, "fstatat"),
    path_calls.Faccessat: (attributes, "faccessat"),
    path_calls.Fchmodat: (attributes, "fchmodat"),
    path_calls.Fchownat: (attributes, "fchownat"),
    path_calls.Utimensat: (attributes, "utimensat"),
    attribute_calls.SetxattrAt: (xattrs, "setxattrat"),
    attribute_calls.GetxattrAt: (xattrs, "getxattrat"),
    attribute_calls.ListxattrAt: (xattrs, "listxattrat"),
    attribute_calls.RemovexattrAt: (xattrs, "removexattrat"),
    attribute_calls.Fsetxattr: (xattrs, "fsetxattr"),
    attribute_calls.Fgetxattr: (xattrs, "fgetxattr"),
    attribute_calls.Flistxattr: (xattrs, "flistxattr"),
    attribute_calls.Fremovexattr: (xattrs, "fremovexattr"),
    attribute_calls.Sendfile: (transfers, "sendfile"),
    attribute_calls.Syncfs: (durability, "syncfs"),
    attribute_calls.SyncFileRange: (durability, "sync_file_range"),
    attribute_calls.StatfsAt: (mounting, "statfs"),
    attribute_calls.FstatfsFd: (mounting, "fstatfs"),
    attribute_calls.Spawn: (descriptors, "spawn"),
    process_calls.Chdir: (names, "chdir"),
    process_calls.Fchdir: (names, "fchdir"),
    process_calls.Getcwd: (names, "getcwd"),
    process_calls.Umask: (descriptors, "umask"),
    process_calls.Setresuid: (descriptors, "setresuid"),
    process_calls.Setresgid: (descriptors, "setresgid"),
    process_calls.Setgroups: (descriptors, "setgroups"),
    process_calls.Setnofile: (descriptors, "setnofile"),
    process_calls.Fork: (descriptors, "fork"),
    process_calls.Exec: (descriptors, "execve"),
    process_calls.Exit: (descriptors, "exit_process"),
    process_calls.Pipe2: (pipes, "pipe2"),
    process_calls.Flock: (locking, "flock"),
    process_calls.LockRange: (locking, "lock_range"),
    process_calls.Mount: (mounting, "mount"),
    process_calls.Umount: (mounting, "umount"),
    process_calls.BeginAt: (mounting, "begin"),
    process_calls.CommitAt: (mounting, "commit"),
    process_calls.AbortAt: (mounting, "abort"),
}


def function_of(call: Call) -> Callable[..., object]:
    """The function as it is now."""
    found: Callable[..., object] = getattr(*FUNCTIONS[type(call)])
    return found


def arguments_of(call: Call) -> list[object]:
    """The fields of a call, data expanded."""
    values = [getattr(call, name) for name in call.__dataclass_fields__]  # type: ignore[attr-defined]
    return [value.bytes() if hasattr(value, "bytes") else value for value in values]
