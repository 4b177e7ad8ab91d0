"""The mechanism behind crash consistency, checked on the log of every run without any crash.

Checks: between two flushes nothing is written that the durable root reaches; a superblock shares
its epoch with no other write. Does not check: what the writes contain (the oracle does).
"""

from bisect import bisect_right
from collections.abc import Sequence

from watosfs.wfs3.check import reachable_runs
from watosfs.wfs3.commit import elect
from watosfs.wfs3.format import SUPERBLOCK_SLOTS, decode_superblock
from watosfs_fuzz.crash.log import ZERO_BLOCK, Event, Flush, Image, RecordingDevice, Write


def epoch_problem(base: Image, events: Sequence[Event], block_count: int) -> str | None:
    """The first write that breaks the rule, in words; None when there is none."""
    durable = dict(base)
    starts, ends = reached(durable, block_count)
    epoch: list[Write] = []
    for event in events:
        if isinstance(event, Write):
            epoch.append(event)
        elif isinstance(event, Flush) and epoch:
            supers = [write for write in epoch if write.block in SUPERBLOCK_SLOTS]
            if supers and len(epoch) > 1:
                return f"superblock slot {supers[0].block} shares its epoch with other writes"
            for write in epoch:
                i = bisect_right(starts, write.block) - 1
                if i >= 0 and write.block < ends[i]:
                    return f"block {write.block}, which the durable root reaches, is overwritten"
                durable[write.block] = write.data
            if supers:
                starts, ends = reached(durable, block_count)
            epoch = []
    return None


def reached(durable: dict[int, bytes], block_count: int) -> tuple[list[int], list[int]]:
    """The runs that the newest durable superblock reaches, as sorted starts and ends."""
    copies = [decode_superblock(durable.get(slot, ZERO_BLOCK)) for slot in SUPERBLOCK_SLOTS]
    slot = elect(*(copy.root_generation if copy else None for copy in copies))
    superblock = None if slot is None else copies[slot]
    if superblock is None:
        return [], []
    runs = reachable_runs(RecordingDevice(block_count, durable), superblock)
    return [start for start, _ in runs], [start + count for start, count in runs]
