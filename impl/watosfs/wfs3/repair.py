"""Repair of a damaged WFS v3 volume onto a new generation; nothing that it has is overwritten.

All that can be read of the newest usable generation is gathered, made consistent (names, links,
double use, attributes) and stored as a new generation, whose trees and free space are built from
scratch. Data stays where it is. What is damaged is dropped and named; what has lost its name is in
``/lost+found``, called ``#`` and its inode number. A power cut at any moment leaves the old
generation as it was or the new one.

Needs as many free blocks as the new trees have nodes, and memory for all inodes. Does not do: bring
back what an older generation still has; mend data (dropped ranges read as zeros); volumes of the
published tools or with features that this code does not know.
"""

import errno
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs3.check import Report, check
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.checker.snapshots import read_snapshots
from watosfs.wfs3.checker.space import merged_runs
from watosfs.wfs3.checker.superblocks import Copy, bit_names, is_usable, read_copies
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.extents import ExtentSet
from watosfs.wfs3.format import (
    COUNTER_MAX,
    RO_COMPAT_KNOWN,
    RO_COMPAT_SNAPSHOTS,
    SUPERBLOCK_SLOTS,
)
from watosfs.wfs3.node import SNAPSHOTS
from watosfs.wfs3.records import Extent
from watosfs.wfs3.repairer.names import Names
from watosfs.wfs3.repairer.rebuild import Rebuild, without
from watosfs.wfs3.repairer.salvage import Loss, Progress, Salvage
from watosfs.wfs3.snapshot_records import EXISTS


@dataclass(frozen=True, slots=True)
class Repaired:
    """``before`` and ``after`` are checks with data; ``losses`` say what is gone and what was
    moved. A clean volume is left alone: then ``after`` is ``before``.
    """

    before: Report
    after: Report
    losses: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether anything was written."""
        return self.after is not self.before


def repair(
    device: BlockDevice,
    *,
    clock: Callable[[], int] = time.time_ns,
    progress: Progress | None = None,
    drop_snapshots: bool = False,
) -> Repaired:
    """Check the volume with its data and, if that finds a problem, repair it.

    Raises EUCLEAN when neither superblock can be used, ENOTSUP for a volume that may not be
    written or has snapshots that may not be dropped, ENOSPC when the new trees do not fit (the
    volume is as it was), EROFS for a read-only device, and what the device raises when it cannot
    write.
    """
    before = check(device, data=True, progress=progress)
    if before.is_clean:
        return Repaired(before, before)
    if device.capabilities.read_only:
        raise failure(errno.EROFS, reason="a repair writes")
    copy, generation = usable_copy(device)
    salvage = Salvage(device, copy.superblock)
    dropped = snapshots_lost(copy, salvage)
    if dropped and not drop_snapshots:
        raise failure(errno.ENOTSUP, reason="a repair keeps no snapshots, and there are some")
    salvage.losses += dropped
    salvage.read(progress)
    first_free = max([copy.superblock.next_inode, *(number + 1 for number in salvage.saved)])
    names = Names(salvage.saved, salvage.losses, first_free, max(clock(), 0))
    names.settle()
    superblock = copy.superblock._replace(root_generation=generation, next_inode=names.next_inode)
    store(device, copy._replace(superblock=superblock), salvage, clock)
    after = check(device, data=True, progress=progress)
    return Repaired(before, after, in_words(salvage.losses, names.paths))


def usable_copy(device: BlockDevice) -> tuple[Copy, int]:
    """The newest superblock that can be used, and the highest generation that either copy counts.

    Raises ENOTSUP when there is none after that.
    """
    copies = read_copies(device, Findings())
    newest_first = sorted(copies, key=lambda c: (-c.superblock.root_generation, c.slot))
    findings = Findings()
    for copy in newest_first:
        if not is_usable(copy, device.block_count, findings):
            continue
        superblock = copy.superblock
        unknown = superblock.ro_compat & ~RO_COMPAT_KNOWN
        if superblock.is_published_layout:
            raise failure(errno.ENOTSUP, reason="images of the published tools are only read")
        if unknown:
            raise failure(errno.ENOTSUP, reason=f"unknown feature {bit_names(unknown)}")
        counted = (c.superblock.root_generation for c in copies)
        generation = max(number for number in counted if number <= COUNTER_MAX)
        if generation == COUNTER_MAX:
            raise failure(errno.ENOTSUP, reason=f"no generation comes after {COUNTER_MAX}")
        return copy, generation
    problem = str(findings.problems[0]) if findings.problems else "no copy has a matching CRC"
    raise DamageError("superblock", SUPERBLOCK_SLOTS[0], f"no copy can be used: {problem}")


def snapshots_lost(copy: Copy, salvage: Salvage) -> list[Loss]:
    """A loss for each snapshot; one for all when they cannot be read."""
    superblock = copy.superblock
    if not superblock.snapshot_root or not superblock.ro_compat & RO_COMPAT_SNAPSHOTS:
        return []
    walker = TreeWalker(salvage.device, superblock, Findings(), None)
    records, _ = read_snapshots(walker, superblock, copy.slot)
    lost = [
        Loss(0, f"snapshot {stored.record.name!r} is dropped")
        for stored in records
        if stored.record.state == EXISTS and stored.key != superblock.snapshot_deleting
    ]
    if SNAPSHOTS.name in walker.damaged:
        lost.append(Loss(0, "a part of the snapshot tree cannot be read: snapshots are dropped"))
    return lost


def store(device: BlockDevice, copy: Copy, salvage: Salvage, clock: Callable[[], int]) -> None:
    """Write the new generation, if possible only to blocks that the old free tree calls free: what
    could not be read may have had any other.
    """
    known_free = union(salvage.known_free())
    kept = union(blocks_of(e) for saved in salvage.saved.values() for e in saved.data.extents)
    nodes = ((start, start + count) for start, count in merged_runs(salvage.walker.claims))
    old = union([*nodes, *salvage.kept, *map(blocks_of, salvage.not_kept)])
    for allowed in (known_free, None):
        rebuild = Rebuild(device, copy.superblock, copy.slot, salvage.saved, clock)
        try:
            rebuild.run(kept, old, allowed)
        except OSError as error:
            if error.errno != errno.ENOSPC or allowed is None:
                raise
        else:
            return


def union(runs: Iterable[tuple[int, int]]) -> ExtentSet:
    """All blocks of runs that may overlap."""
    found = ExtentSet()
    for run in sorted(runs):
        for first, last in without([run], found):
            found.add(first, last)
    return found


def blocks_of(extent: Extent) -> tuple[int, int]:
    """(start, end) of an extent on disk."""
    return extent.disk_block, extent.disk_block + extent.stored_blocks


def in_words(losses: Sequence[Loss], paths: dict[int, bytes]) -> tuple[str, ...]:
    """Each loss, with the path that the inode has now."""
    return tuple(
        f"{paths[loss.number] or b'/'!r}: {loss.text}"
        if loss.number in paths
        else f"inode {loss.number}: {loss.text}"
        if loss.number
        else loss.text
        for loss in losses
    )
