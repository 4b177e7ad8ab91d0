"""Background work: commits by age and pressure, scrubs within their share, and a clean stop."""

import errno
import os

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.maintenance import SECOND_NS, Daemon, Maintenance
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

BLOCKS = 4096
READ_NS = 200_000


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class SlowDevice(MemoryDevice):
    """Each read takes its time."""

    clock: Clock

    def read(self, block: int, count: int = 1, accept: object = None) -> memoryview | bytes:
        self.clock.now_ns += READ_NS
        return super().read(block, count)


def mounted(clock: Clock) -> tuple[SlowDevice, Volume]:
    device = SlowDevice(BLOCKS)
    device.clock = clock
    mkfs(device)
    return device, Volume.mount(device)


def write(volume: Volume, path: bytes, size: int) -> None:
    with volume.open(path, os.O_CREAT | os.O_RDWR) as handle:
        handle.pwrite(os.urandom(size), 0)


def test_what_waits_is_committed_when_it_is_old() -> None:
    clock = Clock()
    _, volume = mounted(clock)
    work = Maintenance(volume, clock_ns=clock, scrub_every_ns=0)
    work.next_scrub_ns = 1 << 62
    write(volume, b"/a", 100)
    before = volume.superblock.root_generation
    for at, generation in ((0, before), (4, before), (5, before + 1), (30, before + 1)):
        clock.now_ns = at * SECOND_NS
        work.tick()
        assert volume.superblock.root_generation == generation
    assert work.commits == 1


def test_much_is_committed_at_once() -> None:
    clock = Clock()
    _, volume = mounted(clock)
    work = Maintenance(volume, clock_ns=clock)
    work.next_scrub_ns = 1 << 62
    volume.engine.dirty_bytes_max = 100_000
    write(volume, b"/small", 20_000)
    work.tick()
    assert work.commits == 0
    write(volume, b"/large", 40_000)
    work.tick()
    assert work.commits == 1


def test_a_transaction_is_left_alone() -> None:
    clock = Clock()
    device, volume = mounted(clock)
    work = Maintenance(volume, clock_ns=clock)
    volume.begin()
    write(volume, b"/a", 70_000)
    for at in range(100):
        clock.now_ns = at * SECOND_NS
        work.tick()
    assert (work.commits, work.scrubs, work.scrub) == (0, 0, None)
    volume.abort()
    assert check(device).files == 0


def test_a_scrub_keeps_within_its_share_and_finds_damage() -> None:
    clock = Clock()
    device, volume = mounted(clock)
    for number in range(40):
        write(volume, b"/%d" % number, 60_000)
    volume.sync()
    (_, extent), *_ = volume.engine.tree(volume.find(b"/7")).items()
    device.write(extent.disk_block, bytes(BLOCK_SIZE))
    work = Maintenance(volume, clock_ns=clock, share=0.05, scrub_every_ns=60 * SECOND_NS)
    start, busy = clock.now_ns, 0
    while not work.scrubs:
        before = clock.now_ns
        work.tick()
        busy += clock.now_ns - before
        clock.now_ns += SECOND_NS // 1000
    assert [damage.block for damage in work.damages] == [extent.disk_block]
    longest_step = 80 * READ_NS
    assert busy <= 0.05 * (clock.now_ns - start) + longest_step
    end = clock.now_ns
    while work.scrub is None:
        clock.now_ns += SECOND_NS
        work.tick()
    assert clock.now_ns - end >= 60 * SECOND_NS


def test_the_daemon_works_beside_others_and_stops() -> None:
    device = MemoryDevice(BLOCKS)
    mkfs(device)
    volume = Volume.mount(device)
    work = Maintenance(volume, age_ns=0)
    with Daemon(work, tick_ns=SECOND_NS // 1000) as daemon:
        for number in range(200):
            with daemon.lock:
                write(volume, b"/%d" % (number % 20), 5000)
        assert daemon.wait_until(lambda: work.commits > 0 and work.scrubs > 0, 60)
    assert not daemon.thread.is_alive()
    assert daemon.error is None
    assert not work.damages
    volume.unmount()
    assert check(device, data=True).is_clean


def test_a_device_that_fails_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    device = MemoryDevice(BLOCKS)
    mkfs(device)
    volume = Volume.mount(device)
    work = Maintenance(volume, age_ns=0)

    def fail() -> None:
        raise OSError(errno.EIO, "the medium is gone")

    with Daemon(work, tick_ns=SECOND_NS // 1000) as daemon:
        with daemon.lock:
            write(volume, b"/a", 5000)
            monkeypatch.setattr(device, "flush", fail)
        assert daemon.wait_until(lambda: daemon.error is not None, 60)
    assert daemon.error is not None
    assert daemon.error.errno == errno.EIO
    with pytest.raises(OSError, match="shut down"):
        volume.sync()
