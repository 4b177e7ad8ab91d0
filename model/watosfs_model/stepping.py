"""One step of the specification: which errnos an operation may give, and what it does otherwise."""

import errno
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from watosfs_model import attributes, durability, files, namespace, snapshots
from watosfs_model import operations as ops
from watosfs_model.change import Change
from watosfs_model.observation import Entry, entry_of, observe
from watosfs_model.operations import Operation
from watosfs_model.resolution import SLASHED, Refused, find
from watosfs_model.state import Difference, Outcome, System

#: Operations that may run out of space [S1].
NEEDS_SPACE = (
    ops.Mkdir, ops.Rmdir, ops.Open, ops.Pwrite, ops.Truncate, ops.Ftruncate, ops.Unlink, ops.Rename,
    ops.Link, ops.Symlink, ops.Chmod, ops.Compress, ops.Chown, ops.Utimens, ops.Setxattr,
    ops.Removexattr, ops.Snapshot, ops.Rollback,
)  # fmt: skip


def no_checks(system: System, op: Operation) -> set[int]:
    return set()


def no_core(change: Change, op: Operation) -> None:
    return None


def stat_core(change: Change, op: ops.Stat) -> Entry:
    return entry_of(change.before, find(change.before.volume, op.path))


def lstat_core(change: Change, op: ops.Lstat) -> Entry:
    return entry_of(change.before, find(change.before.volume, op.path, SLASHED))


def fstat_checks(system: System, op: ops.Fstat) -> set[int]:
    return files.descriptor_checks(system, op.fd)


def fstat_core(change: Change, op: ops.Fstat) -> Entry:
    return observe(change.before)[1][op.fd]


Checks = Callable[[System, Any], Collection[int]]
Core = Callable[[Change, Any], object]

TABLE: dict[type[Operation], tuple[Checks, Core]] = {
    ops.Mkdir: (namespace.mkdir_checks, namespace.mkdir_core),
    ops.Rmdir: (namespace.rmdir_checks, namespace.rmdir_core),
    ops.Unlink: (namespace.unlink_checks, namespace.unlink_core),
    ops.Rename: (namespace.rename_checks, namespace.rename_core),
    ops.Link: (namespace.link_checks, namespace.link_core),
    ops.Symlink: (namespace.symlink_checks, namespace.symlink_core),
    ops.Readlink: (namespace.readlink_checks, namespace.readlink_core),
    ops.Readdir: (namespace.readdir_checks, namespace.readdir_core),
    ops.Open: (files.open_checks, files.open_core),
    ops.Close: (files.close_checks, files.close_core),
    ops.Pread: (files.pread_checks, files.pread_core),
    ops.Pwrite: (files.pwrite_checks, files.pwrite_core),
    ops.Truncate: (files.truncate_checks, files.truncate_core),
    ops.Ftruncate: (files.ftruncate_checks, files.ftruncate_core),
    ops.Chmod: (files.path_checks, files.chmod_core),
    ops.Compress: (files.compress_checks, files.compress_core),
    ops.Chown: (files.path_checks, files.chown_core),
    ops.Utimens: (files.utimens_checks, files.utimens_core),
    ops.Stat: (files.path_checks, stat_core),
    ops.Lstat: (files.lstat_checks, lstat_core),
    ops.Fstat: (fstat_checks, fstat_core),
    ops.Statfs: (no_checks, no_core),
    ops.Setxattr: (attributes.setxattr_checks, attributes.setxattr_core),
    ops.Getxattr: (attributes.getxattr_checks, attributes.getxattr_core),
    ops.Listxattr: (files.path_checks, attributes.listxattr_core),
    ops.Removexattr: (attributes.removexattr_checks, attributes.removexattr_core),
    ops.Fsync: (durability.fsync_checks, no_core),
    ops.Fdatasync: (durability.fsync_checks, no_core),
    ops.Sync: (durability.outside_checks, no_core),
    ops.Begin: (durability.outside_checks, no_core),
    ops.Commit: (durability.inside_checks, no_core),
    ops.Abort: (durability.inside_checks, no_core),
    ops.Snapshot: (snapshots.snapshot_checks, snapshots.snapshot_core),
    ops.Dropsnapshot: (snapshots.dropsnapshot_checks, snapshots.dropsnapshot_core),
    ops.Rollback: (snapshots.rollback_checks, snapshots.rollback_core),
    ops.Remount: (durability.outside_checks, no_core),
}


def checks(system: System, pid: int, operation: Operation) -> frozenset[int]:
    """The errnos that the operation may give now; empty means that it must succeed."""
    if isinstance(operation, ops.Crash):
        return frozenset()
    try:
        return frozenset(TABLE[type(operation)][0](system, operation))
    except Refused as refused:
        return refused.errnos


def succeed(system: System, operation: Operation) -> tuple[object, System]:
    """Value and next state of an operation that may succeed."""
    if isinstance(operation, ops.Crash):
        cut = durability.power_cut(system)
        return None, replace(cut, operations=system.operations + 1)
    change = Change(system)
    value = TABLE[type(operation)][1](change, operation)
    volume = change.volume
    after = System(
        volume,
        system.history,
        change.descriptors,
        system.operations + 1,
        system.begun,
        system.descriptors_max,
    )
    return value, durability.settled(after, operation, volume)


def fail(system: System) -> System:
    """An operation that fails changes nothing but the clock [T1]."""
    return replace(system, operations=system.operations + 1)


def step(system: System, pid: int, operation: Operation) -> tuple[Outcome, System]:
    """The canonical outcome (success, or the smallest permitted errno) and the next state."""
    errnos = checks(system, pid, operation)
    if errnos:
        return Outcome(None, min(errnos)), fail(system)
    value, after = succeed(system, operation)
    return Outcome(value), after


def follow(system: System, pid: int, operation: Operation, observed: Outcome) -> System:
    """The next state if ``observed`` is permitted. Raises Difference otherwise."""
    errnos = checks(system, pid, operation)
    if observed.errno:
        has_no_space = observed.errno == errno.ENOSPC and isinstance(operation, NEEDS_SPACE)
        if observed.errno in errnos or has_no_space:  # [S1]
            return fail(system)
        raise Difference(f"{name_of(observed.errno)} where {names_of(errnos)} is due")
    if errnos:
        raise Difference(f"success where {names_of(errnos)} is due")
    value, after = succeed(system, operation)
    if observed.value != value:
        raise Difference(f"value {short(observed.value)} where {short(value)} is due")
    return after


def name_of(number: int) -> str:
    """ENOENT for 2."""
    return errno.errorcode.get(number, str(number))


def names_of(errnos: Collection[int]) -> str:
    """The permitted errnos in words."""
    return " or ".join(name_of(number) for number in sorted(errnos)) or "success"


def short(value: object) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:80]}... ({len(text)} characters)"
