"""Counting: what a caller asked of a device, so that tests can guard cost by counts, not by times.

A count is the same on every machine; a time is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from watosfs.block.device import Accept, BlockDevice, Buffer, Capabilities


@dataclass(slots=True)
class Counts:
    """Requests that succeeded. ``after - before`` is what was asked in between."""

    reads: int = 0  #: calls of read and readv
    read_runs: int = 0  #: runs of consecutive blocks; readv may ask for several in one call
    blocks_read: int = 0
    bytes_read: int = 0
    writes: int = 0  #: calls of write and writev
    write_runs: int = 0
    blocks_written: int = 0
    bytes_written: int = 0
    fua_writes: int = 0
    flushes: int = 0
    discards: int = 0
    blocks_discarded: int = 0

    def copy(self) -> "Counts":
        """The counts as they are now."""
        return replace(self)

    def __sub__(self, before: "Counts") -> "Counts":
        return Counts(
            *(getattr(self, field.name) - getattr(before, field.name) for field in fields(self))
        )


@dataclass(slots=True)
class CacheCounts:
    """What the cache did, in blocks. A hit is a block that was asked for and here."""

    hits: int = 0
    misses: int = 0
    read_ahead: int = 0
    read_ahead_used: int = 0
    passed_by: int = 0  #: in long runs, read or written past the cache
    evicted: int = 0
    written_back: int = 0

    @property
    def hit_rate(self) -> float:
        """Hits per block asked for, 0 to 1; long runs do not count."""
        return self.hits / max(self.hits + self.misses, 1)


class CountingDevice:
    """``device``, with ``counts`` of what was asked of it."""

    def __init__(self, device: BlockDevice) -> None:
        self.device = device
        self.counts = Counts()

    @property
    def block_size_bytes(self) -> int:
        return self.device.block_size_bytes

    @property
    def block_count(self) -> int:
        return self.device.block_count

    @property
    def capabilities(self) -> Capabilities:
        return self.device.capabilities

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """As the device underneath."""
        data = self.device.read(block, count, accept)
        self._count_read(1, count)
        return data

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """As the device underneath."""
        data = self.device.readv(runs)
        self._count_read(len(runs), sum(count for _, count in runs))
        return data

    def _count_read(self, runs: int, blocks: int) -> None:
        counts = self.counts
        counts.reads += 1
        counts.read_runs += runs
        counts.blocks_read += blocks
        counts.bytes_read += blocks * self.device.block_size_bytes

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """As the device underneath."""
        self.device.write(block, data, fua=fua)
        self._count_write(1, memoryview(data).nbytes)
        self.counts.fua_writes += fua

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """As the device underneath."""
        self.device.writev(runs)
        self._count_write(len(runs), sum(memoryview(data).nbytes for _, data in runs))

    def _count_write(self, runs: int, size_bytes: int) -> None:
        counts = self.counts
        counts.writes += 1
        counts.write_runs += runs
        counts.blocks_written += size_bytes // self.device.block_size_bytes
        counts.bytes_written += size_bytes

    def flush(self) -> None:
        """As the device underneath."""
        self.device.flush()
        self.counts.flushes += 1

    def discard(self, block: int, count: int) -> None:
        """As the device underneath."""
        self.device.discard(block, count)
        self.counts.discards += 1
        self.counts.blocks_discarded += count

    def close(self) -> None:
        """Close the device underneath; the counts stay."""
        self.device.close()
