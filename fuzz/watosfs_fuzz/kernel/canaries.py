"""Broken variants of the kernel: faults that its lockstep must find."""

import errno
import stat
from collections.abc import Callable
from copy import copy
from typing import Any

from watosfs.errors import failure
from watosfs.kernel import data, descriptors, names, opening, transfers, xattrs
from watosfs.kernel.descriptions import Description, InodeDescription
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import O_APPEND, O_TRUNC
from watosfs.kernel.process import Process
from watosfs.vfs.access import EXECUTE, WRITE, Credentials, require
from watosfs.vfs.filesystem import Cursor
from watosfs.vfs.nodes import Node, NodeTable
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs_fuzz.canaries.registry import Canary, canary

Function = Callable[..., Any]

KERNEL_CANARIES: dict[str, Canary] = {}


def plant(
    name: str, description: str, *places: tuple[object, str]
) -> Callable[[Function], Function]:
    """Register a canary of the kernel."""
    return canary(name, description, *places, registry=KERNEL_CANARIES)


def separate(description: Description) -> Description:
    """A description of its own for what must be shared."""
    if not isinstance(description, InodeDescription):
        return description
    other = copy(description)
    other.references = 0
    other.pin = description.filesystem.open(description.number)
    if hasattr(other, "pipe"):
        other.pipe.join(other.flags)
    return other


@plant("dup-own-offset", "dup makes a description of its own", (descriptors, "dup"))
def dup_own_offset(_: Function) -> Function:
    def dup(kernel: Kernel, process: Process, number: int) -> int:
        description = separate(process.description(number))
        return kernel.install(process, process.lowest_free(), description, False)

    return dup


@plant("dup-copies-cloexec", "dup copies close-on-exec", (descriptors, "dup"))
def dup_copies_cloexec(_: Function) -> Function:
    def dup(kernel: Kernel, process: Process, number: int) -> int:
        description = process.description(number)
        closes = process.descriptors[number].closes_on_exec
        return kernel.install(process, process.lowest_free(), description, closes)

    return dup


@plant("fd-not-lowest", "a new descriptor comes after the highest", (Process, "lowest_free"))
def fd_not_lowest(original: Function) -> Function:
    return lambda self, first=0: original(self, max([first - 1, *self.descriptors]) + 1)


@plant("dup2-onto-itself-closes", "dup2 onto itself closes", (descriptors, "dup2"))
def dup2_onto_itself_closes(original: Function) -> Function:
    def dup2(kernel: Kernel, process: Process, old: int, new: int) -> int:
        result: int = original(kernel, process, old, new)
        if old == new:
            kernel.remove(process, new)
        return result

    return dup2


@plant("fork-copies-offset", "a child's descriptions are its own", (descriptors, "fork"))
def fork_copies_offset(original: Function) -> Function:
    def fork(kernel: Kernel, process: Process) -> int:
        pid: int = original(kernel, process)
        child = kernel.processes[pid]
        for number, (description, closes) in list(child.descriptors.items()):
            kernel.remove(child, number)
            kernel.install(child, number, separate(description), closes)
        return pid

    return fork


@plant("truncate-before-checks", "O_TRUNC empties before permissions", (opening, "open_existing"))
def truncate_before_checks(original: Function) -> Function:
    def open_existing(kernel: Kernel, process: Process, location: Any, flags: int) -> Any:
        if flags & O_TRUNC and stat.S_ISREG(location.mode):
            location.filesystem.truncate(location.number, 0, location.mode)
        return original(kernel, process, location, flags)

    return open_existing


@plant("append-by-offset", "O_APPEND writes at the offset", (data, "write_at"))
def append_by_offset(original: Function) -> Function:
    def write_at(process: Process, file: Any, payload: bytes, offset: int) -> Any:
        flags, file.flags = file.flags, file.flags & ~O_APPEND
        try:
            return original(process, file, payload, offset)
        finally:
            file.flags = flags

    return write_at


@plant("exit-leaks", "exit forgets the process without closing", (descriptors, "exit_process"))
def exit_leaks(_: Function) -> Function:
    def exit_process(kernel: Kernel, process: Process) -> None:
        process.pinned_cwd.close()
        del kernel.processes[process.pid]

    return exit_process


@plant("record-lock-kept", "record locks stay until the last descriptor closes", (Kernel, "remove"))
def record_lock_kept(original: Function) -> Function:
    def remove(self: Kernel, process: Process, number: int) -> None:
        identity = process.descriptors[number].description.identity
        kept = list(self.record_locks.locks.get(identity, ()))
        original(self, process, number)
        if any(found.description.identity == identity for found in process.descriptors.values()):
            self.record_locks.keep(identity, kept)

    return remove


@plant("flock-by-descriptor", "closing a duplicate gives up the flock", (Kernel, "remove"))
def flock_by_descriptor(original: Function) -> Function:
    def remove(self: Kernel, process: Process, number: int) -> None:
        self.flocks.drop(process.descriptors[number].description)
        original(self, process, number)

    return remove


@plant(
    "readdir-skips",
    "the directory cursor counts entries that are there",
    (Wfs3Filesystem, "entries"),
)
def readdir_skips(original: Function) -> Function:
    def entries(self: Wfs3Filesystem, number: int, after: Cursor, count: int) -> Any:
        found = original(self, number, Cursor(-1, b""), 1 << 30)
        start = max(after.key, 0)
        return [
            (Cursor(start + index + 1, cursor.name), child)
            for index, (cursor, child) in enumerate(found[start : start + count])
        ]

    return entries


@plant("sticky-ignored", "anybody deletes in a sticky directory", (names, "require_deletable"))
def sticky_ignored(_: Function) -> Function:
    return lambda credentials, directory, inode: require(credentials, directory, WRITE | EXECUTE)


@plant("groups-ignored", "supplementary groups do not count", (Credentials, "is_in_group"))
def groups_ignored(_: Function) -> Function:
    return lambda self, gid: gid == self.egid


@plant("drive-not-jailed", "`..` leads out of a drive's root", (NodeTable, "above"))
def drive_not_jailed(original: Function) -> Function:
    def above(self: NodeTable, node: Node) -> Node:
        return self.root if self.letter_of(node) else original(self, node)

    return above


@plant("sendfile-keeps-offset", "sendfile leaves the input's offset", (transfers, "sendfile"))
def sendfile_keeps_offset(original: Function) -> Function:
    def sendfile(
        kernel: Kernel, process: Process, number_out: int, number_in: int, offset: int, count: int
    ) -> int:
        source = process.description(number_in)
        kept = source.offset
        sent: int = original(kernel, process, number_out, number_in, offset, count)
        source.offset = kept
        return sent

    return sendfile


@plant(
    "attributes-without-permission",
    "anybody sets extended attributes",
    (xattrs.Subject, "changing"),
)
def attributes_without_permission(_: Function) -> Function:
    def changing(self: xattrs.Subject, process: Process) -> Any:
        if self.filesystem is None:
            raise failure(errno.EPERM)
        self.filesystem.require_change()
        return self.filesystem

    return changing
