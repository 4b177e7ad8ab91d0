"""Many reads and writes at once: the same bytes, in few device calls (counted).

Canaries: gathered writes that are never drained, or drained in the next epoch, are caught.
"""

import errno
import random

import pytest

from watosfs.block.gather import GatheringDevice
from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.wfs3.batches import ReadRequest, WriteRequest
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

KIB = 1024


@pytest.fixture
def device():
    device = CountingDevice(MemoryDevice(8192))
    mkfs(device)
    return device


@pytest.fixture
def volume(device):
    with Volume.mount(device) as volume:
        yield volume


def text(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def make(volume, names, size):
    for i, name in enumerate(names):
        with volume.create(name) as handle:
            handle.pwrite(text(i, size), 0)
    volume.sync()


def test_reads_of_many_files_are_one_call_of_few_runs(volume, device):
    names = [b"/f%d" % i for i in range(40)]
    make(volume, names, 20 * KIB)
    handles = [volume.open(name) for name in names]
    for handle in handles:
        handle.seek_data(0)  # trees are in memory now
    before = device.counts.copy()
    found = volume.read_many([ReadRequest(handle, 20 * KIB, 0) for handle in handles])
    asked = device.counts - before
    assert found == [text(i, 20 * KIB) for i in range(40)]
    assert asked.reads == 1
    assert asked.read_runs <= 3
    assert asked.blocks_read == 200


def test_one_by_one_the_same_reads_are_forty_calls(volume, device):
    """Canary of the count above."""
    names = [b"/f%d" % i for i in range(40)]
    make(volume, names, 20 * KIB)
    handles = [volume.open(name) for name in names]
    before = device.counts.copy()
    for handle in handles:
        handle.pread(20 * KIB, 0)
    assert (device.counts - before).reads >= 40


def test_writes_of_many_files_reach_the_device_in_one_call(volume, device):
    names = [b"/f%d" % i for i in range(40)]
    handles = [volume.create(name) for name in names]
    before = device.counts.copy()
    data = text(1, 128 * KIB)
    assert volume.write_many([WriteRequest(h, data, 0) for h in handles]) == [128 * KIB] * 40
    asked = device.counts - before
    assert asked.writes == 1
    assert asked.blocks_written == 40 * 32
    assert volume.read_many([ReadRequest(h, 128 * KIB, 0) for h in handles]) == [data] * 40


def test_a_commit_of_many_small_files_writes_their_data_in_one_call(volume, device):
    for i in range(100):
        with volume.create(b"/f%d" % i) as handle:
            handle.pwrite(text(i, 5 * KIB), 0)
    before = device.counts.copy()
    volume.sync()
    asked = device.counts - before
    # The data; the nodes, in transfers of at most 1 MiB; a superblock.
    assert asked.writes <= 4
    assert asked.flushes == 2


@pytest.mark.parametrize("level", [0, 1])
def test_any_requests_give_what_one_by_one_gives(volume, level):
    volume.compress(b"/", level)
    rng = random.Random(7)
    handles = [volume.create(b"/f%d" % i) for i in range(5)]
    for round_number in range(40):
        writes = [
            WriteRequest(
                rng.choice(handles),
                rng.choice((rng.randbytes(1), b"so")) * rng.choice((1, 100, 4096, 70_000)),
                rng.choice((0, 5, 4096, 65_536, 300_000)),
            )
            for _ in range(4)
        ]
        assert volume.write_many(writes) == [len(write.data) for write in writes]
        if round_number % 3 == 0:
            volume.sync()
        reads = [
            ReadRequest(
                rng.choice(handles), rng.choice((0, 1, 5000, 400_000)), rng.randrange(380_000)
            )
            for _ in range(6)
        ]
        one_by_one = [handle.pread(count, offset) for handle, count, offset in reads]
        assert volume.read_many(reads) == one_by_one
    for handle in handles:
        handle.close()
    volume.sync()
    assert not check(volume.engine.device, data=True).problems


def test_a_request_that_may_not_be_read_is_refused_as_alone(volume):
    make(volume, [b"/f"], 10)
    writer = volume.open(b"/f", 1)
    for request, number in (
        (ReadRequest(writer, 1, 0), errno.EBADF),
        (ReadRequest(volume.open(b"/f"), -1, 0), errno.EINVAL),
        (ReadRequest(volume.open(b"/"), 1, 0), errno.EISDIR),
    ):
        with pytest.raises(OSError) as refused:
            volume.read_many([request])
        assert refused.value.errno == number


def test_damage_in_one_extent_is_told(volume, device):
    make(volume, [b"/f", b"/g"], 20 * KIB)
    handles = [volume.open(b"/f"), volume.open(b"/g")]
    inode = volume.engine.inode(handles[1].number)
    block = next(iter(volume.engine.tree(inode).items()))[1].disk_block
    device.write(block, bytes(4096))
    with pytest.raises(OSError) as damaged:
        volume.read_many([ReadRequest(handle, 20 * KIB, 0) for handle in handles])
    assert damaged.value.errno == errno.EUCLEAN


def test_the_first_write_that_fails_is_raised_and_those_before_it_are_written(volume):
    make(volume, [b"/f"], 10)
    good, bad = volume.open(b"/f", 2), volume.open(b"/f", 0)
    data = text(3, 64 * KIB)
    with pytest.raises(OSError) as refused:
        volume.write_many([WriteRequest(good, data, 0), WriteRequest(bad, data, 0)])
    assert refused.value.errno == errno.EBADF
    assert good.pread(64 * KIB, 0) == data
    volume.sync()
    assert not check(volume.engine.device, data=True).problems


class FailsWrites(MemoryDevice):
    fails = False

    def writev(self, runs):
        if self.fails:
            raise OSError(errno.EIO, "the medium failed")
        super().writev(runs)


def test_when_the_device_fails_the_volume_is_shut_down():
    device = FailsWrites(2048)
    mkfs(device)
    volume = Volume.mount(device)
    make(volume, [b"/f"], 10)
    handle = volume.open(b"/f", 2)
    device.fails = True
    with pytest.raises(OSError) as failed:
        volume.write_many([WriteRequest(handle, text(1, 64 * KIB), 0)])
    assert failed.value.errno == errno.EIO
    device.fails = False
    with pytest.raises(OSError) as later:
        volume.sync()
    assert later.value.errno == errno.EIO
    assert handle.pread(100, 0) == text(0, 10)


def write_and_look_at_the_medium():
    device = MemoryDevice(2048)
    mkfs(device)
    volume = Volume.mount(device)
    with volume.create(b"/f") as handle:
        handle.pwrite(text(5, 20 * KIB), 0)
        handle.fsync()
    assert not check(device, data=True).problems


def test_a_synced_volume_is_whole_on_the_medium():
    write_and_look_at_the_medium()


def test_canary_writes_that_are_never_drained_are_caught(monkeypatch):
    monkeypatch.setattr(GatheringDevice, "drain", lambda device: None)
    with pytest.raises(AssertionError):
        write_and_look_at_the_medium()


def test_what_waits_is_read_and_overwritten_in_order():
    medium = CountingDevice(MemoryDevice(16))
    gathering = GatheringDevice(medium)
    gathering.write(3, b"a" * 4096)
    gathering.write(2, b"b" * 8192)
    assert medium.counts.writes == 1  # the second touches the first
    assert bytes(gathering.read(3)) == b"b" * 4096
    gathering.writev([(9, b"c" * 4096), (8, b"d" * 4096)])
    gathering.flush()
    assert bytes(medium.read(8, 2)) == b"d" * 4096 + b"c" * 4096
    assert medium.counts.writes == 3
