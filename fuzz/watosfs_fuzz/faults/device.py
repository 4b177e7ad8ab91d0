"""An overlay that makes a device fail, by a plan; the device underneath stays what it is.

A transfer of several blocks fails as a whole: a caller learns of no part of it. What a plan does to
writes that succeed (lost, elsewhere, twice) happens to data blocks only: nothing in the published
node says where it belongs, so for nodes it would be beyond what any reader can see
(``docs/CRASH_MODEL.md``, clause 25).
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, BlockDevice, Buffer, Capabilities
from watosfs.wfs3.format import SUPERBLOCK_SLOTS
from watosfs.wfs3.node import node_is_valid

READ, WRITE, FLUSH = "read", "write", "flush"
LOST, MISDIRECTED, TWICE = "lost", "misdirected", "twice"
#: No device's fault: the n-th question whether there is room is answered with no.
SPACE = "space"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What fails. Requests of a kind are counted from 0 on.

    ``kind``: read, write or flush fail with EIO; lost, misdirected or twice: a write of data goes
    nowhere, to ``elsewhere`` instead, or there as well; space: there is no room for what does not
    free any. ``first``: the request that fails;
    ``every``: so does each so many after it (0: none); ``is_permanent``: so do all after it (reads:
    of the same block). ``blocks``: the device ends there (0: it does not).
    """

    kind: str = ""
    first: int = 0
    every: int = 0
    is_permanent: bool = False
    elsewhere: int = 0
    blocks: int = 0

    def hits(self, number: int) -> bool:
        """Whether request ``number`` of the kind fails."""
        if number < self.first:
            return False
        if number == self.first or (self.is_permanent and self.kind != READ):
            return True
        return self.every > 0 and (number - self.first) % self.every == 0


class FaultyDevice:
    """``device`` through a plan. ``fired`` counts the faults so far; ``is_healthy`` switches them
    off.
    """

    def __init__(self, device: BlockDevice, plan: FaultPlan) -> None:
        self.device = device
        self.plan = plan
        self.fired = 0
        self.is_healthy = False
        self.counts = {READ: 0, WRITE: 0, FLUSH: 0, SPACE: 0, "data": 0}
        self.bad_blocks: set[int] = set()

    @property
    def block_size_bytes(self) -> int:
        return self.device.block_size_bytes

    @property
    def block_count(self) -> int:
        return self.device.block_count

    @property
    def capabilities(self) -> Capabilities:
        return self.device.capabilities

    def fail(self, what: str) -> OSError:
        """The medium's error."""
        self.fired += 1
        return OSError(errno.EIO, f"planted: {what}")

    def must_fail(self, kind: str) -> bool:
        """Whether this request of a kind fails."""
        if self.is_healthy:
            return False
        number = self.counts[kind]
        self.counts[kind] = number + 1
        return self.plan.kind == kind and self.plan.hits(number)

    def require_inside(self, block: int, count: int) -> None:
        """A device that shrank has no blocks from ``plan.blocks`` on."""
        if self.plan.blocks and not self.is_healthy and block + count > self.plan.blocks:
            raise self.fail(f"block {block + count - 1} is gone")

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """The blocks, or EIO."""
        self.require_inside(block, count)
        run = range(block, block + count)
        if self.must_fail(READ):
            if self.plan.is_permanent:
                self.bad_blocks.update(run)
            raise self.fail(f"read of block {block}")
        if self.bad_blocks and not self.is_healthy and self.bad_blocks.intersection(run):
            raise self.fail(f"read of block {block}, which is bad")
        return self.device.read(block, count, accept)

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Write, or EIO, or something that only looks like a write."""
        self.require_inside(block, memoryview(data).nbytes // BLOCK_SIZE_BYTES)
        if self.must_fail(WRITE):
            raise self.fail(f"write of block {block}")
        if self.plan.kind in (LOST, MISDIRECTED, TWICE) and self.is_data(block, data):
            number = self.counts["data"]
            self.counts["data"] = number + 1
            if self.plan.hits(number) and not self.is_healthy:
                self.fired += 1
                if self.plan.kind != LOST:
                    self.write_elsewhere(data)
                if self.plan.kind != TWICE:
                    return
        self.device.write(block, data, fua=fua)

    def is_data(self, block: int, data: Buffer) -> bool:
        """Whether a write carries file data: no superblock and no node."""
        first = bytes(memoryview(data)[:BLOCK_SIZE_BYTES])
        return block not in SUPERBLOCK_SLOTS and not node_is_valid(first)

    def write_elsewhere(self, data: Buffer) -> None:
        """The data lands on another block, whatever is there."""
        count = memoryview(data).nbytes // BLOCK_SIZE_BYTES
        low, high = len(SUPERBLOCK_SLOTS), self.device.block_count - count
        self.device.write(low + self.plan.elsewhere % max(high - low, 1), data)

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """A barrier, or EIO: then what was written before may be lost."""
        if self.must_fail(FLUSH):
            raise self.fail("flush")
        self.device.flush()

    def discard(self, block: int, count: int) -> None:
        """As the device underneath."""
        self.device.discard(block, count)

    def close(self) -> None:
        """As the device underneath."""
        self.device.close()
