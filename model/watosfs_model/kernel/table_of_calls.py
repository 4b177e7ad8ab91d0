"""Which checks and which core each call has."""

from collections.abc import Callable, Collection
from typing import Any

from watosfs_model.kernel import (
    attribute_calls,
    attributes,
    calls,
    descriptors,
    extended,
    flocks,
    listing,
    mounting,
    names,
    opening,
    path_calls,
    pipes,
    process_calls,
    processes,
    ranges,
    reading_writing,
    record_locks,
    renaming,
    sending,
    transactions,
)
from watosfs_model.kernel.calls import Call
from watosfs_model.kernel.change import Change
from watosfs_model.kernel.reading_writing import never_checks, nothing_core

Checks = Callable[[Change, Any], Collection[int]]
Core = Callable[[Change, Any], object]

TABLE: dict[type[Call], tuple[Checks, Core]] = {
    calls.Openat: (opening.openat_checks, opening.openat_core),
    calls.CloseFd: (descriptors.close_checks, descriptors.close_core),
    calls.Dup: (descriptors.dup_checks, descriptors.dup_core),
    calls.Dup2: (descriptors.dup2_checks, descriptors.dup2_core),
    calls.Dup3: (descriptors.dup3_checks, descriptors.dup3_core),
    calls.Fcntl: (descriptors.fcntl_checks, descriptors.fcntl_core),
    calls.Lseek: (descriptors.lseek_checks, descriptors.lseek_core),
    calls.Read: (reading_writing.read_checks, reading_writing.read_core),
    calls.Write: (reading_writing.write_checks, reading_writing.write_core),
    calls.PreadFd: (reading_writing.pread_checks, reading_writing.pread_core),
    calls.PwriteFd: (reading_writing.pwrite_checks, reading_writing.pwrite_core),
    calls.FtruncateFd: (reading_writing.ftruncate_checks, reading_writing.ftruncate_core),
    calls.TruncateAt: (reading_writing.truncate_checks, reading_writing.truncate_core),
    calls.Fallocate: (ranges.fallocate_checks, ranges.fallocate_core),
    calls.CopyFileRange: (ranges.copy_checks, ranges.copy_core),
    calls.FstatFd: (attributes.fstat_checks, attributes.fstat_core),
    calls.FsyncFd: (reading_writing.fsync_checks, nothing_core),
    calls.SyncAll: (never_checks, nothing_core),
    calls.Getdents: (listing.getdents_checks, listing.getdents_core),
    path_calls.Mkdirat: (names.mkdir_checks, names.mkdir_core),
    path_calls.Mkfifoat: (names.mkfifo_checks, names.mkfifo_core),
    path_calls.Unlinkat: (names.unlinkat_checks, names.unlinkat_core),
    path_calls.Renameat: (renaming.renameat_checks, renaming.renameat_core),
    path_calls.Linkat: (names.linkat_checks, names.linkat_core),
    path_calls.Symlinkat: (names.symlink_checks, names.symlink_core),
    path_calls.Readlinkat: (names.readlink_checks, names.readlink_core),
    path_calls.Fstatat: (attributes.fstatat_checks, attributes.fstatat_core),
    path_calls.Faccessat: (attributes.faccessat_checks, attributes.faccessat_core),
    path_calls.Fchmodat: (attributes.fchmodat_checks, attributes.fchmodat_core),
    path_calls.Fchownat: (attributes.fchownat_checks, attributes.fchownat_core),
    path_calls.Utimensat: (attributes.utimensat_checks, attributes.utimensat_core),
    process_calls.Chdir: (processes.chdir_checks, processes.chdir_core),
    process_calls.Fchdir: (processes.fchdir_checks, processes.fchdir_core),
    process_calls.Getcwd: (processes.getcwd_checks, processes.getcwd_core),
    process_calls.Umask: (never_checks, processes.umask_core),
    process_calls.Setresuid: (processes.setresuid_checks, processes.setresuid_core),
    process_calls.Setresgid: (processes.setresgid_checks, processes.setresgid_core),
    process_calls.Setgroups: (processes.setgroups_checks, processes.setgroups_core),
    process_calls.Setnofile: (processes.setnofile_checks, processes.setnofile_core),
    process_calls.Fork: (processes.fork_checks, processes.fork_core),
    process_calls.Exec: (never_checks, processes.exec_core),
    process_calls.Exit: (never_checks, processes.exit_core),
    process_calls.Pipe2: (pipes.pipe2_checks, pipes.pipe2_core),
    process_calls.Flock: (flocks.flock_checks, flocks.flock_core),
    process_calls.LockRange: (record_locks.lockrange_checks, record_locks.lockrange_core),
    process_calls.Mount: (mounting.mount_checks, mounting.mount_core),
    process_calls.Umount: (mounting.umount_checks, mounting.umount_core),
    process_calls.BeginAt: (transactions.begin_checks, transactions.begin_core),
    process_calls.CommitAt: (transactions.end_checks, transactions.commit_core),
    process_calls.AbortAt: (transactions.end_checks, transactions.abort_core),
    attribute_calls.SetxattrAt: (extended.set_checks, extended.set_core),
    attribute_calls.GetxattrAt: (extended.get_checks, extended.get_core),
    attribute_calls.ListxattrAt: (extended.list_checks, extended.list_core),
    attribute_calls.RemovexattrAt: (extended.remove_checks, extended.remove_core),
    attribute_calls.Fsetxattr: (extended.set_checks, extended.set_core),
    attribute_calls.Fgetxattr: (extended.get_checks, extended.get_core),
    attribute_calls.Flistxattr: (extended.list_checks, extended.list_core),
    attribute_calls.Fremovexattr: (extended.remove_checks, extended.remove_core),
    attribute_calls.Sendfile: (sending.sendfile_checks, sending.sendfile_core),
    attribute_calls.Syncfs: (sending.syncfs_checks, sending.silent_core),
    attribute_calls.SyncFileRange: (sending.sync_range_checks, sending.silent_core),
    attribute_calls.StatfsAt: (sending.statfs_checks, sending.silent_core),
    attribute_calls.FstatfsFd: (sending.fstatfs_checks, sending.silent_core),
    attribute_calls.Spawn: (processes.fork_checks, processes.spawn_core),
}

#: Calls that may run out of space, if what they work on is on a volume [S1].
NEEDS_SPACE_BY_PATH = (
    calls.TruncateAt, path_calls.Mkdirat, path_calls.Mkfifoat, path_calls.Unlinkat,
    path_calls.Renameat, path_calls.Linkat, path_calls.Symlinkat, path_calls.Fchmodat,
    path_calls.Fchownat, path_calls.Utimensat, attribute_calls.SetxattrAt,
    attribute_calls.RemovexattrAt,
)  # fmt: skip
NEEDS_SPACE_BY_DESCRIPTOR = (
    calls.Write, calls.PwriteFd, calls.FtruncateFd, calls.Fallocate, attribute_calls.Fsetxattr,
    attribute_calls.Fremovexattr,
)  # fmt: skip
