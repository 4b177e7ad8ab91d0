"""The write-back cache: the contract of devices, bounds, epochs, failures, read-ahead.

Canaries: a dirty block dropped on eviction; one block under two keys; a flush that leaves dirty
blocks to eviction; a failed write marked clean.
"""

import errno
import random
from collections.abc import Sequence

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from watosfs.block.cache import CachedDevice
from watosfs.block.device import Accept, BlockDevice, Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.block.read_ahead import ReadAhead
from watosfs.block.statistics import CountingDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.device_conformance import BLOCK_COUNT, DeviceConformance

SIZE = 4096
SMOKE = settings(max_examples=60, stateful_step_count=30, derandomize=True, database=None)
HUNT = settings(SMOKE, report_multiple_bugs=False, phases=[Phase.generate, Phase.shrink])


def block_of(stamp: int) -> bytes:
    return bytes([stamp]) * SIZE


@pytest.mark.parametrize("blocks", [1, 2, 5, 64])
def test_a_cached_device_keeps_the_contract(blocks):
    class OnCache(DeviceConformance):
        def make_device(self) -> BlockDevice:
            return CachedDevice(MemoryDevice(BLOCK_COUNT), blocks * SIZE)

    run_state_machine_as_test(OnCache, settings=SMOKE)


def run_beside_bytes(cached: CachedDevice, medium: MemoryDevice, seed: int, steps: int = 300):
    """Random single blocks beside a list of what they hold; what was flushed is on the medium."""
    rng = random.Random(seed)
    contents = {number: bytes(SIZE) for number in range(16)}
    for _ in range(steps):
        number = rng.randrange(14)
        action = rng.choice(("read", "read", "read two", "write", "write", "flush"))
        if action == "read":
            assert bytes(cached.read(number)) == contents[number], number
        elif action == "read two":
            found = bytes(cached.read(number, 2))
            assert found == contents[number] + contents[number + 1], number
        elif action == "write":
            contents[number] = block_of(rng.randrange(256))
            cached.write(number, contents[number])
        else:
            cached.flush()
            on_medium = medium.snapshot()
            assert on_medium == b"".join(contents.values()), "flushed, and not on the medium"
        assert len(cached.blocks) <= cached.blocks_max


@pytest.mark.parametrize("blocks", [2, 3, 8, 32])
def test_contents_and_epochs_beside_plain_bytes(blocks):
    medium = MemoryDevice(16)
    run_beside_bytes(CachedDevice(medium, blocks * SIZE), medium, seed=blocks)


class DropsDirtyBlocks(CachedDevice):
    """Forgets the oldest block, written or not."""

    def make_room(self, count: int) -> bool:
        while len(self.blocks) + count > self.blocks_max:
            self.drop(next(iter(self.blocks)))
        return True

    def can_take(self, block: int, count: int) -> bool:
        return block >= 0 and block + count <= self.block_count and count <= self.blocks_max


class KeysByRun(CachedDevice):
    """Keeps each run under its first block and length: the same block can be here twice."""

    def __init__(self, device: BlockDevice, cache_bytes: int) -> None:
        super().__init__(device, cache_bytes)
        self.runs: dict[tuple[int, int], Buffer] = {}

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        if (block, count) not in self.runs:
            self.runs[block, count] = super().read(block, count, accept)
        return self.runs[block, count]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        super().write(block, data, fua=fua)
        self.runs[block, len(data) // SIZE] = bytes(data)


class IgnoresEpochs(CachedDevice):
    """Flushes the device, and leaves the youngest dirty block for eviction to write."""

    def write_back(self) -> None:
        youngest = next(reversed(self.blocks), None)
        is_dirty = youngest in self.dirty
        self.dirty.discard(youngest)
        super().write_back()
        if is_dirty:
            self.dirty.add(youngest)


@pytest.mark.parametrize("broken", [DropsDirtyBlocks, KeysByRun, IgnoresEpochs])
def test_canary_a_broken_cache_is_caught(broken):
    medium = MemoryDevice(16)
    with pytest.raises(AssertionError):
        run_beside_bytes(broken(medium, 4 * SIZE), medium, seed=1)


@pytest.mark.parametrize("broken", [DropsDirtyBlocks, KeysByRun])
def test_canary_the_contract_catches_it_too(broken):
    class OnBroken(DeviceConformance):
        def make_device(self) -> BlockDevice:
            return broken(MemoryDevice(BLOCK_COUNT), 4 * SIZE)

    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(OnBroken, settings=HUNT)


# -- failing devices


class Failing(MemoryDevice):
    """Fails the next ``writes`` writes and ``flushes`` flushes with EIO; changes nothing then."""

    writes = flushes = 0

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        if self.writes:
            self.writes -= 1
            raise OSError(errno.EIO, "the medium failed")
        super().writev(runs)

    def flush(self) -> None:
        if self.flushes:
            self.flushes -= 1
            raise OSError(errno.EIO, "the medium failed")
        super().flush()


def fail_a_write_and_flush_again(kind: type[CachedDevice]) -> None:
    """fsyncgate: the flush after a failed one may succeed only with the data on the medium."""
    medium = Failing(16)
    cached = kind(medium, 8 * SIZE)
    cached.write(3, block_of(7))
    medium.writes = 1
    with pytest.raises(OSError) as failed:
        cached.flush()
    assert failed.value.errno == errno.EIO
    assert bytes(cached.read(3)) == block_of(7)
    cached.flush()
    assert bytes(medium.read(3)) == block_of(7), "flushed, and not on the medium"


class MarksFailedWritesClean(CachedDevice):
    """What the kernel of fsyncgate did."""

    def write_back(self) -> None:
        try:
            super().write_back()
        finally:
            self.dirty.clear()


def test_a_write_that_failed_is_dirty_until_it_succeeds():
    fail_a_write_and_flush_again(CachedDevice)


def test_canary_a_failed_write_marked_clean_is_caught():
    with pytest.raises(AssertionError, match="not on the medium"):
        fail_a_write_and_flush_again(MarksFailedWritesClean)


def test_after_a_failed_flush_nothing_claims_durability_again():
    medium = Failing(16)
    cached = CachedDevice(medium, 8 * SIZE)
    cached.write(1, block_of(1))
    medium.flushes = 1
    for _ in range(2):
        with pytest.raises(OSError) as failed:
            cached.flush()
        assert failed.value.errno == errno.EIO
    with pytest.raises(OSError) as failed:
        cached.write(1, block_of(2), fua=True)
    assert failed.value.errno == errno.EIO
    assert bytes(cached.read(1)) == block_of(1)


def test_a_write_without_room_says_what_the_device_says_and_changes_nothing():
    medium = Failing(16)
    cached = CachedDevice(medium, 4 * SIZE)
    cached.write(1, block_of(1))
    cached.write(2, block_of(2))
    medium.writes = 1
    with pytest.raises(OSError) as failed:
        cached.write(3, block_of(3))
    assert failed.value.errno == errno.EIO
    cached.flush()
    assert [bytes(medium.read(n)) for n in (1, 2, 3)] == [block_of(1), block_of(2), bytes(SIZE)]


# -- cost, counted


@pytest.fixture
def counting():
    return CountingDevice(MemoryDevice(4096))


def test_dirty_neighbours_reach_the_device_as_one_run(counting):
    cached = CachedDevice(counting)
    for number in random.Random(1).sample(range(100, 300), 200):
        cached.write(number, block_of(number % 256))
    assert counting.counts.writes == 0
    cached.flush()
    assert (counting.counts.writes, counting.counts.write_runs) == (1, 1)
    assert counting.counts.blocks_written == cached.counts.written_back == 200


def test_a_sequential_stream_is_read_ahead_in_growing_calls(counting):
    cached = CachedDevice(counting)
    for number in range(1000):
        cached.read(number)
    assert counting.counts.reads <= 12
    assert cached.counts.hit_rate > 0.98
    assert cached.counts.read_ahead_used == cached.counts.hits


def test_several_streams_at_once_are_each_seen(counting):
    cached = CachedDevice(counting)
    for step in range(200):
        for stream in range(4):
            cached.read(1000 * stream + step)
    assert counting.counts.reads <= 4 * 9


def test_random_reads_are_not_read_ahead(counting):
    cached = CachedDevice(counting, 512 * SIZE)
    rng = random.Random(2)
    for _ in range(2000):
        cached.read(rng.randrange(4096))
    assert counting.counts.blocks_read < 1.1 * counting.counts.reads
    assert cached.counts.read_ahead < 100


def test_read_ahead_that_nobody_uses_backs_off(counting):
    """Pairs of blocks look like streams that end at once."""
    cached = CachedDevice(counting, 64 * SIZE)
    rng = random.Random(3)
    for _ in range(1000):
        start = rng.randrange(4000)
        cached.read(start)
        cached.read(start + 1)
    assert cached.read_ahead.limit <= 1
    assert counting.counts.blocks_read < 1.5 * counting.counts.reads


def test_windows_double_up_to_the_limit_and_recover():
    ahead = ReadAhead(64)
    at, windows = 0, []
    for _ in range(7):
        windows.append(ahead.window(at, 1))
        at += 1 + windows[-1]
    assert windows == [0, 4, 8, 16, 32, 64, 64]
    for _ in range(7):
        ahead.wasted()
    assert ahead.limit == 0
    for _ in range(3):
        ahead.used()
    assert ahead.window(at, 1) == 3


def test_a_long_run_goes_past_the_cache_and_sees_what_is_dirty(counting):
    cached = CachedDevice(counting, 16 * SIZE)
    cached.write(70, block_of(9))
    whole = bytes(cached.read(0, 128))
    assert whole[70 * SIZE : 71 * SIZE] == block_of(9)
    assert set(cached.blocks) == {70}
    cached.write(0, bytes(128 * SIZE))
    assert cached.blocks == {}
    cached.flush()
    assert bytes(counting.read(70)) == bytes(SIZE)


def test_what_is_refused_by_its_checksum_is_asked_for_again(counting):
    cached = CachedDevice(counting)
    cached.read(5, 1, lambda data: False)
    cached.read(5, 1, lambda data: True)
    cached.read(5)
    assert (cached.counts.hits, cached.counts.misses) == (1, 2)


def test_a_volume_lives_on_a_cached_device(counting):
    cached = CachedDevice(counting, 64 * SIZE)
    mkfs(cached)
    with Volume.mount(cached) as volume:
        for i in range(50):
            volume.mkdir(b"/d%d" % i)
            with volume.create(b"/d%d/f" % i) as handle:
                handle.pwrite(b"%d" % i * 5000, 0)
                handle.fsync()
    assert not check(counting, data=True).problems
    with Volume.mount(counting) as volume, volume.open(b"/d7/f") as handle:
        assert handle.pread(10, 0) == b"7" * 10
