"""What becomes durable and when, and what a crash may leave [U1..U6, X1..X6]."""

import errno
from dataclasses import replace

from watosfs_model import operations as ops
from watosfs_model.files import descriptor_checks
from watosfs_model.snapshots import without_nameless
from watosfs_model.state import OpenFile, System, Volume


def fsync_checks(system: System, op: ops.Fsync | ops.Fdatasync) -> set[int]:
    return descriptor_checks(system, op.fd) or outside_checks(system, op)


def outside_checks(system: System, op: ops.Operation) -> set[int]:
    """Only outside a transaction: it must not be published in part, nor a sync be a lie [X2]."""
    return set() if system.begun is None else {errno.EBUSY}


def inside_checks(system: System, op: ops.Operation) -> set[int]:
    """Only inside a transaction [X1]."""
    return {errno.EINVAL} if system.begun is None else set()


def settled(system: System, operation: ops.Operation, volume: Volume) -> System:
    """What an operation means for durability, once its core has run; ``system`` is the state after
    it.
    """
    match operation:
        case ops.Sync() | ops.Fsync(_) | ops.Fdatasync(_):
            return replace(system, history=(volume,))  # [U2]
        case ops.Begin():
            return replace(system, begun=volume)  # [X1]
        case ops.Commit():
            return reclaimed(replace(system, begun=None, history=(volume,)))  # [X3]
        case ops.Abort():
            return aborted(system)
        case ops.Remount():
            kept = without_nameless(volume)
            return replace(system, volume=kept, history=(kept,), descriptors={})  # [U5]
        case ops.Snapshot() | ops.Dropsnapshot() | ops.Rollback():
            return replace(system, history=(volume,))  # [Z1, Z5, Z6]
    if system.begun is None and volume is not system.history[-1]:
        return replace(system, history=(*system.history, volume))  # [U1]
    return system


def aborted(system: System) -> System:
    """The volume as it was at begin; descriptors on files that vanish turn stale [X4, X5]."""
    begun = system.begun
    assert begun is not None
    descriptors = {
        number: file if file.number in begun.inodes else replace(file, is_stale=True)
        for number, file in system.descriptors.items()
    }
    return reclaimed(replace(system, volume=begun, begun=None, descriptors=descriptors))


def reclaimed(system: System) -> System:
    """After a transaction: nameless inodes whose descriptors were closed inside it are gone
    [X6].
    """
    used = {file.number for file in system.descriptors.values() if not file.is_stale}
    inodes = system.volume.inodes
    if all(inode.nlink or number in used for number, inode in inodes.items()):
        return system
    kept = {number: inode for number, inode in inodes.items() if inode.nlink or number in used}
    return replace(system, volume=replace(system.volume, inodes=kept))


def crash_state(system: System, volume: Volume) -> System:
    """What recovery finds when ``volume``, one of the history, is what the crash left."""
    kept = without_nameless(volume)  # [U4], with the snapshots [Z7]
    nobody: dict[int, OpenFile] = {}
    return System(kept, (kept,), nobody, system.operations, None, system.descriptors_max)


def crash_states(system: System) -> tuple[System, ...]:
    """What recovery may find after a power cut now, oldest first: whole states, never mixtures
    [U3].
    """
    return tuple(crash_state(system, volume) for volume in system.history)


def power_cut(system: System) -> System:
    """The newest state that a power cut may leave."""
    return crash_states(system)[-1]
