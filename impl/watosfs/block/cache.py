"""A write-back cache of blocks in front of a device: bounded, least recently used first out.

Blocks are known by their number and nothing else, so there is one copy of each. A dirty block
stays until its write has succeeded, and ``flush`` writes all of them before the device's own
flush, so that no write outlives its epoch in here. Long runs go past the cache: a scan would throw
out everything else, and they are large calls already.
"""

import errno
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from watosfs.block.device import Accept, BlockDevice, Buffer, Capabilities
from watosfs.block.read_ahead import ReadAhead
from watosfs.block.statistics import CacheCounts
from watosfs.errors import failure

CACHE_BYTES = 32 << 20
#: Runs of so many blocks are not kept.
_LONG_RUN_BLOCKS = 64


class CachedDevice:
    """``device`` behind ``cache_bytes`` of memory. Keeps the contract of ``BlockDevice``.

    A write that fails leaves its blocks dirty: the next flush tries again. When the device's flush
    fails, what it had taken before may be lost, so every later flush and FUA write is EIO.
    """

    def __init__(self, device: BlockDevice, cache_bytes: int = CACHE_BYTES) -> None:
        self.device = device
        self.blocks_max = max(cache_bytes // device.block_size_bytes, 1)
        #: Oldest first.
        self.blocks: OrderedDict[int, bytes] = OrderedDict()
        self.dirty: set[int] = set()
        #: Read ahead and not yet asked for.
        self.unused: set[int] = set()
        self.read_ahead = ReadAhead(min(256, self.blocks_max // 4))
        self.counts = CacheCounts()
        self.has_lost_writes = self.is_closed = False

    @property
    def block_size_bytes(self) -> int:
        return self.device.block_size_bytes

    @property
    def block_count(self) -> int:
        return self.device.block_count

    @property
    def capabilities(self) -> Capabilities:
        return self.device.capabilities

    # -- reading

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """A copy; from memory when every block is here, else in one call of the device."""
        blocks, counts = self.blocks, self.counts
        if count == 1:
            found = blocks.get(block)
            if found is not None:
                self.touch(block)
                return found
        elif 0 < count < _LONG_RUN_BLOCKS:
            run = range(block, block + count)
            if all(number in blocks for number in run):
                for number in run:
                    self.touch(number)
                return b"".join([blocks[number] for number in run])
        if count >= _LONG_RUN_BLOCKS or count < 1:
            data = self.device.read(block, count, None if self.dirty else accept)
            counts.passed_by += count
            return self.with_dirty(block, count, data)
        return self.read_missing(block, count, accept)

    def touch(self, block: int) -> None:
        """A hit: the block is the youngest now."""
        self.blocks.move_to_end(block)
        self.counts.hits += 1
        if block in self.unused:
            self.unused.remove(block)
            self.counts.read_ahead_used += 1
            self.read_ahead.used()

    def read_missing(self, block: int, count: int, accept: Accept | None) -> Buffer:
        """Read a short run of which something is missing, and ahead of it on a stream."""
        size = self.block_size_bytes
        end = min(block + count + self.read_ahead.window(block, count), self.block_count)
        data: Buffer = b""
        if end > block + count:
            try:
                data = self.device.read(block, end - block)
            except OSError:
                end = block + count  # what is ahead may be what cannot be read
        if end <= block + count or (accept and not accept(data[: count * size])):
            end = block + count
            is_dirty = not self.dirty.isdisjoint(range(block, end))
            data = self.device.read(block, count, None if is_dirty else accept)
        self.counts.misses += count
        wanted = self.with_dirty(block, count, memoryview(data)[: count * size])
        if accept is not None and not accept(wanted):
            return wanted  # not what the caller wants: ask the device again next time
        for number in range(block, end):
            if number in self.blocks:
                continue
            if not self.make_room(1):
                break
            start = (number - block) * size
            self.blocks[number] = bytes(memoryview(data)[start : start + size])
            if number >= block + count:
                self.unused.add(number)
                self.counts.read_ahead += 1
        return wanted

    def with_dirty(self, block: int, count: int, data: Buffer) -> Buffer:
        """``data`` of the device with what it does not have yet put over it."""
        newer = sorted(self.dirty.intersection(range(block, block + count)))
        if not newer:
            return bytes(data)
        size = self.block_size_bytes
        merged = bytearray(data)
        for number in newer:
            merged[(number - block) * size : (number - block + 1) * size] = self.blocks[number]
        return bytes(merged)

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """One buffer for each run; what no run finds here is read in one call."""
        missing = [
            (block, count)
            for block, count in runs
            if count < 1 or not all(number in self.blocks for number in range(block, block + count))
        ]
        found = iter(self.device.readv(missing)) if missing else iter(())
        buffers: list[Buffer] = []
        for block, count in runs:
            if (block, count) in missing:
                buffers.append(self.with_dirty(block, count, next(found)))
                self.counts.passed_by += count
            else:
                buffers.append(self.read(block, count))
        return buffers

    # -- writing

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Keep a copy of a short run, dirty; hand a long one, and any with ``fua``, on at once."""
        view = memoryview(data)
        if view.format != "B":
            view = view.cast("B")
        size = self.block_size_bytes
        count, rest = divmod(view.nbytes, size)
        if fua and self.has_lost_writes:
            raise self.lost()
        if rest or fua or not 0 < count < _LONG_RUN_BLOCKS or not self.can_take(block, count):
            self.forget(block, count, also_dirty=False)
            self.device.write(block, view, fua=fua)
            self.forget(block, count)
            self.counts.passed_by += count
            return
        for i in range(count):
            number = block + i
            if number not in self.blocks:
                self.make_room(1)
            self.blocks[number] = bytes(view[i * size : (i + 1) * size])
            self.blocks.move_to_end(number)
            self.dirty.add(number)
            self.unused.discard(number)

    def can_take(self, block: int, count: int) -> bool:
        """Whether a run may become dirty here: a legal one that fits, once others are written."""
        if self.is_closed or self.capabilities.read_only:
            return False
        if block < 0 or block + count > self.block_count:
            return False
        if 2 * count > self.blocks_max:
            return False
        if 2 * (len(self.dirty) + count) > self.blocks_max:
            self.write_back()
        return True

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Short runs as ``write`` does; if there is a long one, all of them in one call."""
        size = self.block_size_bytes
        lengths = [memoryview(data).nbytes for _, data in runs]
        if not self.is_closed and all(length < _LONG_RUN_BLOCKS * size for length in lengths):
            self.check(runs)
            for block, data in runs:
                self.write(block, data)
            return
        for (block, _), length in zip(runs, lengths, strict=True):
            self.forget(block, length // size, also_dirty=False)
        self.device.writev(runs)
        for (block, _), length in zip(runs, lengths, strict=True):
            self.forget(block, length // size)
            self.counts.passed_by += length // size

    def check(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Refuse what the device would refuse, before anything is taken."""
        for block, data in runs:
            count, rest = divmod(memoryview(data).nbytes, self.block_size_bytes)
            if rest or block < 0 or block + count > self.block_count:
                raise failure(errno.EINVAL, reason=f"blocks {block} to {block + count}")

    def write_back(self) -> None:
        """Hand every dirty block to the device, neighbours in one run. What fails stays dirty."""
        runs = [
            (first, b"".join([self.blocks[number] for number in range(first, end)]))
            for first, end in neighbours(sorted(self.dirty))
        ]
        if not runs:
            return
        self.device.writev(runs)
        self.counts.written_back += len(self.dirty)
        self.dirty.clear()

    def flush(self) -> None:
        """Return once everything written before is durable; EIO, and EIO ever after, if it may
        not be.
        """
        if self.has_lost_writes:
            raise self.lost()
        if not self.is_closed:
            self.write_back()
        try:
            self.device.flush()
        except OSError as error:
            self.has_lost_writes = error.errno == errno.EIO
            raise

    def lost(self) -> OSError:
        """What every flush says once one failed."""
        return failure(errno.EIO, reason="an earlier flush failed: writes may be lost")

    def discard(self, block: int, count: int) -> None:
        """As the device; nothing of these blocks is kept."""
        self.device.discard(block, count)
        self.forget(block, count)

    def close(self) -> None:
        """Close the device; what is dirty is lost, as without a flush it may be."""
        self.is_closed = True
        self.device.close()
        self.blocks.clear()
        self.dirty.clear()
        self.unused.clear()

    # -- forgetting

    def make_room(self, count: int) -> bool:
        """Forget clean blocks, oldest first, until ``count`` more fit; whether they do."""
        excess = len(self.blocks) + count - self.blocks_max
        if excess <= 0:
            return True
        if len(self.blocks) - len(self.dirty) < excess:
            return False
        victims = []
        for number in self.blocks:
            if number not in self.dirty:
                victims.append(number)
                if len(victims) == excess:
                    break
        for number in victims:
            self.drop(number)
            self.counts.evicted += 1
        return True

    def drop(self, number: int) -> None:
        """One block is not here any more."""
        del self.blocks[number]
        self.dirty.discard(number)
        if number in self.unused:
            self.unused.remove(number)
            self.read_ahead.wasted()

    def forget(self, block: int, count: int, *, also_dirty: bool = True) -> None:
        """Nothing of a run is here any more; without ``also_dirty``, nothing that the device has,
        because it may be about to change.
        """
        end = block + count
        run = range(block, end) if count < len(self.blocks) else list(self.blocks)
        for number in run:
            is_here = block <= number < end and number in self.blocks
            if is_here and (also_dirty or number not in self.dirty):
                self.drop(number)


def neighbours(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of each stretch of consecutive numbers, given in order."""
    i = 0
    while i < len(numbers):
        j = i
        while j + 1 < len(numbers) and numbers[j + 1] == numbers[j] + 1:
            j += 1
        yield numbers[i], numbers[j] + 1
        i = j + 1
