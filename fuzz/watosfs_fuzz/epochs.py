"""The mechanism behind crash consistency, checked on the log of every run without any crash.

Checks: between two flushes nothing is written that a durable superblock copy reaches, the older one
included (either copy may be lost, ``docs/FORMAT.md`` section 9); the only copy of the newest
generation is not overwritten; a superblock shares its epoch with no other write. Does not check:
what the writes contain (the oracle does).
"""

from bisect import bisect_right
from collections.abc import Sequence

from watosfs.wfs3.check import reachable_runs
from watosfs.wfs3.commit import elect
from watosfs.wfs3.format import SUPERBLOCK_SLOTS, Superblock, decode_superblock
from watosfs_fuzz.crash.log import ZERO_BLOCK, Event, Flush, Image, RecordingDevice, Write

Runs = tuple[list[int], list[int]]


def epoch_problem(base: Image, events: Sequence[Event], block_count: int) -> str | None:
    """The first write that breaks the rule, in words; None when there is none."""
    durable = dict(base)
    reach = Reach(block_count)
    reach.look(durable)
    epoch: list[Write] = []
    for event in events:
        if isinstance(event, Write):
            epoch.append(event)
        elif isinstance(event, Flush) and epoch:
            supers = [write for write in epoch if write.block in SUPERBLOCK_SLOTS]
            if supers and len(epoch) > 1:
                return f"superblock slot {supers[0].block} shares its epoch with other writes"
            for write in epoch:
                problem = reach.problem(write.block)
                if problem is not None:
                    return problem
                durable[write.block] = write.data
            if supers:
                reach.look(durable)
            epoch = []
    return None


class Reach:
    """What the durable superblock copies reach: as sorted starts and ends, by the copy's bytes."""

    def __init__(self, block_count: int) -> None:
        self.block_count = block_count
        self.generations: list[int | None] = []
        self.newest: int | None = None
        self.runs: dict[int, Runs] = {}
        self.known: dict[bytes, Runs] = {}

    def look(self, durable: Image) -> None:
        """The copies may have changed."""
        blocks = [durable.get(slot, ZERO_BLOCK) for slot in SUPERBLOCK_SLOTS]
        copies = [decode_superblock(block) for block in blocks]
        self.generations = [copy.root_generation if copy else None for copy in copies]
        self.newest = elect(*self.generations)
        self.runs, known = {}, self.known
        # What a copy reaches stays as it is while the copy is there: writing to it is the breach.
        self.known = {}
        for slot, (block, copy) in enumerate(zip(blocks, copies, strict=True)):
            if copy is not None:
                runs = known.get(block) or reached(durable, copy, self.block_count)
                self.runs[slot] = self.known[block] = runs

    def problem(self, block: int) -> str | None:
        """What is wrong with a write to this block."""
        if block in SUPERBLOCK_SLOTS:
            slot = SUPERBLOCK_SLOTS.index(block)
            if slot == self.newest and self.generations[0] != self.generations[1]:
                return f"superblock slot {block}, the only copy of its commit, is overwritten"
            return None
        for slot, (starts, ends) in self.runs.items():
            i = bisect_right(starts, block) - 1
            if i >= 0 and block < ends[i]:
                whose = "durable root" if slot == self.newest else "older superblock copy"
                return f"block {block}, which the {whose} reaches, is overwritten"
        return None


def reached(durable: Image, superblock: Superblock, block_count: int) -> Runs:
    """The runs that a superblock reaches, as sorted starts and ends."""
    runs = reachable_runs(RecordingDevice(block_count, dict(durable)), superblock)
    return [start for start, _ in runs], [start + count for start, count in runs]
