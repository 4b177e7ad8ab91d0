"""Snapshots of the volume [Z1..Z8].

A snapshot is the volume without what has no name, kept by reference: nothing that happens later can
change it [Z3].
"""

import errno
from dataclasses import replace

from watosfs_model import operations as ops
from watosfs_model.change import Change
from watosfs_model.state import NAME_MAX, System, Volume


def without_nameless(volume: Volume) -> Volume:
    """A volume without inodes that only descriptors kept alive [U4, Z1]."""
    if all(inode.nlink for inode in volume.inodes.values()):
        return volume
    inodes = {number: inode for number, inode in volume.inodes.items() if inode.nlink}
    return replace(volume, inodes=inodes)


def label_checks(label: bytes) -> set[int]:
    """What is wrong with the name of a new snapshot [Z2]."""
    errnos = set()
    if not label or b"/" in label or b"\0" in label or label in (b".", b".."):
        errnos.add(errno.EINVAL)
    if len(label) > NAME_MAX:
        errnos.add(errno.ENAMETOOLONG)
    return errnos


def busy(system: System) -> set[int]:
    """Inside an explicit transaction nothing is done to snapshots [Z2, Z5, Z6]."""
    return set() if system.begun is None else {errno.EBUSY}


def snapshot_checks(system: System, op: ops.Snapshot) -> set[int]:
    known = {errno.EEXIST} if op.label in labels(system.volume) else set()
    return label_checks(op.label) | known | busy(system)  # [Z2]


def snapshot_core(change: Change, op: ops.Snapshot) -> None:
    kept = replace(without_nameless(change.volume_before), snapshots=())
    change.snapshots = (*change.snapshots, (op.label, kept))  # [Z1, Z4]


def dropsnapshot_checks(system: System, op: ops.Dropsnapshot) -> set[int]:
    missing = set() if op.label in labels(system.volume) else {errno.ENOENT}
    return missing | busy(system)  # [Z5]


def dropsnapshot_core(change: Change, op: ops.Dropsnapshot) -> None:
    """That its space comes back [Z8] is not the model's: it has none."""
    change.snapshots = tuple(kept for kept in change.snapshots if kept[0] != op.label)


def rollback_checks(system: System, op: ops.Rollback) -> set[int]:
    """[Z6]"""
    found = labels(system.volume)
    errnos = busy(system)
    if op.label not in found:
        return errnos | {errno.ENOENT}
    if op.label != found[-1] or system.descriptors:
        errnos.add(errno.EBUSY)
    return errnos


def rollback_core(change: Change, op: ops.Rollback) -> None:
    _, kept = change.snapshots[-1]
    change.inodes = dict(kept.inodes)  # [Z6]: numbers go on from where they are


def labels(volume: Volume) -> list[bytes]:
    """The names of the snapshots, in the order in which they were made [Z4]."""
    return [label for label, _ in volume.snapshots]
